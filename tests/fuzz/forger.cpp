#include "fuzz/forger.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "codec/blob_header.hpp"
#include "codec/code_block_layout.hpp"

namespace isovec::fuzz {
namespace {

template <class T>
T load(const std::string& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}
template <class T>
void store(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

void add(std::vector<Field>& fields, std::size_t& at, std::size_t count, std::size_t size, bool real) {
  for (std::size_t i = 0; i < count; ++i, at += size) fields.push_back({at, size, real});
}

// The length of a text and its first character.
void add_text(Original& original, std::size_t& at) {
  const std::size_t size = load<std::uint32_t>(original.bytes, at);
  original.header.push_back({at, 4, false});
  if (size != 0) original.header.push_back({at + 4, 1, false});
  at += 4 + size;
}

}  // namespace

Original take_transform(std::string blob) {
  Original original{std::move(blob), {}, {}};
  std::size_t at = codec::kHeaderBytes;
  add(original.header, at, 3, 4, false);
  add(original.header, at, 4, 1, false);
  add(original.header, at, 1, 4, false);
  add(original.header, at, 5, 8, false);
  add(original.header, at, 7, 8, true);
  add_text(original, at);
  add_text(original, at);
  const std::size_t warnings = load<std::uint32_t>(original.bytes, at);
  add(original.header, at, 1, 4, false);
  for (std::size_t i = 0; i < warnings; ++i) add_text(original, at);
  add(original.elements, at, (original.bytes.size() - at) / 8, 8, true);
  return original;
}

Original take_statistics(std::string blob) {
  Original original{std::move(blob), {}, {}};
  std::size_t at = codec::kHeaderBytes;
  add(original.header, at, 2, 4, false);
  add(original.header, at, 4, 1, false);
  add(original.header, at, 1, 4, false);
  add(original.header, at, 3, 8, false);
  add(original.header, at, 5, 8, true);
  add(original.elements, at, (original.bytes.size() - at) / 8, 8, true);
  return original;
}

Original take_code_block(std::string blob, std::uint64_t seed) {
  Original original{std::move(blob), {}, {}, seed, true};
  const auto block = codec::CodeBlockView::parse(
      {reinterpret_cast<const std::byte*>(original.bytes.data()), original.bytes.size()});
  std::size_t at = codec::code_layout::kVersionAt;
  add(original.header, at, 1, 2, false);
  add(original.header, at, 2, 1, false);
  add(original.header, at, 2, 4, false);
  add(original.header, at, 4, 8, false);
  add(original.elements, at, block.dimension(), 4, true);
  const std::size_t reals = codec::code_layout::numbers_per_row(block.shape()) - 1;
  add(original.elements, at, reals * block.rows(), 4, true);
  add(original.elements, at, block.rows(), 4, false);
  add(original.elements, at, block.rows() * block.dimension(), 1, false);
  add(original.header, at, 1, 1, false);  // the zeros at its end
  return original;
}

void seal(const Original& original, std::string& bytes) {
  const std::span<const std::byte> view(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size());
  if (original.code_block) {
    if (bytes.size() > codec::code_layout::kChecked)
      store(bytes, 0, codec::code_layout::checksum_of(view, original.seed));
    return;
  }
  codec::ByteWriter writer;
  codec::Magic magic;
  std::memcpy(magic.data(), bytes.data(), magic.size());
  codec::start_blob(writer, magic);
  const auto body = view.subspan(codec::kHeaderBytes);
  writer.bytes().insert(writer.bytes().end(), body.begin(), body.end());
  const auto sealed = codec::finish_blob(writer);
  std::memcpy(bytes.data(), sealed.data(), codec::kHeaderBytes);
}

std::uint64_t Forger::integer(std::uint64_t now) {
  constexpr std::uint64_t kOne = 1;
  const std::uint64_t numbers[] = {
      0,       1, ~std::uint64_t{0}, kOne << 31, kOne << 32, kOne << 62, ~(kOne << 63), now + 1,
      now - 1, 2, now * 2,           65'535,     8'192};
  return numbers[draw(std::size(numbers))];
}

double Forger::real(double now) {
  const double numbers[] = {0,
                            -0.0,
                            1,
                            -1,
                            std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity(),
                            -std::numeric_limits<double>::infinity(),
                            1e308,
                            3e38,
                            -3e38,
                            1e-310,
                            1e-40,
                            std::nextafter(now, 1e308),
                            std::nextafter(now, -1e308),
                            -now,
                            now * 1e6};
  return numbers[draw(std::size(numbers))];
}

void Forger::replace(std::string& bytes, const Field& field) {
  if (field.offset + field.size > bytes.size()) return;
  if (field.real) {
    if (field.size == 4)
      return store(bytes, field.offset, static_cast<float>(real(load<float>(bytes, field.offset))));
    return store(bytes, field.offset, real(load<double>(bytes, field.offset)));
  }
  std::uint64_t now = 0;
  std::memcpy(&now, bytes.data() + field.offset, field.size);
  const std::uint64_t number = integer(now);
  std::memcpy(bytes.data() + field.offset, &number, field.size);  // its lower bytes
}

std::string Forger::forge(const Original& original) {
  std::string bytes = original.bytes;
  for (std::size_t count = 1 + (draw(2) == 0 ? 0 : draw(3)); count > 0; --count) {
    const bool of_header = original.elements.empty() || draw(3) != 0;
    const auto& fields = of_header ? original.header : original.elements;
    replace(bytes, fields[draw(fields.size())]);
  }
  const std::size_t kind = draw(16);
  if (kind == 0 && !original.code_block) {  // one number in all dimensions
    const auto number = static_cast<std::uint32_t>(integer(4));
    for (std::size_t i = 0; i < 3; ++i) {
      if (original.header[i].size == 4) store(bytes, original.header[i].offset, number);
    }
  } else if (kind == 1 && !original.elements.empty()) {  // one in the rest of its arrays
    const std::size_t first = draw(original.elements.size());
    const double number = real(1);
    for (std::size_t i = first; i < original.elements.size(); ++i) {
      const Field& field = original.elements[i];
      if (field.real && field.size == 8) store(bytes, field.offset, number);
    }
  } else if (kind == 2) {
    bytes.resize(bytes.size() + 8 * (1 + draw(8)));
  } else if (kind == 3) {
    bytes.resize(bytes.size() - std::min(bytes.size() - codec::kHeaderBytes, 8 * (1 + draw(8))));
  }
  seal(original, bytes);
  return bytes;
}

}  // namespace isovec::fuzz
