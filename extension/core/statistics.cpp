#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <isovec/statistics.hpp>
#include <utility>

#include "core/kernels.hpp"
#include "core/key_values.hpp"
#include "core/matrix_kernels.hpp"
#include "core/moment_sums.hpp"
#include "core/products.hpp"

namespace isovec {
namespace {

using core::kLargestNorm;
using core::kLargestWeight;
using core::kLeastWeight;

void check_weight(double weight) {
  if (weight == 0 || (weight >= kLeastWeight && weight <= kLargestWeight)) return;
  throw Error(Code::invalid_argument,
              "expected a weight of 0, or from 1e-100 to 1e100, got " + core::shortest(weight));
}

void check_size(std::size_t dimensions, const StatisticsOptions& options) {
  if (dimensions == 0) throw Error(Code::invalid_argument, "expected a vector, got one of no elements");
  if (dimensions > kMaxDimensions) {
    throw Error(Code::too_big, "expected at most " + std::to_string(kMaxDimensions) + " dimensions, got " +
                                   std::to_string(dimensions));
  }
  if (options.slice > dimensions) {
    throw Error(Code::invalid_argument, "slice=" + std::to_string(options.slice) + " of a vector of " +
                                            std::to_string(dimensions) + " dimensions");
  }
  const std::size_t columns = options.slice != 0 ? options.slice : dimensions;
  if (options.moments == Moments::second && columns > kMaxSecondMomentDimensions) {
    throw Error(Code::too_big, "sums of products in " + std::to_string(columns) + " dimensions would take " +
                                   std::to_string(core::triangle(columns) * sizeof(double)) +
                                   " bytes; the limit is " + std::to_string(kMaxSecondMomentDimensions) +
                                   " dimensions: give slice=, or fit center, project_mean or standardize, "
                                   "which need no products");
  }
}

void check_same_kind(const Sums& a, const Sums& b) {
  if (a.options != b.options) {
    throw Error(Code::invalid_argument, "the statistics were taken with different options: '" +
                                            to_text(a.options) + "' and '" + to_text(b.options) + "'");
  }
  if (a.dimensions != b.dimensions) {
    throw Error(Code::invalid_argument, "dimensions differ: " + std::to_string(a.dimensions) + " and " +
                                            std::to_string(b.dimensions));
  }
}

[[noreturn]] void refuse_part(const std::string& fact) {
  throw Error(Code::invalid_argument, "the second statistics are no part of the first: " + fact);
}

void check_counts(const Sums& a, const Sums& b) {
  if (a.rows + b.rows <= core::kMostRows && a.zero_rows + b.zero_rows <= core::kMostRows) return;
  throw Error(Code::too_big, "statistics hold at most 2^53 rows");
}

// What cannot be told from the sums is not checked: that each single row was there.
void check_part(const Sums& whole, const Sums& part) {
  if (part.rows > whole.rows || part.positive_rows > whole.positive_rows ||
      part.zero_rows > whole.zero_rows) {
    refuse_part("they have " + std::to_string(part.rows) + " rows, the first " + std::to_string(whole.rows));
  }
  if (part.weight > whole.weight * (1 + 1e-12)) {
    refuse_part("their weight is " + core::shortest(part.weight) + ", that of the first " +
                core::shortest(whole.weight));
  }
}

// Each coordinate's remaining squares about the mean must not be negative beyond rounding.
void check_remainder(const Sums& left, const Sums& whole) {
  if (left.rows == 0) return;
  for (std::size_t j = 0; j < left.columns(); ++j) {
    const double before = whole.second[core::diagonal_index(whole, j)];
    const double squares = left.second[core::diagonal_index(left, j)];
    const double about_mean = squares - (left.weight > 0 ? left.first[j] * left.first[j] / left.weight : 0);
    if (about_mean < -1e-9 * before) {
      refuse_part("coordinate " + std::to_string(j) + " would be left with a negative variance");
    }
  }
}

}  // namespace

Statistics::Statistics(StatisticsOptions options) {
  sums_.options = options;
}

Statistics::Statistics(Sums sums) : sums_(std::move(sums)), row_(sums_.columns()) {}

void Statistics::begin(std::size_t dimensions) {
  check_size(dimensions, sums_.options);
  sums_.dimensions = dimensions;
  const std::size_t columns = sums_.columns();
  row_.resize(columns);
  sums_.shift.assign(columns, 0.0);
  sums_.first.assign(columns, 0.0);
  sums_.second.assign(core::second_size(sums_.options.moments, columns), 0.0);
  if (sums_.options.moments == Moments::second) sums_.third.assign(columns, 0.0);
}

// Fills row_ with y. False for a zero vector that cannot be normalized.
bool Statistics::prepare_row(std::span<const float> row, double weight) {
  check_weight(weight);
  const std::size_t bad = core::kernels().first_nonfinite(row.data(), row.size());
  if (bad != row.size()) {
    throw Error(Code::invalid_argument, "element " + std::to_string(bad) + " is NaN or infinite");
  }
  if (sums_.dimensions == 0) begin(row.size());
  if (row.size() != sums_.dimensions) {
    throw Error(Code::invalid_argument, "dimensions differ: the first row has " +
                                            std::to_string(sums_.dimensions) + ", this one " +
                                            std::to_string(row.size()));
  }
  std::copy_n(row.begin(), row_.size(), row_.begin());
  const double norm = std::sqrt(core::matrix_kernels().dot(row_.data(), row_.data(), row_.size()));
  if (norm > kLargestNorm) {
    throw Error(Code::invalid_argument, "a vector of norm " + core::shortest(norm) +
                                            " is too long to sum its products: scale to at most 1e18");
  }
  if (sums_.options.normalize) {
    if (norm == 0) return false;
    for (double& x : row_) x /= norm;
  }
  return true;
}

// Sums row_, of which the shift has still to be taken, with a weight that is negative for a row to remove.
void Statistics::take(double signed_weight) {
  for (std::size_t j = 0; j < row_.size(); ++j) row_[j] -= sums_.shift[j];
  const std::size_t columns = row_.size();
  const core::MatrixKernels& kernels = core::matrix_kernels();
  kernels.add_scaled(signed_weight, row_.data(), sums_.first.data(), columns);
  sums_.weight += signed_weight;
  sums_.squared_weight += signed_weight * std::abs(signed_weight);
  sums_.weight_ever += std::abs(signed_weight);
  if (sums_.options.moments == Moments::first) {
    for (std::size_t j = 0; j < columns; ++j) sums_.second[j] += signed_weight * row_[j] * row_[j];
    return;
  }
  const double squares = kernels.dot(row_.data(), row_.data(), columns);
  sums_.fourth += signed_weight * squares * squares;
  kernels.add_scaled(signed_weight * squares, row_.data(), sums_.third.data(), columns);
  block_.insert(block_.end(), row_.begin(), row_.end());
  weights_.push_back(signed_weight);
}

// Where it is stopped, the next call goes on with the same block.
void Statistics::settle(const Checkpoint& checkpoint) const {
  if (weights_.empty()) return;
  const core::MatrixKernels& kernels = core::matrix_kernels();
  const std::size_t columns = sums_.columns(), rows = weights_.size();
  workspace_.resize(kernels.workspace(columns));
  const auto add =
      sums_.options.precision == Precision::float32 ? kernels.add_products_f32 : kernels.add_products;
  core::Work work(checkpoint);
  core::add_products(add, block_.data(), block_.data(), weights_.data(), rows, columns, summed_,
                     sums_.second.data(), workspace_.data(), work);
  summed_ = 0;
  block_.clear();
  weights_.clear();
}

void Statistics::add(std::span<const float> row, double weight, double rounding,
                     const Checkpoint& checkpoint) {
  if (weights_.size() == core::kBlockRows) settle(checkpoint);
  const bool is_first = sums_.rows == 0;
  if (!prepare_row(row, weight)) {
    ++sums_.zero_rows;
    return;
  }
  if (is_first) {
    core::clear_sums(sums_);
    sums_.shift = row_;
  }
  ++sums_.rows;
  sums_.rounding = std::max(sums_.rounding, rounding);
  if (weight == 0) return;
  ++sums_.positive_rows;
  take(weight);
}

void Statistics::remove(std::span<const float> row, double weight, double rounding,
                        const Checkpoint& checkpoint) {
  if (weights_.size() == core::kBlockRows) settle(checkpoint);
  const bool usable = prepare_row(row, weight);
  std::uint64_t& count = usable ? sums_.rows : sums_.zero_rows;
  if (count == 0) refuse_part("there are no rows left to remove");
  --count;
  sums_.rounding = std::max(sums_.rounding, rounding);
  if (!usable || weight == 0) return;
  if (sums_.positive_rows == 0) refuse_part("there are no rows of positive weight left to remove");
  --sums_.positive_rows;
  take(-weight);
  if (sums_.positive_rows == 0) {
    block_.clear();
    weights_.clear();
    summed_ = 0;
    core::clear_sums(sums_);
  }
}

void Statistics::merge(const Statistics& other, const Checkpoint& checkpoint) {
  other.settle(checkpoint);
  const Sums& theirs = other.sums();
  if (theirs.dimensions == 0 || sums_.dimensions == 0) {
    if (theirs.options != sums_.options) check_same_kind(sums_, theirs);
    if (theirs.dimensions != 0) {
      Sums copy = theirs;
      *this = Statistics(std::move(copy));
    }
    return;
  }
  check_same_kind(sums_, theirs);
  check_counts(sums_, theirs);
  settle(checkpoint);
  if (sums_.rows == 0) {
    core::clear_sums(sums_);
    sums_.shift = theirs.shift;
  }
  core::add_sums(sums_, core::moved_to(theirs, sums_.shift, checkpoint), 1);
  sums_.weight_ever += theirs.weight_ever;
  sums_.rows += theirs.rows;
  sums_.positive_rows += theirs.positive_rows;
  sums_.zero_rows += theirs.zero_rows;
  sums_.rounding = std::max(sums_.rounding, theirs.rounding);
}

void Statistics::subtract(const Statistics& part, const Checkpoint& checkpoint) {
  part.settle(checkpoint);
  const Sums& theirs = part.sums();
  if (theirs.dimensions == 0 && theirs.options == sums_.options) return;
  check_same_kind(sums_, theirs);
  check_part(sums_, theirs);
  settle(checkpoint);
  Sums left = sums_;
  core::add_sums(left, core::moved_to(theirs, sums_.shift, checkpoint), -1);
  left.weight_ever += theirs.weight_ever;
  left.rows -= theirs.rows;
  left.positive_rows -= theirs.positive_rows;
  left.zero_rows -= theirs.zero_rows;
  if (left.positive_rows == 0) core::clear_sums(left);
  check_remainder(left, sums_);
  sums_ = std::move(left);
}

const Sums& Statistics::sums() const {
  settle({});
  return sums_;
}

Buffer<double> Statistics::mean() const {
  Buffer<double> mean(sums_.shift);
  for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += sums_.first[j] / sums_.weight;
  return mean;
}

double Statistics::effective_rows() const noexcept {
  if (sums_.options.weights == Weights::frequency) return sums_.weight;
  return sums_.squared_weight > 0 ? sums_.weight * sums_.weight / sums_.squared_weight : 0;
}

double Statistics::degrees_of_freedom() const noexcept {
  if (sums_.options.weights == Weights::frequency) return sums_.weight - 1;
  return sums_.weight > 0 ? sums_.weight - sums_.squared_weight / sums_.weight : 0;
}

}  // namespace isovec
