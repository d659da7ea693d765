#include "core/pairwise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "core/pair_kernels.hpp"
#include "core/work.hpp"

namespace isovec::core {

namespace {

// Cosines of some rows with some columns: at(i, j) is that of row first_row + i and column first_column + j.
struct Block {
  std::size_t first_row;
  std::size_t rows;
  std::size_t first_column;
  std::size_t columns;
  const float* cosines;

  [[nodiscard]] double at(std::size_t i, std::size_t j) const noexcept {
    return std::clamp(static_cast<double>(cosines[i * columns + j]), -1.0, 1.0);
  }
};

// Visits the cosines of all rows of a with all rows of b, a chunk of b (which stays in cache) against slices
// of the chunks of a.
template <typename Wanted, typename Visit>
void for_each_block(const UnitRows& a, const UnitRows& b, const Checkpoint& checkpoint, Wanted wanted,
                    Visit visit) {
  // A slice visits 268 million numbers at the most.
  constexpr std::size_t kNumbers = std::size_t{1} << 20;
  const std::size_t slice = std::clamp<std::size_t>(kNumbers / std::max<std::size_t>(a.stride(), 1), 16, 64);
  Buffer<float> cosines(slice * UnitRows::kChunkRows);
  Work work(checkpoint);
  for (std::size_t column = 0; column < b.chunks(); ++column) {
    for (std::size_t row = 0; row < a.chunks(); ++row) {
      if (!wanted(row, column)) continue;
      const std::size_t end = a.chunk_rows(row);
      for (std::size_t begin = 0; begin < end; begin += slice) {
        const std::size_t rows = std::min(slice, end - begin);
        pair_kernels().products(a.chunk(row) + begin * a.stride(), rows, b.chunk(column),
                                b.chunk_rows(column), a.stride(), cosines.data());
        visit(Block{row * UnitRows::kChunkRows + begin, rows, column * UnitRows::kChunkRows,
                    b.chunk_rows(column), cosines.data()});
        work.done(rows * b.chunk_rows(column) * (8 + a.stride() / 8));  // exponentials, then products
      }
    }
  }
}

// Visits the cosines of pairs i < j, for each i those of one block together: visit(block, i, first j).
template <typename Visit>
void for_each_pair_row(const UnitRows& rows, const Checkpoint& checkpoint, Visit visit) {
  const auto on_or_above_diagonal = [](std::size_t row, std::size_t column) { return row <= column; };
  for_each_block(rows, rows, checkpoint, on_or_above_diagonal, [&](const Block& block) {
    for (std::size_t i = 0; i < block.rows; ++i) {
      const std::size_t row = block.first_row + i;
      const std::size_t first = row < block.first_column ? 0 : row + 1 - block.first_column;
      visit(block, i, first);
    }
  });
}

// log of a sum of exponentials that come a few at a time, with the greatest taken out so that none overflows.
class LogSum {
 public:
  void add(std::span<const double> exponents) noexcept {
    if (exponents.empty()) return;
    const double greatest = std::max(greatest_, *std::max_element(exponents.begin(), exponents.end()));
    if (greatest == kNothing) return;
    double sum = sum_ * std::exp(greatest_ - greatest);
    for (const double exponent : exponents) sum += std::exp(exponent - greatest);
    sum_ = sum;
    greatest_ = greatest;
  }
  [[nodiscard]] double value() const noexcept { return greatest_ + std::log(sum_); }
  static constexpr double kNothing = -std::numeric_limits<double>::infinity();

 private:
  double greatest_ = kNothing;
  double sum_ = 0;
};

// The sums that InfoNCE needs, gathered block by block.
class Contrast {
 public:
  Contrast(const UnitRows& queries, const UnitRows& positives, const InfoNceOptions& options)
      : queries_(queries),
        positives_(positives),
        options_(options),
        of_queries_(queries.size()),
        of_positives_(options.symmetric ? positives.size() : 0) {}

  void add(const Block& block) {
    for (std::size_t i = 0; i < block.rows; ++i) {
      const std::size_t row = block.first_row + i;
      exponents_.clear();
      for (std::size_t j = 0; j < block.columns; ++j) exponents_.push_back(exponent(block, i, j));
      of_queries_[row].add(exponents_);
      if (row >= block.first_column && row < block.first_column + block.columns) {
        matches_ += exponents_[row - block.first_column];
      }
    }
    for (std::size_t j = 0; options_.symmetric && j < block.columns; ++j) {
      exponents_.clear();
      for (std::size_t i = 0; i < block.rows; ++i) exponents_.push_back(exponent(block, i, j));
      of_positives_[block.first_column + j].add(exponents_);
    }
  }
  [[nodiscard]] double loss() const noexcept {
    double total = 0;
    for (const LogSum& sum : of_queries_) total += sum.value();
    for (const LogSum& sum : of_positives_) total += sum.value();
    const double directions = options_.symmetric ? 2 : 1;
    return (total - directions * matches_) / (directions * static_cast<double>(queries_.size()));
  }

 private:
  [[nodiscard]] double exponent(const Block& block, std::size_t i, std::size_t j) const noexcept {
    if (options_.mask_duplicates && share_a_side(block.first_row + i, block.first_column + j)) {
      return LogSum::kNothing;
    }
    return block.at(i, j) / options_.temperature;
  }
  [[nodiscard]] bool share_a_side(std::size_t i, std::size_t j) const noexcept {
    return i != j && (queries_.hash(i) == queries_.hash(j) || positives_.hash(i) == positives_.hash(j));
  }

  const UnitRows& queries_;
  const UnitRows& positives_;
  const InfoNceOptions& options_;
  Buffer<LogSum> of_queries_;
  Buffer<LogSum> of_positives_;
  Buffer<double> exponents_;
  double matches_ = 0;
};

}  // namespace

double uniformity(const UnitRows& rows, double t, const Checkpoint& checkpoint) {
  const auto n = static_cast<double>(rows.size());
  const double log_pairs = std::log(n * (n - 1) / 2);
  constexpr double kLargestPlain = 150;  // exp(-4 t) is then far from vanishing
  if (t > kLargestPlain) {
    LogSum sum;
    Buffer<double> exponents;
    for_each_pair_row(rows, checkpoint, [&](const Block& block, std::size_t i, std::size_t first) {
      exponents.clear();
      for (std::size_t j = first; j < block.columns; ++j) exponents.push_back(t * (2 * (block.at(i, j) - 1)));
      sum.add(exponents);
    });
    return sum.value() - log_pairs;
  }
  double total = 0;
  for_each_pair_row(rows, checkpoint, [&](const Block& block, std::size_t i, std::size_t first) {
    double sum = 0;
    for (std::size_t j = first; j < block.columns; ++j) sum += std::exp(2 * t * (block.at(i, j) - 1));
    total += sum;
  });
  return std::log(total / (n * (n - 1) / 2));
}

double info_nce(const UnitRows& queries, const UnitRows& positives, const InfoNceOptions& options,
                const Checkpoint& checkpoint) {
  Contrast contrast(queries, positives, options);
  const auto always = [](std::size_t, std::size_t) { return true; };
  for_each_block(queries, positives, checkpoint, always, [&](const Block& block) { contrast.add(block); });
  return contrast.loss();
}

Buffer<std::uint64_t> cosine_histogram(const UnitRows& rows, std::size_t bins, const Checkpoint& checkpoint) {
  Buffer<std::uint64_t> counts(bins);
  const double half = static_cast<double>(bins) / 2;
  for_each_pair_row(rows, checkpoint, [&](const Block& block, std::size_t i, std::size_t first) {
    for (std::size_t j = first; j < block.columns; ++j) {
      ++counts[std::min(static_cast<std::size_t>((block.at(i, j) + 1) * half), bins - 1)];
    }
  });
  return counts;
}

}  // namespace isovec::core
