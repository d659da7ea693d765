#pragma once
// A BLOB with other numbers in it under a right checksum: XXH3 has no key, so anybody can make one. Fields
// are named by their offset from the start of the BLOB, as transform_blob.cpp and statistics_blob.cpp list
// them.

#include <cstddef>
#include <cstring>
#include <string>

#include "codec/blob_header.hpp"
#include "codec/byte_reader.hpp"

namespace isovec::test {

/// The bytes under a checksum that is made anew.
inline std::string sealed(const std::string& blob) {
  codec::ByteWriter writer;
  codec::Magic magic;
  std::memcpy(magic.data(), blob.data(), magic.size());
  codec::start_blob(writer, magic);
  const auto* const begin = reinterpret_cast<const std::byte*>(blob.data());
  writer.bytes().insert(writer.bytes().end(), begin + codec::kHeaderBytes, begin + blob.size());
  const auto bytes = codec::finish_blob(writer);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A BLOB with `number` at `offset`, sealed. T is the field's type.
template <class T>
std::string forged(std::string blob, std::size_t offset, T number) {
  std::memcpy(blob.data() + offset, &number, sizeof number);
  return sealed(blob);
}

}  // namespace isovec::test
