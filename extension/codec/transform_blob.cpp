// The body of a transform BLOB, after the header of blob_header.hpp. Little-endian; numbers are float64.
//   bytes      field
//   4          d, input dimensions
//   4          c, columns that are read
//   4          k, output dimensions
//   1          kind: 0 identity, 1 diagonal, 2 projection, 3 dense, 4 symmetric
//   1          normalize: 0 none, 1 before, 2 after, 3 both
//   1          which arrays follow: 1 mean, 2 eigenvalues, 4 standardizer
//   1          0
//   4          m, rows of E for a projection, else 0
//   8 x 4      rows, rank, kept, dropped
//   8          dead
//   8 x 7      weight, effective rows, rank threshold, shrinkage, ridge, condition, explained
//   text       spec                         (text: its length in 4 bytes, then UTF-8)
//   text       why it cannot be inverted, empty if it can
//   4 + texts  warnings: their number, then each
//   8 c        mean, if present
//   8 c        eigenvalues, if present
//   8 c        standardizer, if present
//   8 n        the linear part: diagonal c, projection m c, dense k c, row-major;
//              symmetric c (c + 1) / 2, the lower triangle row by row

#include "codec/transform_blob.hpp"

#include <isovec/transform.hpp>
#include <utility>

#include "codec/blob_header.hpp"
#include "core/transform_parts.hpp"

namespace isovec {
namespace {

using codec::ByteReader;
using codec::ByteWriter;

enum Present : std::uint8_t { kHasMean = 1, kHasEigenvalues = 2, kHasStandardizer = 4 };

template <class Writer>
void write_summary(Writer& writer, const FitSummary& summary) {
  for (const std::uint64_t count : {summary.rows, std::uint64_t{summary.rank}, std::uint64_t{summary.kept},
                                    std::uint64_t{summary.dropped}, std::uint64_t{summary.dead}}) {
    writer.integer(count);
  }
  for (const double number : {summary.weight, summary.effective_rows, summary.rank_threshold,
                              summary.shrinkage, summary.ridge, summary.condition, summary.explained}) {
    writer.number(number);
  }
}

FitSummary read_summary(ByteReader& reader) {
  FitSummary summary;
  summary.rows = reader.integer<std::uint64_t>();
  for (std::size_t* const count : {&summary.rank, &summary.kept, &summary.dropped, &summary.dead}) {
    *count = static_cast<std::size_t>(reader.integer<std::uint64_t>());
  }
  for (double* const number : {&summary.weight, &summary.effective_rows, &summary.rank_threshold,
                               &summary.shrinkage, &summary.ridge, &summary.condition, &summary.explained}) {
    *number = reader.number();
  }
  return summary;
}

template <class Writer>
void write_linear(Writer& writer, const TransformParts& parts) {
  if (parts.kind != Linear::symmetric) {
    writer.numbers(parts.linear);
    return;
  }
  for (std::size_t i = 0; i < parts.columns; ++i) {
    writer.numbers(std::span(parts.linear).subspan(i * parts.columns, i + 1));
  }
}

template <class Writer>
void write_body(Writer& writer, const TransformParts& parts) {
  for (const std::size_t dimension : {parts.input_dimensions, parts.columns, parts.output_dimensions}) {
    writer.integer(static_cast<std::uint32_t>(dimension));
  }
  writer.integer(static_cast<std::uint8_t>(parts.kind));
  writer.integer(static_cast<std::uint8_t>(parts.normalize));
  writer.integer(static_cast<std::uint8_t>((parts.mean.empty() ? 0 : kHasMean) |
                                           (parts.eigenvalues.empty() ? 0 : kHasEigenvalues) |
                                           (parts.standardizer.empty() ? 0 : kHasStandardizer)));
  writer.integer(std::uint8_t{0});
  const bool projects = parts.kind == Linear::projection;
  writer.integer(static_cast<std::uint32_t>(projects ? parts.linear.size() / parts.columns : 0));
  write_summary(writer, parts.summary);
  writer.text(parts.spec);
  writer.text(parts.not_invertible);
  writer.integer(static_cast<std::uint32_t>(parts.summary.warnings.size()));
  for (const std::string& warning : parts.summary.warnings) writer.text(warning);
  writer.numbers(parts.mean);
  writer.numbers(parts.eigenvalues);
  writer.numbers(parts.standardizer);
  write_linear(writer, parts);
}

// Requires c and k of at most 65535, so that their products are far from overflow.
void read_linear(ByteReader& reader, TransformParts& parts, std::size_t projected) {
  const std::size_t c = parts.columns;
  switch (parts.kind) {
    case Linear::identity:
      break;
    case Linear::diagonal:
      parts.linear = reader.numbers(c);
      break;
    case Linear::projection:
      parts.linear = reader.numbers(projected * c);
      break;
    case Linear::dense:
      parts.linear = reader.numbers(parts.output_dimensions * c);
      break;
    case Linear::symmetric: {
      const Buffer<double> triangle = reader.numbers(c * (c + 1) / 2);
      parts.linear.resize(c * c);
      for (std::size_t i = 0, index = 0; i < c; ++i) {
        for (std::size_t j = 0; j <= i; ++j, ++index) {
          parts.linear[i * c + j] = parts.linear[j * c + i] = triangle[index];
        }
      }
    }
  }
}

std::size_t read_dimension(ByteReader& reader) {
  const std::size_t dimension = reader.integer<std::uint32_t>();
  if (dimension == 0 || dimension > kMaxDimensions)
    reader.refuse("a dimension is " + std::to_string(dimension));
  return dimension;
}

template <class Enum>
Enum read_choice(ByteReader& reader, std::uint8_t last) {
  const auto value = reader.integer<std::uint8_t>();
  if (value > last) reader.refuse("an unknown kind, " + std::to_string(value));
  return static_cast<Enum>(value);
}

Buffer<std::string> read_warnings(ByteReader& reader) {
  const std::size_t count = reader.integer<std::uint32_t>();
  if (count > core::kMostWarnings) reader.refuse("it has " + std::to_string(count) + " warnings");
  Buffer<std::string> warnings;
  for (std::size_t i = 0; i < count; ++i) warnings.push_back(reader.text());
  return warnings;
}

}  // namespace

Buffer<std::byte> to_blob(const Transform& transform) {
  const TransformParts& parts = transform.parts();
  ByteWriter writer;
  writer.reserve(1024 + 8 * (3 * parts.columns + parts.linear.size()));
  codec::start_blob(writer, codec::kTransformMagic);
  write_body(writer, parts);
  return codec::finish_blob(writer);
}

Transform transform_from_blob(std::span<const std::byte> blob) {
  ByteReader reader(codec::verified_body(blob, codec::kTransformMagic, "a transform"), "the transform");
  TransformParts parts;
  parts.input_dimensions = read_dimension(reader);
  parts.columns = read_dimension(reader);
  parts.output_dimensions = read_dimension(reader);
  parts.kind = read_choice<Linear>(reader, static_cast<std::uint8_t>(Linear::symmetric));
  parts.normalize = read_choice<Normalize>(reader, static_cast<std::uint8_t>(Normalize::both));
  const auto present = reader.integer<std::uint8_t>();
  if (present > 7 || reader.integer<std::uint8_t>() != 0) reader.refuse("unknown flags");
  const std::size_t projected = reader.integer<std::uint32_t>();
  if (projected > parts.columns || (projected != 0) != (parts.kind == Linear::projection))
    reader.refuse("it projects " + std::to_string(projected) + " directions away");
  parts.summary = read_summary(reader);
  parts.spec = reader.text();
  parts.not_invertible = reader.text();
  parts.summary.warnings = read_warnings(reader);
  if (present & kHasMean) parts.mean = reader.numbers(parts.columns);
  if (present & kHasEigenvalues) parts.eigenvalues = reader.numbers(parts.columns);
  if (present & kHasStandardizer) parts.standardizer = reader.numbers(parts.columns);
  read_linear(reader, parts, projected);
  if (reader.left() != 0) reader.refuse(std::to_string(reader.left()) + " bytes too many");
  try {
    return Transform(std::move(parts));
  } catch (const Error& error) {
    throw Error(Code::corrupt, error.what());
  }
}

namespace codec {

std::uint64_t blob_bytes(const TransformParts& parts) noexcept {
  constexpr std::uint64_t kFixed = kHeaderBytes + 4 * 4 + 4 + 8 * (4 + 1 + 7);
  std::uint64_t texts = 4 + parts.spec.size() + 4 + parts.not_invertible.size() + 4;
  for (const std::string& warning : parts.summary.warnings) texts += 4 + warning.size();
  const std::uint64_t c = parts.columns;
  const std::uint64_t linear = parts.kind == Linear::symmetric ? c * (c + 1) / 2 : parts.linear.size();
  return kFixed + texts +
         8 * (parts.mean.size() + parts.eigenvalues.size() + parts.standardizer.size() + linear);
}

std::optional<std::uint64_t> peek_transform_hash(std::span<const std::byte> blob) noexcept {
  return peek_hash(blob, kTransformMagic);
}

bool has_body_of(std::span<const std::byte> blob, const Transform& transform) noexcept {
  if (!peek_transform_hash(blob)) return false;
  ByteComparer comparer(blob.subspan(kHeaderBytes));
  write_body(comparer, transform.parts());
  return comparer.same();
}

}  // namespace codec
}  // namespace isovec
