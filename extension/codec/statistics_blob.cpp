// The body of a statistics BLOB, after the header of blob_header.hpp. Little-endian; numbers are float64. The
// sums are those of Sums, c their columns.
//   bytes     field
//   4         d, dimensions of the rows; 0 where there were none, and then no arrays follow
//   4         slice, 0 for none
//   1         weights: 0 importance, 1 frequency
//   1         normalize: 0 none, 1 before
//   1         precision: 0 double, 1 float
//   1         moments: 0 first, 1 second
//   4         0
//   8 x 3     rows, rows of positive weight, zero rows
//   8 x 5     weight, squared weight, weight ever, rounding, fourth
//   8 c       shift
//   8 c       first
//   8 c       third, with moments=second
//   8 n       second: c (c + 1) / 2 with moments=second, else c

#include "codec/statistics_blob.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/statistics.hpp>
#include <utility>

#include "codec/blob_header.hpp"
#include "core/moment_sums.hpp"

namespace isovec {
namespace {

using codec::ByteReader;
using codec::ByteWriter;

constexpr const char* kNoun = "statistics";

template <class Writer>
void write_body(Writer& writer, const Sums& sums) {
  writer.integer(static_cast<std::uint32_t>(sums.dimensions));
  writer.integer(static_cast<std::uint32_t>(sums.options.slice));
  writer.integer(static_cast<std::uint8_t>(sums.options.weights));
  writer.integer(static_cast<std::uint8_t>(sums.options.normalize ? 1 : 0));
  writer.integer(static_cast<std::uint8_t>(sums.options.precision));
  writer.integer(static_cast<std::uint8_t>(sums.options.moments));
  writer.integer(std::uint32_t{0});
  for (const std::uint64_t count : {sums.rows, sums.positive_rows, sums.zero_rows}) writer.integer(count);
  for (const double number :
       {sums.weight, sums.squared_weight, sums.weight_ever, sums.rounding, sums.fourth}) {
    writer.number(number);
  }
  writer.numbers(sums.shift);
  writer.numbers(sums.first);
  writer.numbers(sums.third);
  writer.numbers(sums.second);
}

StatisticsOptions read_options(ByteReader& reader) {
  StatisticsOptions options;
  options.slice = reader.integer<std::uint32_t>();
  std::uint8_t choices[4];
  for (std::uint8_t& choice : choices) {
    choice = reader.integer<std::uint8_t>();
    if (choice > 1) reader.refuse("an unknown option, " + std::to_string(choice));
  }
  options.weights = static_cast<Weights>(choices[0]);
  options.normalize = choices[1] == 1;
  options.precision = static_cast<Precision>(choices[2]);
  options.moments = static_cast<Moments>(choices[3]);
  if (reader.integer<std::uint32_t>() != 0) reader.refuse("unknown flags");
  return options;
}

// Shares by which rounding may miss a bound.
constexpr double kSlack = 1e-6;
// No sum of weights comes near; and up to here nothing that is made of sums overflows.
constexpr double kLargestTotal = 1e120;

// Whether every number lies within -bound ... bound, with some rounding; NaN does not.
bool within(std::span<const double> numbers, double bound) {
  return std::all_of(numbers.begin(), numbers.end(),
                     [&](double number) { return std::abs(number) <= bound * (1 + kSlack); });
}
bool within(double number, double bound) {
  return within(std::span(&number, 1), bound);
}

// Every rule that sums of rows keep, beside the sizes of their arrays. Sums that rows were taken out of keep
// the rounding of what they were: a weight may fall a little below 0, and so may a sum of squares. But none
// is larger than all weights that ever came and went allow, with |y| of at most twice the longest row.
void check_sums(const ByteReader& reader, const Sums& sums) {
  const auto require = [&](bool holds, const char* fact) {
    if (!holds) reader.refuse(fact);
  };
  require(sums.positive_rows <= sums.rows, "more weighted rows than rows");
  require(sums.rows <= core::kMostRows && sums.zero_rows <= core::kMostRows, "more rows than can be counted");
  require(sums.dimensions != 0 || (sums.rows == 0 && sums.zero_rows == 0 && sums.rounding == 0),
          "rows without dimensions");
  require(sums.zero_rows == 0 || sums.options.normalize, "zero rows passed over without normalize=before");
  require(sums.rounding >= 0 && sums.rounding <= 1, "the rounding of its rows");
  const double ever = sums.weight_ever, longest = sums.options.normalize ? 1 : core::kLargestNorm;
  require(sums.positive_rows == 0 ? ever == 0 : ever >= core::kLeastWeight && ever <= kLargestTotal,
          "weights that are none");
  require(within(sums.weight, ever) && within(sums.squared_weight, ever * ever),
          "weights larger than their sum");
  require(sums.options.moments == Moments::second || sums.fourth == 0, "moments that were not taken");
  const double y = 2 * longest;
  require(within(sums.shift, longest) && within(sums.first, ever * y) && within(sums.second, ever * y * y) &&
              within(sums.third, ever * y * y * y) && within(sums.fourth, ever * y * y * y * y),
          "a sum is NaN, infinite or larger than its rows can make it");
}

void read_arrays(ByteReader& reader, Sums& sums) {
  const std::size_t columns = sums.columns();
  const bool second = sums.options.moments == Moments::second;
  const std::size_t most = sums.dimensions == 0 ? kMaxDimensions : sums.dimensions;
  if (sums.dimensions > kMaxDimensions || sums.options.slice > most ||
      (second && columns > kMaxSecondMomentDimensions)) {
    reader.refuse("it claims " + std::to_string(sums.dimensions) + " dimensions, slice " +
                  std::to_string(sums.options.slice));
  }
  sums.shift = reader.numbers(columns);
  sums.first = reader.numbers(columns);
  if (second) sums.third = reader.numbers(columns);
  sums.second = reader.numbers(core::second_size(sums.options.moments, columns));
}

}  // namespace

Buffer<std::byte> to_blob(const Statistics& statistics) {
  const Sums& sums = statistics.sums();
  ByteWriter writer;
  writer.reserve(128 + 8 * (3 * sums.columns() + sums.second.size()));
  codec::start_blob(writer, codec::kStatisticsMagic);
  write_body(writer, sums);
  return codec::finish_blob(writer);
}

Statistics statistics_from_blob(std::span<const std::byte> blob) {
  ByteReader reader(codec::verified_body(blob, codec::kStatisticsMagic, kNoun), "the statistics BLOB");
  Sums sums;
  sums.dimensions = reader.integer<std::uint32_t>();
  sums.options = read_options(reader);
  for (std::uint64_t* const count : {&sums.rows, &sums.positive_rows, &sums.zero_rows}) {
    *count = reader.integer<std::uint64_t>();
  }
  for (double* const number :
       {&sums.weight, &sums.squared_weight, &sums.weight_ever, &sums.rounding, &sums.fourth}) {
    *number = reader.number();
  }
  read_arrays(reader, sums);
  if (reader.left() != 0) reader.refuse(std::to_string(reader.left()) + " bytes too many");
  check_sums(reader, sums);
  return Statistics(std::move(sums));
}

namespace codec {

std::uint64_t blob_bytes(const StatisticsOptions& options, std::size_t dimensions) noexcept {
  constexpr std::uint64_t kFixed = kHeaderBytes + 4 * 4 + 8 * (3 + 5);
  if (dimensions == 0) return kFixed;
  const std::uint64_t c = options.slice != 0 ? options.slice : dimensions;
  const std::uint64_t numbers = options.moments == Moments::second ? 3 * c + c * (c + 1) / 2 : 3 * c;
  return kFixed + 8 * numbers;
}

std::optional<std::uint64_t> peek_statistics_hash(std::span<const std::byte> blob) noexcept {
  return peek_hash(blob, kStatisticsMagic);
}

bool has_body_of(std::span<const std::byte> blob, const Statistics& statistics) {
  if (!peek_statistics_hash(blob)) return false;
  ByteComparer comparer(blob.subspan(kHeaderBytes));
  write_body(comparer, statistics.sums());
  return comparer.same();
}

}  // namespace codec
}  // namespace isovec
