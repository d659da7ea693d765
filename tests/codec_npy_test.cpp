#include <cstring>
#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <limits>
#include <string>

#include "catch.hpp"
#include "codec/json_writer.hpp"
#include "codec/npy.hpp"

using namespace isovec;
using namespace isovec::codec;

namespace {

using Bytes = isovec::Buffer<std::byte>;

// A file of version `major` with this header dictionary and these data bytes.
Bytes npy_file(const std::string& dictionary, const Bytes& data, int major = 1) {
  Bytes file;
  const auto append = [&](const void* p, std::size_t n) {
    const auto* const begin = static_cast<const std::byte*>(p);
    file.insert(file.end(), begin, begin + n);
  };
  append("\x93NUMPY", 6);
  const unsigned char version[2] = {static_cast<unsigned char>(major), 0};
  append(version, 2);
  const std::string text = dictionary + "\n";
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) {
    const auto byte = static_cast<unsigned char>(text.size() >> (8 * i));
    append(&byte, 1);
  }
  append(text.data(), text.size());
  append(data.data(), data.size());
  return file;
}

std::string header(const std::string& descr, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

std::string message_of(const Bytes& file) {
  try {
    static_cast<void>(parse_npy(file));
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("arrays come back from their .npy file", "[codec][npy]") {
  const isovec::Buffer<double> values = {1.5, -2, 0.1, 1e300, -0.0, 7};
  const Bytes doubles = write_npy(std::span<const double>(values), 2, 3);
  const NpyArray array = parse_npy(doubles);
  CHECK(array.type == NpyType::float64);
  CHECK(array.rows == 2);
  CHECK(array.columns == 3);
  CHECK(read_npy(array) == values);
  const isovec::Buffer<float> floats = {1.5F, -2.25F};
  const Bytes singles = write_npy(std::span<const float>(floats), 1, 2);
  isovec::Buffer<float> row(2);
  read_npy_row(parse_npy(singles), 0, row);
  CHECK(row == floats);
  const Bytes vector_file = write_npy_vector(values);
  const NpyArray vector = parse_npy(vector_file);
  CHECK(vector.rank == 1);
  CHECK(vector.rows == 1);
  CHECK(vector.columns == 6);
  CHECK((doubles.size() - values.size() * 8) % 64 == 0);
}

TEST_CASE("all versions, float types and spellings of the header are read", "[codec][npy]") {
  const Bytes halves = {std::byte{0x00}, std::byte{0x3C}, std::byte{0x00}, std::byte{0xC0}};  // 1, -2
  for (const int major : {1, 2, 3}) {
    const Bytes file = npy_file(header("<f2", "(1, 2)"), halves, major);
    const NpyArray array = parse_npy(file);
    CHECK(array.type == NpyType::float16);
    CHECK(read_npy(array) == isovec::Buffer<double>{1, -2});
  }
  const Bytes one = {std::byte{0}, std::byte{0}, std::byte{0x80}, std::byte{0x3F}};
  for (const char* dictionary : {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
                                 "{\"shape\":(1,1),\"descr\":\"<f4\",\"fortran_order\":False}",
                                 "{'shape': (1, 1), 'fortran_order': False, 'descr': '<f4'}          "}) {
    CAPTURE(dictionary);
    const Bytes file = npy_file(dictionary, one);
    CHECK(read_npy(parse_npy(file)) == isovec::Buffer<double>{1});
  }
  const Bytes empty = npy_file(header("<f4", "(0, 5)"), {});
  CHECK(parse_npy(empty).rows == 0);
  const Bytes hollow = npy_file(header("<f4", "(18446744073709551615, 0)", "True"), {});
  CHECK(read_npy(parse_npy(hollow)).empty());
}

TEST_CASE("an array in Fortran order has the same elements", "[codec][npy]") {
  Bytes data;  // [[1, 2, 3], [4, 5, 6]], column after column
  for (const double value : {1.0, 4.0, 2.0, 5.0, 3.0, 6.0}) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    data.insert(data.end(), bytes, bytes + sizeof value);
  }
  const Bytes file = npy_file(header("<f8", "(2, 3)", "True"), data);
  const NpyArray array = parse_npy(file);
  CHECK(read_npy(array) == isovec::Buffer<double>{1, 2, 3, 4, 5, 6});
  isovec::Buffer<float> row(3);
  read_npy_row(array, 1, row);
  CHECK(row == isovec::Buffer<float>{4, 5, 6});
}

TEST_CASE("files that are no rows of floats are refused with what to do", "[codec][npy]") {
  const Bytes four(4);
  const auto refuses = [&](const Bytes& file, std::string_view part) {
    const std::string message = message_of(file);
    CAPTURE(message);
    CHECK(message.find(part) != std::string::npos);
  };
  refuses(npy_file(header("<i4", "(1,)"), four), "astype('<f4')");
  refuses(npy_file(header(">f4", "(1,)"), four), "'>f4'");
  refuses(npy_file(header("|O", "(1,)"), four), "'|O'");
  refuses(npy_file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", four), "structured");
  refuses(npy_file(header("<f4", "(1, 1)", "1"), four), "neither True nor False");
  refuses(npy_file(header("<f4", "()"), four), "0 axes");
  refuses(npy_file(header("<f4", "(1, 1, 1)"), four), "3 axes");
  refuses(npy_file(header("<f4", "(2, 1)"), four), "bytes follow");
  refuses(npy_file(header("<f4", "(1, 2)"), four), "bytes follow");
  refuses(npy_file(header("<f4", "(1, 0)"), four), "bytes follow");
  refuses(npy_file(header("<f4", "(18446744073709551615, 18446744073709551615)"), four), "bytes follow");
  refuses(npy_file(header("<f4", "(9223372036854775808, 2)"), four), "bytes follow");
  refuses(npy_file(header("<f4", "(99999999999999999999999, 1)"), four), "cannot be read");
  refuses(npy_file(header("<f4", "(-1, 1)"), four), "cannot be read");
  refuses(npy_file("no dictionary", four), "dictionary");
  refuses(npy_file("{'descr': '<f4'}", four), "fortran_order");
  refuses(npy_file(header("<f4", "(1,)"), four, 4), "version 4");
  refuses(four, "NUMPY");
}

TEST_CASE("a .npy file cut anywhere is refused", "[codec][npy]") {
  const isovec::Buffer<double> values = {1, 2, 3};
  const Bytes file = write_npy(std::span<const double>(values), 1, 3);
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_THROWS_AS(parse_npy(cut), Error);
  }
}

TEST_CASE("an element that is no float32 number is refused by its index", "[codec][npy]") {
  const auto message = [](const std::string& descr, const auto& values) -> std::string {
    Bytes data(sizeof(values[0]) * values.size());
    std::memcpy(data.data(), values.data(), data.size());
    const Bytes file = npy_file(header(descr, "(2, 2)"), data);
    std::vector<float> row(2);
    try {
      const NpyArray array = parse_npy(file);
      read_npy_row(array, 0, row);
      read_npy_row(array, 1, row);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinite = std::numeric_limits<float>::infinity();
  const std::string element = "element 1 of row 1 is NaN or infinite";
  CHECK(message("<f4", std::vector<float>{1, 2, 3, nan}).find(element) != std::string::npos);
  CHECK(message("<f4", std::vector<float>{1, 2, 3, -infinite}).find(element) != std::string::npos);
  CHECK(message("<f8", std::vector<double>{1, 2, 3, double{infinite}}).find(element) != std::string::npos);
  CHECK(message("<f2", std::vector<std::uint16_t>{0, 0, 0, 0x7C00}).find(element) != std::string::npos);
  CHECK(message("<f2", std::vector<std::uint16_t>{0, 0, 0, 0x7E01}).find(element) != std::string::npos);
  CHECK(message("<f8", std::vector<double>{1, 2, -1e300, 4}).find("element 0 of row 1 is -1e+300") !=
        std::string::npos);
  // The largest that rounds to a float32, and the least that does not: halfway to 2^128.
  CHECK(message("<f8", std::vector<double>{0x1.fffffefffffffp127, 2, 3, 4}) == "nothing was thrown");
  CHECK(message("<f8", std::vector<double>{0x1.ffffffp127, 2, 3, 4}).find("element 0 of row 0") !=
        std::string::npos);
}

TEST_CASE("JSON is written with commas, escapes and shortest numbers", "[codec][json]") {
  JsonWriter json;
  json.begin_object().field("a", 1).field("b\"\n", "x\\y\x01").key("c").begin_array();
  json.value(0.1)
      .value(1e300)
      .value(std::numeric_limits<double>::quiet_NaN())
      .value(true)
      .value(std::size_t{7});
  json.begin_object().end_object().begin_array().end_array().end_array().field("d", false).end_object();
  CHECK(json.text() == R"({"a":1,"b\"\u000a":"x\\y\u0001","c":[0.1,1e+300,null,true,7,{},[]],"d":false})");
  std::string number;
  append_number(number, 0.1F);
  append_number(number, -0.0);
  CHECK(number == "0.1-0");
}
