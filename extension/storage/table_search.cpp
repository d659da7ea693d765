#include "storage/table_search.hpp"

#include <algorithm>

#include "index/normed_rows.hpp"

namespace isovec::storage {
namespace {

constexpr std::size_t kMostNormsKept = 4'000'000;  // 48 MB

// Where it pays to look at kept blocks twice: for so few rows, and of so many blocks at most, for which 2 KB
// each are remembered.
constexpr std::size_t kFewWanted = 1'000;
constexpr std::int64_t kMostDeferred = 1'000;

// The first rows of a stream.
constexpr std::size_t kSlice = 20;

// Scoring a chosen row costs as much as bounding some fifty by their codes.
std::size_t few_rows(const State& state) noexcept {
  return std::max<std::size_t>(kGroupSlots, static_cast<std::size_t>(state.rows) / 50);
}

}  // namespace

TableSearch::TableSearch(Store& store, const State& state, TableQuery query)
    : store_(store),
      state_(state),
      query_(std::move(query)),
      own_(store.transform(query_.column, state)),
      scorer_(index::Scorer::make(query_.query)) {
  if (!scorer_ || query_.k == std::size_t{0}) {
    ranking_.emplace(index::HitOrdering(metric(), query_.order), 0);
    return;
  }
  if (query_.given && !finds_kept_norms() && query_.conditions.empty()) keep_norms();
  std::optional<Buffer<RowHead>> chosen;
  if (!query_.conditions.empty()) {
    const auto rows = static_cast<std::size_t>(state_.rows);
    const bool computes_norms = query_.given && !given_;
    if (can_use_codes() || computes_norms) {
      chosen =
          few_matching_rows(store_, query_.conditions, computes_norms ? rows / 2 : few_rows(state_), rows);
      if (!chosen && computes_norms) keep_norms();
    } else {
      chosen = matching_rows(store_, query_.conditions);
    }
  }
  if (chosen || !can_use_codes()) {
    rank(std::move(chosen));
  } else {
    search_codes();
  }
}

// Whether what is coded says something about the rows as this query compares them.
bool TableSearch::can_use_codes() const {
  if (!store_.shape().vectors[query_.column].coded || complete_groups(state_) == 0) return false;
  if (!query_.given) return query_.query.transform == own_.get();
  return given_ && own_ == nullptr && index::MappedQuery::is_possible(*query_.given);
}

WithNorms TableSearch::with_norms() const noexcept {
  return query_.query.transform != nullptr && (!query_.given || given_) ? WithNorms::yes : WithNorms::no;
}

NormsBySlot TableSearch::given_norms() const noexcept {
  return given_ ? NormsBySlot(given_->images) : NormsBySlot();
}

bool TableSearch::finds_kept_norms() {
  const std::shared_ptr<const GivenNorms>& kept = store_.read_cache(query_.column).given;
  const bool same = kept && kept->transform == query_.given_checksum && kept->history == state_.history;
  // The history of a forged state may be that of other rows: norms are looked up by slot.
  if (same && kept->images.size() == static_cast<std::size_t>(state_.slots)) given_ = kept;
  return given_ != nullptr;
}

// The norms of all rows under a transform that came with the query cost n d^2 operations: they are kept for
// the next query of the same snapshot, within a budget.
void TableSearch::keep_norms() {
  const auto slots = static_cast<std::size_t>(state_.slots);
  ReadCache& cache = store_.read_cache(query_.column);
  cache.given.reset();
  if (slots > kMostNormsKept) return;
  const auto norms = std::make_shared<GivenNorms>();
  norms->transform = query_.given_checksum;
  norms->history = state_.history;
  norms->images.resize(slots);
  norms->lengths.resize(slots);
  AllRows rows(store_, query_.column, state_, WithNorms::no);
  rows.expect_work(multiplications_of(*query_.given));
  index::NormedRows normed(rows, *query_.given, query_.query.type);
  while (const auto batch = normed.next()) {
    const std::int64_t first = rows.first_slot();
    std::copy(batch->norms.begin(), batch->norms.end(), norms->images.begin() + first);
    std::copy(normed.lengths().begin(), normed.lengths().end(), norms->lengths.begin() + first);
  }
  given_ = norms;
  cache.given = norms;
}

template <typename Add>
void TableSearch::score_rows(std::optional<Buffer<RowHead>> chosen, Add&& add) {
  if (!chosen && !query_.conditions.empty()) chosen = matching_rows(store_, query_.conditions);
  const bool computes_norms = query_.given && !given_;
  const std::size_t work = computes_norms ? multiplications_of(*query_.given) : 0;
  std::unique_ptr<index::RowSource> rows;
  if (chosen) {
    auto some = std::make_unique<ChosenRows>(store_, query_.column, state_, *std::move(chosen), with_norms(),
                                             given_norms());
    some->expect_work(work);
    rows = std::move(some);
  } else {
    auto all = std::make_unique<AllRows>(store_, query_.column, state_, with_norms(), given_norms());
    all->expect_work(work);
    rows = std::move(all);
  }
  std::optional<index::NormedRows> normed;
  if (computes_norms) normed.emplace(*rows, *query_.given, query_.query.type);
  index::RowSource& source = normed ? static_cast<index::RowSource&>(*normed) : *rows;
  while (const auto batch = source.next()) {
    const std::span<const double> scores = scorer_->score(*batch);
    for (std::size_t r = 0; r < scores.size(); ++r) add(index::Hit{scores[r], batch->rowids[r]});
  }
}

void TableSearch::rank(std::optional<Buffer<RowHead>> chosen) {
  ranking_.emplace(index::HitOrdering(metric(), query_.order), query_.k);
  score_rows(std::move(chosen), [this](const index::Hit& hit) {
    const double distance = index::distance_of(metric(), hit.score);
    if (distance >= query_.range.least && distance <= query_.range.most) ranking_->add(hit);  // not NaN
  });
}

void TableSearch::search_codes() {
  fetcher_ = std::make_unique<SlotFetcher>(store_, query_.column, state_, *scorer_, with_norms(),
                                           given_norms(), query_.conditions);
  if (!given_) code_ = store_.coder(query_.column, state_).code(query_.query);
  index::SearchLimits limits = all_rows();
  if (query_.k) {
    limits.k = query_.k;
    limits.expected = *query_.k;
  } else {
    const auto groups = static_cast<std::size_t>(complete_groups(state_));
    is_slice_ = !given_ && query_.conditions.empty() && store_.blocks().holds(query_.column, groups);
    if (is_slice_) limits.k = kSlice;
  }
  show_rows(limits);
}

index::SearchLimits TableSearch::all_rows() const {
  index::SearchLimits limits;
  limits.rows = static_cast<std::size_t>(state_.rows);
  limits.range = query_.range;
  limits.order = query_.order;
  limits.rejects = !query_.conditions.empty();
  return limits;
}

void TableSearch::show_rows(const index::SearchLimits& limits) {
  if (given_) {
    mapped_.emplace(query_.query, *scorer_->form(), index::ImageNorms{given_->images, given_->lengths});
    bounded_.emplace(*mapped_, limits);
  } else {
    bounded_.emplace(*code_, limits);
  }
  const bool few = limits.k && *limits.k <= kFewWanted && complete_groups(state_) <= kMostDeferred;
  if (few) bounded_->defer(store_.read_cache(query_.column).deferred);
  const Buffer<GroupMarks> marks = read_marks(store_.statements(), query_.column, state_);
  add_uncoded(marks);
  const codec::RowMask all = codec::RowMask::first(codec::kBlockRows);
  const BlockCache::Use use(store_.blocks());
  for_each_kept_block(store_, query_.column, state_, marks,
                      [&](const codec::CodeBlockView& block, const codec::RowMask& dead) {
                        bounded_->add_block(block, dead, all);
                      });
  bounded_->finish_blocks();
}

// All that lies behind the first rows of a stream.
void TableSearch::begin_rest() {
  require_snapshot(store_, state_);
  is_slice_ = false;
  index::SearchLimits limits = all_rows();
  limits.expected = std::max(limits.expected, bounded_->handed_out());
  limits.after = bounded_->last();
  show_rows(limits);
}

void TableSearch::add_uncoded(const Buffer<GroupMarks>& marks) {
  Buffer<RowHead> rows = uncoded_rows(store_, query_.column, state_, marks);
  if (query_.conditions.empty()) {
    score_rows(std::move(rows), [this](const index::Hit& hit) { bounded_->add_hit(hit); });
    return;
  }
  std::size_t next = 0;
  const Buffer<RowHead> by_slot = rows;
  score_rows(std::move(rows), [&](const index::Hit& hit) {
    while (by_slot[next].id != hit.rowid) ++next;  // past a NULL vector
    bounded_->add_candidate(static_cast<std::uint32_t>(by_slot[next++].slot), hit.score);
  });
}

void TableSearch::score_the_rest() {
  require_snapshot(store_, state_);
  bounded_->begin_raw_scan();
  score_rows(std::nullopt, [this](const index::Hit& hit) { bounded_->add_hit(hit); });
}

std::optional<index::Hit> TableSearch::next() {
  if (ranking_) return ranking_->next();
  if (is_slice_ && (bounded_->handed_out() == kSlice || bounded_->prefers_raw_scan())) begin_rest();
  if (bounded_->prefers_raw_scan()) score_the_rest();
  return bounded_->next(*fetcher_);
}

void TableSearch::settle() {
  if (!bounded_) return;
  if (is_slice_) begin_rest();
  if (bounded_->has_unscored()) score_the_rest();
}

}  // namespace isovec::storage
