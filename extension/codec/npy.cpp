#include "codec/npy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <isovec/error.hpp>
#include <limits>
#include <string>

#include "codec/byte_reader.hpp"
#include "core/half.hpp"
#include "core/key_values.hpp"
#include "core/work.hpp"

namespace isovec::codec {
namespace {

constexpr std::array<unsigned char, 6> kMagic = {0x93, 'N', 'U', 'M', 'P', 'Y'};
constexpr std::size_t kLargestHeader = 1 << 16;
constexpr std::size_t kAlignment = 64;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::invalid_argument, message);
}

// The header is a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class Header {
 public:
  explicit Header(std::string_view text) : text_(text) {
    if (text_.find('{') == std::string_view::npos) refuse("the .npy header is no dictionary");
  }

  [[nodiscard]] NpyType type() const {
    const std::string_view value = after("descr");
    if (value.empty() || (value.front() != '\'' && value.front() != '"')) {
      refuse("the .npy file holds a structured array; expected dtype '<f2', '<f4' or '<f8'");
    }
    const std::string_view descr = value.substr(1, value.find(value.front(), 1) - 1);
    if (descr == "<f2") return NpyType::float16;
    if (descr == "<f4") return NpyType::float32;
    if (descr == "<f8") return NpyType::float64;
    refuse("the .npy file has dtype '" + std::string(descr.substr(0, 20)) +
           "'; expected '<f2', '<f4' or '<f8': in NumPy, save array.astype('<f4')");
  }

  [[nodiscard]] bool fortran_order() const {
    const std::string_view value = after("fortran_order");
    if (value.starts_with("True")) return true;
    if (value.starts_with("False")) return false;
    refuse("the .npy header says neither True nor False of 'fortran_order'");
  }

  [[nodiscard]] Buffer<std::size_t> shape() const {
    std::string_view value = after("shape");
    if (!value.starts_with('(')) refuse("the .npy header has no shape");
    Buffer<std::size_t> axes;
    for (std::size_t i = 1; i < value.size() && value[i] != ')';) {
      if (value[i] == ' ' || value[i] == ',') {
        ++i;
        continue;
      }
      std::size_t length = 0;
      const auto [end, error] = std::from_chars(value.data() + i, value.data() + value.size(), length);
      if (error != std::errc{}) refuse("the shape in the .npy header cannot be read");
      axes.push_back(length);
      i = static_cast<std::size_t>(end - value.data());
    }
    return axes;
  }

 private:
  // What follows "'key': ".
  [[nodiscard]] std::string_view after(std::string_view key) const {
    const std::size_t at = text_.find(key);
    const std::size_t colon = at == std::string_view::npos ? at : text_.find(':', at + key.size());
    if (colon == std::string_view::npos) refuse("the .npy header has no '" + std::string(key) + "'");
    const std::size_t begin = text_.find_first_not_of(' ', colon + 1);
    return begin == std::string_view::npos ? std::string_view() : text_.substr(begin);
  }

  std::string_view text_;
};

template <class U>
U load(const std::byte* p) {
  U value;
  std::memcpy(&value, p, sizeof(U));
  return little_endian(value);
}

double element(const NpyArray& array, std::size_t row, std::size_t column) {
  const std::size_t index = array.by_columns ? column * array.rows + row : row * array.columns + column;
  const std::byte* const p = array.data.data() + index * array.element_bytes();
  switch (array.type) {
    case NpyType::float16:
      return static_cast<double>(core::float16_to_float(load<std::uint16_t>(p)));
    case NpyType::float32:
      return static_cast<double>(std::bit_cast<float>(load<std::uint32_t>(p)));
    default:
      return std::bit_cast<double>(load<std::uint64_t>(p));
  }
}

// The header text, padded with spaces and a newline so that the data start at a multiple of 64 bytes.
constexpr std::size_t kPrefix = kMagic.size() + 2 + 2;
std::string header_text(std::string_view descr, const std::string& shape) {
  std::string text =
      "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': " + shape + ", }";
  while ((kPrefix + text.size() + 1) % kAlignment != 0) text += ' ';
  text += '\n';
  return text;
}

// The header at the start of the BLOB; what follows it.
std::span<std::byte> write_header(std::span<std::byte> blob, std::string_view descr,
                                  const std::string& shape) {
  const std::string text = header_text(descr, shape);
  const unsigned char version_and_size[] = {1, 0, static_cast<unsigned char>(text.size() & 0xFF),
                                            static_cast<unsigned char>(text.size() >> 8)};
  std::memcpy(blob.data(), kMagic.data(), kMagic.size());
  std::memcpy(blob.data() + kMagic.size(), version_and_size, sizeof(version_and_size));
  std::memcpy(blob.data() + kPrefix, text.data(), text.size());
  return blob.subspan(kPrefix + text.size());
}

template <class Number>
Buffer<std::byte> written(std::span<const Number> values, const std::string& shape) {
  constexpr std::string_view kDescr = sizeof(Number) == 8 ? "<f8" : "<f4";
  Buffer<std::byte> blob(kPrefix + header_text(kDescr, shape).size() + values.size_bytes());
  const std::span<std::byte> data = write_header(blob, kDescr, shape);
  if (!values.empty()) std::memcpy(data.data(), values.data(), values.size_bytes());
  to_little_endian(data, sizeof(Number));
  return blob;
}

std::string shape_text(std::size_t rows, std::size_t columns) {
  return "(" + std::to_string(rows) + ", " + std::to_string(columns) + ")";
}

}  // namespace

std::uint64_t npy_bytes(std::uint64_t rows, std::uint64_t columns, std::uint64_t element_bytes) {
  return kPrefix + header_text("<f8", shape_text(rows, columns)).size() + rows * columns * element_bytes;
}

std::size_t NpyArray::element_bytes() const noexcept {
  return type == NpyType::float16 ? 2 : type == NpyType::float32 ? 4 : 8;
}

bool is_npy(std::span<const std::byte> blob) noexcept {
  return blob.size() >= kMagic.size() && std::memcmp(blob.data(), kMagic.data(), kMagic.size()) == 0;
}

NpyArray parse_npy(std::span<const std::byte> blob) {
  if (!is_npy(blob))
    refuse("expected a .npy file, which starts with \\x93NUMPY; got " + std::to_string(blob.size()) +
           " other bytes");
  ByteReader reader(blob.subspan(kMagic.size()), "the .npy file");
  const auto major = reader.integer<std::uint8_t>();
  static_cast<void>(reader.integer<std::uint8_t>());  // the minor version changes nothing
  if (major < 1 || major > 3)
    refuse("the .npy file has version " + std::to_string(major) + "; expected 1 to 3");
  const std::size_t header_bytes =
      major == 1 ? reader.integer<std::uint16_t>() : reader.integer<std::uint32_t>();
  if (header_bytes > kLargestHeader || header_bytes > reader.left())
    reader.refuse("it ends within its header");
  const std::span<const std::byte> rest = blob.last(reader.left());
  const Header header({reinterpret_cast<const char*>(rest.data()), header_bytes});

  NpyArray array;
  array.type = header.type();
  array.by_columns = header.fortran_order();
  const Buffer<std::size_t> axes = header.shape();
  if (axes.empty() || axes.size() > 2) {
    refuse("the .npy file has " + std::to_string(axes.size()) +
           " axes; expected one vector or rows of vectors");
  }
  array.rank = axes.size();
  array.rows = axes.size() == 2 ? axes[0] : 1;
  array.columns = axes.back();
  array.data = rest.subspan(header_bytes);
  const std::size_t elements = array.data.size() / array.element_bytes();
  const bool whole = array.data.size() % array.element_bytes() == 0;
  const bool fits = array.columns == 0
                        ? elements == 0
                        : array.rows == elements / array.columns && elements % array.columns == 0;
  if (!whole || !fits) {
    refuse("the .npy header says " + shape_text(array.rows, array.columns) + " elements of " +
           std::to_string(array.element_bytes()) + " bytes, but " + std::to_string(array.data.size()) +
           " bytes follow");
  }
  return array;
}

void read_npy_row(const NpyArray& array, std::size_t r, std::span<float> out) {
  for (std::size_t j = 0; j < array.columns; ++j) {
    const double number = element(array, r, j);
    out[j] = static_cast<float>(number);
    if (std::isfinite(out[j])) continue;
    refuse("element " + std::to_string(j) + " of row " + std::to_string(r) +
           (std::isfinite(number) ? " is " + core::shortest(number) + ", beyond float32"
                                  : " is NaN or infinite"));
  }
}

Buffer<double> read_npy(const NpyArray& array, const Checkpoint& checkpoint) {
  core::Work work(checkpoint);
  Buffer<double> values;
  if (array.columns == 0) return values;  // and then any number of rows
  values.reserve(array.rows * array.columns);
  for (std::size_t r = 0; r < array.rows; ++r) {
    for (std::size_t j = 0; j < array.columns; ++j) values.push_back(element(array, r, j));
    work.done(8 * array.columns);
  }
  return values;
}

std::span<std::byte> start_npy(std::span<std::byte> blob, std::size_t element_bytes, std::size_t rows,
                               std::size_t columns) {
  return write_header(blob, element_bytes == 8 ? "<f8" : "<f4", shape_text(rows, columns));
}

void to_little_endian(std::span<std::byte> numbers, std::size_t element_bytes) noexcept {
  if constexpr (std::endian::native == std::endian::little) return;
  for (std::size_t at = 0; at + element_bytes <= numbers.size(); at += element_bytes) {
    const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(at);
    std::reverse(begin, begin + static_cast<std::ptrdiff_t>(element_bytes));
  }
}

Buffer<std::byte> write_npy(std::span<const double> values, std::size_t rows, std::size_t columns) {
  return written(values, shape_text(rows, columns));
}

Buffer<std::byte> write_npy(std::span<const float> values, std::size_t rows, std::size_t columns) {
  return written(values, shape_text(rows, columns));
}

Buffer<std::byte> write_npy_vector(std::span<const double> values) {
  return written(values, "(" + std::to_string(values.size()) + ",)");
}

}  // namespace isovec::codec
