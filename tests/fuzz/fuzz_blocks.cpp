// Harness of code blocks: the first byte chooses the query, the rest is the block.

#include <cmath>
#include <isovec/buffer.hpp>

#include "codec/code_block.hpp"
#include "codec/code_encoder.hpp"
#include "coded_rows.hpp"
#include "core/code_kernels.hpp"
#include "fuzz/harness.hpp"
#include "index/block_bounds.hpp"

namespace isovec::fuzz {
namespace {

constexpr index::Metric kMetrics[] = {index::Metric::cosine, index::Metric::l2, index::Metric::dot};

void check_rows(const codec::CodeBlockView& block) {
  long sum = 0;
  for (std::size_t i = 0; i < block.rows() * block.dimension() + core::kCodePadding; ++i)
    sum += block.codes()[i];
  double center = 0;
  for (std::size_t i = 0; i < block.dimension(); ++i) {
    float element = 0;
    std::memcpy(&element, block.center() + i, sizeof element);
    center += element;
  }
  for (std::size_t r = 0; r < block.rows(); ++r) {
    require(std::isfinite(block.scales()[r]), "a scale is a number");
    require(!std::isnan(block.errors()[r]) && block.errors()[r] >= 0, "an error bound is a bound");
  }
  static_cast<void>(sum);  // every byte was read
  static_cast<void>(center);
}

// What is kept of a block leaves out no row that the block has within a limit.
void check_kept(const Bytes& bytes, const index::QueryCode& code, const index::DistanceBounds& bounds) {
  const test::KeptBlock kept(bytes);
  const codec::CodeBlockView block = kept.view();
  static index::DistanceBounds found;
  const double limit = bounds.least[block.rows() / 2];
  const codec::RowMask rows = bound_distances_within(block, code, limit, found);
  for (std::size_t r = 0; r < block.rows(); ++r) {
    require(rows.test(r) == (bounds.least[r] <= limit), "a kept block gives the rows within a limit");
  }
}

}  // namespace

void fuzz_code_block(View input) {
  if (input.empty()) return;
  const Bytes bytes(input.begin() + 1, input.end());
  answered([&] {
    const codec::CodeBlockView block = codec::CodeBlockView::parse(bytes);
    require(block.shape().bytes() == bytes.size(), "a block is as long as its shape says");
    check_rows(block);
    answered([&] { block.verify(7); });
    const std::size_t choice = static_cast<std::size_t>(input[0]);
    isovec::Buffer<float> query(block.dimension(), 0.25F);
    query[0] = static_cast<float>(choice) - 100.5F;
    answered([&] {
      const index::QueryCode code = index::QueryCode::raw(kMetrics[choice % std::size(kMetrics)], query);
      static index::DistanceBounds bounds;
      index::bound_distances(block, code, bounds);
      for (std::size_t r = 0; r < block.rows(); ++r) {
        if (!block.defined().test(r)) continue;
        require(!std::isnan(bounds.least[r]) && !std::isnan(bounds.most[r]), "bounds are no NaN");
      }
      check_kept(bytes, code, bounds);
    });
  });
}

isovec::Buffer<Bytes> code_block_seeds() {
  isovec::Buffer<Bytes> seeds;
  isovec::Buffer<float> rows(3 * 5);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>((i * i * 3) % 17) - 6.0F;
  const std::int64_t slots[] = {0, 7, 1'000'000};
  for (std::size_t metric = 0; metric < 3; ++metric) {
    const auto coded = static_cast<codec::CodeMetric>(metric + 1);
    Bytes seed = {static_cast<std::byte>(metric)};
    const Bytes block = codec::encode_block({coded, 5, slots, 7}, rows);
    seed.insert(seed.end(), block.begin(), block.end());
    seeds.push_back(std::move(seed));
  }
  return seeds;
}

}  // namespace isovec::fuzz
