#include "index/bounded_search.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <limits>
#include <string>

namespace isovec::index {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Rows fetched at a time: enough to share the cost of a call, few enough for each batch to profit from the
/// last.
constexpr std::size_t kSmallestBatch = 8;
constexpr std::size_t kLargestBatch = 4'096;

/// Candidates that are not worth dropping, and rows that are fetched one by one whatever their share.
constexpr std::size_t kFewCandidates = 4'096;
constexpr std::size_t kFewRows = 64;

}  // namespace

BoundedSearch::BoundedSearch(const QueryCode& query, const SearchLimits& limits)
    : BoundedSearch(query.metric(), limits) {
  query_ = &query;
}

BoundedSearch::BoundedSearch(const MappedQuery& query, const SearchLimits& limits)
    : BoundedSearch(query.metric(), limits) {
  mapped_ = &query;
}

BoundedSearch::BoundedSearch(Metric metric, const SearchLimits& limits)
    : metric_(metric),
      limits_(limits),
      order_(metric, limits.order),
      thresholds_(limits.k.value_or(limits.expected)),
      compact_at_(2 * kFewCandidates),
      last_(limits.after) {
  if (last_) limits_.range.least = std::max(limits_.range.least, distance(*last_));
  if (!prunes()) candidates_.reserve(limits.rows);
}

std::size_t BoundedSearch::wanted() const noexcept {
  const std::size_t next =
      handed_out_ < limits_.expected ? limits_.expected - handed_out_ : std::max(handed_out_, std::size_t{1});
  return limits_.k ? std::min(*limits_.k - handed_out_, next) : next;
}

void BoundedSearch::add_block(const codec::CodeBlockView& block, const codec::RowMask& dead,
                              const codec::RowMask& passing) {
  const codec::RowMask defined = mapped_ != nullptr ? mapped_->defined(block) : block.defined();
  codec::RowMask rows = defined & ~dead & passing;
  if (rows == codec::RowMask()) return;
  coded_rows_ += rows.count();
  if (mapped_ != nullptr) {
    mapped_->bound(block, bounds_);
    rows = rows & rows_within(bounds_.least, limit());
  } else if (deferred_ != nullptr && block.coarse()) {
    return deferred_->add(block, *query_, rows);
  } else {
    rows = rows & bound_distances_within(block, *query_, limit(), bounds_);
  }
  add_rows(block, rows, bounds_);
}

void BoundedSearch::defer(DeferredBlocks& deferred) {
  if (query_ == nullptr || !query_->bounded() || !prunes()) return;
  deferred_ = &deferred;
  deferred_->begin(*limits_.k);
}

void BoundedSearch::finish_blocks() {
  if (deferred_ == nullptr) return;
  deferred_->settle(
      *query_, [this] { return limit(); },
      [this](const codec::CodeBlockView& block, const codec::RowMask& rows, const DistanceBounds& bounds) {
        add_rows(block, rows, bounds);
      });
  deferred_ = nullptr;
}

void BoundedSearch::add_rows(const codec::CodeBlockView& block, const codec::RowMask& rows,
                             const DistanceBounds& bounds) {
  if (rows == codec::RowMask()) return;
  add_thresholds(rows, bounds);
  add_candidates(block, rows, bounds);
}

double BoundedSearch::limit() const noexcept {
  return prunes() ? std::min<double>(thresholds_.limit(), limits_.range.most) : limits_.range.most;
}

void BoundedSearch::add_thresholds(const codec::RowMask& rows, const DistanceBounds& bounds) {
  codec::for_each_row(rows, [&](std::size_t row) {
    if (!(bounds.most[row] < static_cast<double>(thresholds_.limit()))) return;
    const bool certain = bounds.least[row] >= limits_.range.least && bounds.most[row] <= limits_.range.most;
    if (certain) thresholds_.add(bounds.most[row]);
  });
}

void BoundedSearch::add_candidates(const codec::CodeBlockView& block, const codec::RowMask& rows,
                                   const DistanceBounds& bounds) {
  if (limits_.range.least == -kInfinity) {
    candidates_.add(rows, bounds.least, block.slots(), limit());
  } else {
    codec::RowMask near_enough = rows;
    codec::for_each_row(rows, [&](std::size_t row) {
      if (bounds.most[row] < limits_.range.least) near_enough.reset(row);
    });
    candidates_.add(near_enough, bounds.least, block.slots(), limit());
  }
  if (prunes() && candidates_.size() >= compact_at_) {
    candidates_.drop_above(thresholds_.limit());
    compact_at_ = 2 * std::max(candidates_.size(), kFewCandidates);
  }
}

bool BoundedSearch::is_wanted(const Hit& hit) const noexcept {
  const double d = distance(hit);
  if (!(d >= limits_.range.least && d <= limits_.range.most)) return false;  // NaN too
  return !last_ || order_(*last_, hit);
}

void BoundedSearch::add_hit(const Hit& hit) {
  if (!is_wanted(hit)) return;
  thresholds_.add(distance(hit));
  scored_.push_back(hit);
  keep_nearest();
}

void BoundedSearch::add_candidate(std::uint32_t slot, double score) {
  const double d = distance_of(metric_, score);
  if (!(d >= limits_.range.least && d <= limits_.range.most)) return;  // NaN too
  candidates_.add({round_down(d), slot});
}

/// With a limit: drops hits of which enough are nearer, each time there are twice as many as wanted.
void BoundedSearch::keep_nearest() {
  if (!limits_.k) return;
  const std::size_t most = *limits_.k - handed_out_;
  if (scored_.size() <= most || scored_.size() - most < most + kFewRows) return;  // k may be any number
  const auto end = scored_.begin() + static_cast<std::ptrdiff_t>(most);
  std::nth_element(scored_.begin(), end, scored_.end(), order_);
  scored_.erase(end, scored_.end());
}

void BoundedSearch::begin_reading() {
  if (reading_) return;
  reading_ = true;
  std::make_heap(scored_.begin(), scored_.end(), farthest_first());
  if (prunes()) candidates_.drop_above(thresholds_.limit());
  near_rows_ = candidates_.begin(thresholds_.limit());
}

bool BoundedSearch::prefers_raw_scan() {
  begin_reading();
  const std::size_t rows = std::max(near_rows_, fetched_);
  return !candidates_.empty() && rows > kFewRows && rows > coded_rows_ / 4;
}

void BoundedSearch::begin_raw_scan() {
  candidates_.clear();
  thresholds_.clear();
  scored_.clear();
  reading_ = false;
}

void BoundedSearch::push_scored(const Hit& hit) {
  scored_.push_back(hit);
  std::push_heap(scored_.begin(), scored_.end(), farthest_first());
}

Hit BoundedSearch::pop_scored() {
  std::pop_heap(scored_.begin(), scored_.end(), farthest_first());
  const Hit hit = scored_.back();
  scored_.pop_back();
  return hit;
}

std::optional<Hit> BoundedSearch::next(RowFetcher& fetcher) {
  begin_reading();
  while (!limits_.k || handed_out_ < *limits_.k) {
    if (candidates_.empty() && scored_.empty()) return std::nullopt;
    const bool settled =
        !scored_.empty() && (candidates_.empty() || distance(scored_.front()) < candidates_.nearest());
    if (!settled) {
      fetch_batch(fetcher);
      continue;
    }
    last_ = pop_scored();
    ++handed_out_;
    return last_;
  }
  return std::nullopt;
}

/// The distance of the count-th nearest scored row, infinite where there are fewer.
double BoundedSearch::distance_of_scored(std::size_t count) {
  if (scored_.size() < count) return kInfinity;
  hits_.clear();
  while (hits_.size() < count) hits_.push_back(pop_scored());
  for (const Hit& hit : hits_) push_scored(hit);
  return distance(hits_.back());
}

/// Fetches the rows of the smallest bounds. Once `wanted` rows are scored, those with larger bounds than all
/// of them are not needed for so many hits; after the last of the others, so many hits are settled.
void BoundedSearch::fetch_batch(RowFetcher& fetcher) {
  const std::size_t count = wanted();
  const double enough = distance_of_scored(count);
  const std::size_t missing = scored_.size() < count ? count - scored_.size() : 0;
  const std::size_t most = std::clamp(std::max(missing, count / 2), kSmallestBatch, kLargestBatch);
  const std::span<Candidate> batch = candidates_.take(most, enough);
  std::sort(batch.begin(), batch.end(),
            [](const Candidate& a, const Candidate& b) { return a.slot < b.slot; });
  slots_.resize(batch.size());
  hits_.resize(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) slots_[i] = batch[i].slot;
  fetcher.fetch(slots_, hits_);
  fetched_ += batch.size();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    check(batch[i], hits_[i]);
    if (is_wanted(hits_[i])) push_scored(hits_[i]);
  }
}

void BoundedSearch::check(const Candidate& candidate, const Hit& hit) const {
  const double d = distance(hit);
  if (d >= static_cast<double>(candidate.least)) return;
  const bool unbounded = candidate.least == -std::numeric_limits<float>::infinity();
  if (std::isnan(d) && (limits_.rejects || unbounded)) return;
  throw Error(Code::corrupt, "the code in slot " + std::to_string(candidate.slot) +
                                 " is not that of its row " + std::to_string(hit.rowid) +
                                 ": run the command 'rebuild'");
}

}  // namespace isovec::index
