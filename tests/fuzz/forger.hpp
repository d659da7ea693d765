#pragma once
// Makes BLOBs whose checksum is right and whose numbers are not: any number of a format, replaced by one that
// is likely to hurt. XXH3 has no key, so a right checksum proves that bytes are whole, not that they are
// honest.

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace isovec::fuzz {

/// A number in a BLOB, little-endian.
struct Field {
  std::size_t offset;
  std::size_t size;  ///< 1, 2, 4 or 8 bytes
  bool real;         ///< float32 or float64, else an unsigned integer
};

/// A sound BLOB, with the place of its numbers.
struct Original {
  std::string bytes;
  std::vector<Field> header;    ///< what the sizes and the meaning of the rest follow from
  std::vector<Field> elements;  ///< of its arrays
  std::uint64_t seed = 0;       ///< of the checksum of a code block; 0 for the other formats
  bool code_block = false;
};

/// Take a sound BLOB apart. The layouts stand in transform_blob.cpp, statistics_blob.cpp and code_block.hpp.
[[nodiscard]] Original take_transform(std::string blob);
[[nodiscard]] Original take_statistics(std::string blob);
[[nodiscard]] Original take_code_block(std::string blob, std::uint64_t seed);

/// The checksum over what the bytes are now.
void seal(const Original& original, std::string& bytes);

class Forger {
 public:
  explicit Forger(std::uint32_t seed) : random_(seed) {}

  /// A BLOB with one number or a few replaced, and its checksum made anew.
  [[nodiscard]] std::string forge(const Original& original);
  [[nodiscard]] std::size_t draw(std::size_t below) { return random_() % below; }

 private:
  void replace(std::string& bytes, const Field& field);
  [[nodiscard]] std::uint64_t integer(std::uint64_t now);
  [[nodiscard]] double real(double now);

  std::mt19937 random_;
};

}  // namespace isovec::fuzz
