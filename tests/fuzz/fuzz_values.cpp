// Harnesses of values: vector BLOBs, vectors as JSON, .npy files, specs.

#include <cmath>
#include <isovec/buffer.hpp>
#include <isovec/fit.hpp>
#include <limits>

#include "codec/npy.hpp"
#include "codec/vector_blob.hpp"
#include "codec/vector_convert.hpp"
#include "codec/vector_json.hpp"
#include "fuzz/harness.hpp"

namespace isovec::fuzz {
namespace {

constexpr codec::ElementType kTypes[] = {codec::ElementType::float32, codec::ElementType::float16,
                                         codec::ElementType::bfloat16, codec::ElementType::int8,
                                         codec::ElementType::bit};

// A vector that is finite is written as JSON that reads back as its elements.
void check_json(const codec::VectorView& vector) {
  const std::string text = codec::write_vector_json(vector);
  const isovec::Buffer<float> back = codec::parse_vector_json(text);
  require(back.size() == vector.dimension, "JSON keeps the dimension");
  Bytes again(vector.size());
  codec::from_float32(back, vector.type, again);
  const codec::VectorView read{vector.type, vector.dimension, again.data()};
  for (std::size_t i = 0; i < back.size(); ++i) {
    require(codec::element(read, i) == codec::element(vector, i), "JSON keeps each element");
  }
}

void check_conversions(const codec::VectorView& vector) {
  isovec::Buffer<float> floats(vector.dimension);
  codec::to_float32(vector, floats);
  for (const codec::ElementType type : kTypes) {
    if (type == codec::ElementType::bit && vector.dimension % 8 != 0) continue;
    Bytes out(codec::bytes_of(type, vector.dimension));
    answered([&] {
      codec::from_float32(floats, type, out);
      codec::require_finite({type, vector.dimension, out.data()});
    });
  }
}

}  // namespace

// The first byte is the type, the rest the BLOB.
void fuzz_vector_blob(View input) {
  if (input.empty()) return;
  const codec::ElementType type = kTypes[static_cast<std::size_t>(input[0]) % std::size(kTypes)];
  const Bytes blob(input.begin() + 1, input.end());  // its own length: a read beyond it is seen
  answered([&] {
    const codec::VectorView vector = codec::view_vector(blob, type);
    require(vector.size() == blob.size(), "a vector is all of its BLOB");
    static_cast<void>(codec::likely_cause(vector, {codec::ElementType::float32, 7, nullptr}));
    const std::size_t nonfinite = codec::first_nonfinite(vector);
    require(nonfinite <= vector.dimension, "the first NaN stands in the vector");
    if (nonfinite < vector.dimension) {
      require(!std::isfinite(codec::element(vector, nonfinite)), "what is called infinite is");
      require(!answered([&] { codec::require_finite(vector); }), "NaN and infinity are refused");
      return;
    }
    if (vector.dimension > 4096) return;
    check_json(vector);
    check_conversions(vector);
  });
}

isovec::Buffer<Bytes> vector_blob_seeds() {
  isovec::Buffer<Bytes> seeds;
  const float values[] = {0.1F, -1.5F, 3e38F, 1e-42F, 0.0F, 65504.0F};
  for (std::size_t type = 0; type < std::size(kTypes); ++type) {
    Bytes seed = {static_cast<std::byte>(type)};
    const auto* const begin = reinterpret_cast<const std::byte*>(values);
    seed.insert(seed.end(), begin, begin + sizeof values);
    seeds.push_back(std::move(seed));
  }
  return seeds;
}

void fuzz_vector_json(View input) {
  const std::string text(text_of(input));
  answered([&] {
    const isovec::Buffer<float> vector = codec::parse_vector_json(text);
    require(!vector.empty(), "a vector has an element");
    for (const float element : vector) require(std::isfinite(element), "JSON gives finite elements");
    const auto* const data = reinterpret_cast<const std::byte*>(vector.data());
    check_json({codec::ElementType::float32, vector.size(), data});
  });
}

isovec::Buffer<Bytes> vector_json_seeds() {
  return {bytes_of("[1, 2.5, -0.1]"),
          bytes_of(" [ 1e10,\n-1E-45 , 3.4028235677973366e38 ] "),
          bytes_of("[0.1000000000000000055511151231257827021181583404541015625,-0,16777217]"),
          bytes_of("[1e-400,123456789012345678901234567890]"),
          bytes_of("[[1,2],[3]]"),
          bytes_of("\xEF\xBB\xBF[1]"),
          bytes_of("[1,,2]"),
          bytes_of("[\"a\", null, true, {}]")};
}

void fuzz_npy(View input) {
  const Bytes blob(input.begin(), input.end());
  answered([&] {
    const codec::NpyArray array = codec::parse_npy(blob);
    require(array.columns == 0 || array.rows <= array.data.size() / array.columns, "rows are all there");
    require(array.data.size() == array.rows * array.columns * array.element_bytes(),
            "the data is as described");
    if (array.columns > 4096) return;
    isovec::Buffer<float> row(array.columns);
    for (std::size_t r = 0; r < array.rows && r < 4; ++r) codec::read_npy_row(array, r, row);
    if (array.data.size() > 65536) return;
    const isovec::Buffer<double> all = codec::read_npy(array);
    require(all.size() == array.rows * array.columns, "all rows are read");
    const Bytes written = codec::write_npy(all, array.rows, array.columns);
    require(codec::parse_npy(written).data.size() == all.size() * 8, "what is written is read again");
  });
}

isovec::Buffer<Bytes> npy_seeds() {
  const double values[] = {1, 2, 3, 4, 5, 6};
  const float floats[] = {1, 2, 3, 4, 5, 6};
  isovec::Buffer<Bytes> seeds = {codec::write_npy(std::span<const double>(values), 2, 3),
                                 codec::write_npy(std::span<const float>(floats), 3, 2),
                                 codec::write_npy_vector(values)};
  std::string header = "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 2), }";
  header.resize(117, ' ');
  header += '\n';
  std::string second("\x93NUMPY\x02\x00\x76\x00\x00\x00", 12);
  seeds.push_back(bytes_of(second + header + std::string("\0\x3c\0\x40\0\x42\0\x44", 8)));
  return seeds;
}

void fuzz_spec(View input) {
  const std::string text(text_of(input));
  answered([&] {
    const Spec spec = parse_spec(text);
    const std::string canonical = to_text(spec);
    require(parse_spec(canonical) == spec, "a spec reads back from its canonical text");
    require(to_text(parse_spec(canonical)) == canonical, "there is one canonical text");
    static_cast<void>(required_statistics(spec));
  });
  answered([&] { static_cast<void>(parse_statistics_options(text)); });
}

isovec::Buffer<Bytes> spec_seeds() {
  return {bytes_of("whiten eps=1"),
          bytes_of("whiten basis=zca k=3 shrinkage=oas power=0.5"),
          bytes_of("pca variance=0.9, slice=256 normalize=both"),
          bytes_of("remove_top drop=2 weights=frequency"),
          bytes_of("WHITEN shrinkage=0.25 precision=float basis=pca-cor"),
          bytes_of("center"),
          bytes_of("none"),
          bytes_of("moments=second slice=8 normalize=before"),
          bytes_of("whiten k=99999999999999999999 eps=1e999")};
}

}  // namespace isovec::fuzz
