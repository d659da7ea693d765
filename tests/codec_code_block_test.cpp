// Blocks of codes: what their bytes say, read by the documented layout alone; and that damaged ones are
// refused.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <isovec/buffer.hpp>
#include <isovec/error.hpp>

#include "catch.hpp"
#include "codec/code_block.hpp"
#include "codec/code_encoder.hpp"
#include "coded_rows.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

using isovec::Code;
using isovec::Error;
using isovec::codec::CodeBlockView;
using isovec::codec::CodeMetric;
using isovec::codec::encode_block;
using isovec::codec::TransformedRows;
using isovec::index::Metric;
using isovec::test::all_kinds;
using isovec::test::block_of;
using isovec::test::coded;
using isovec::test::is_zero;
using isovec::test::Kind;
using isovec::test::make_set;
using isovec::test::VectorSet;

using Bytes = isovec::Buffer<std::byte>;

template <class T>
T at(const Bytes& bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <class T>
void put(Bytes& bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

/// The code of the Error that f throws; nothing where it throws none.
template <class F>
std::optional<Code> code_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    CHECK(std::string(error.what()).size() > 20);
    return error.code();
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("a block says of each row how far its code is off", "[codec][codes]") {
  for (const Kind kind : all_kinds()) {
    for (const std::size_t d : {1, 5, 64, 100, 768}) {
      for (const Metric metric : {Metric::cosine, Metric::l2, Metric::dot}) {
        const std::size_t n = 70;
        const VectorSet set = make_set(kind, n, d, 3);
        const Bytes bytes = block_of(set, metric, 0, n);
        const std::size_t numbers = metric == Metric::cosine ? 4 : 5;
        REQUIRE(bytes.size() == 56 + 4 * d + 4 * numbers * n + n * d + 64);
        for (std::size_t r = 0; r < n; ++r) {
          CAPTURE(set.name, static_cast<int>(metric), r);
          const bool undefined = metric == Metric::cosine && is_zero(set.row(r));
          REQUIRE((at<std::uint8_t>(bytes, 24 + r / 8) >> (r % 8) & 1) == (undefined ? 0 : 1));
          const std::size_t row = 56 + 4 * d + 4 * r;
          const double scale = at<float>(bytes, row);
          const double error = at<float>(bytes, row + 4 * n);
          const double term = at<float>(bytes, row + 8 * n);
          REQUIRE(at<std::uint32_t>(bytes, row + 4 * n * (numbers - 1)) == r);
          if (undefined || std::isinf(error)) continue;

          long double norm = 0;
          for (const float x : set.row(r)) norm += static_cast<long double>(x) * x;
          norm = std::sqrt(norm);
          if (metric != Metric::cosine) {
            REQUIRE(static_cast<long double>(at<float>(bytes, row + 12 * n)) >= norm);
            REQUIRE(static_cast<long double>(at<float>(bytes, row + 12 * n)) <= norm * 1.000001L + 2e-45L);
          }
          long double squared = 0;
          long double correction = 0;
          long double offset = 0;
          long double size = 0;
          for (std::size_t i = 0; i < d; ++i) {
            const long double y = set.row(r)[i] / (metric == Metric::cosine ? norm : 1.0L);
            const long double c = at<float>(bytes, 56 + 4 * i);
            const long double decoded = static_cast<long double>(scale) *
                                        at<std::int8_t>(bytes, 56 + 4 * d + 4 * numbers * n + r * d + i);
            squared += (y - c - decoded) * (y - c - decoded);
            correction += c * (y - c - decoded);
            offset += decoded * (decoded + 2 * c);
            size +=
                std::abs(c * (y - c - decoded)) + std::abs(decoded) * (std::abs(decoded) + 2 * std::abs(c));
          }
          REQUIRE(std::sqrt(squared) <= static_cast<long double>(error));
          // No wider than float32 and float64 rounding make it: y and c are known to 2^-53 of their divisors.
          REQUIRE(static_cast<long double>(error) <=
                  std::sqrt(squared) * 1.0000002L + (norm + 1) * 1e-12L + 3e-45L);
          const long double expected = metric == Metric::l2 ? offset : correction;
          REQUIRE(std::abs(term - expected) <= 1e-7L * std::abs(expected) + 1e-12L * size + 1e-14L + 2e-45L);
        }
      }
    }
  }
}

TEST_CASE("a block takes the room that its layout says", "[codec][codes]") {
  struct Size {
    std::size_t d;
    std::size_t bytes;
  };
  // 56 + 4 d + 16 n + n d + 64 for n = 256 under cosine.
  for (const Size size : {Size{384, 104'056}, Size{768, 203'896}, Size{1536, 403'576}}) {
    const VectorSet set = make_set(Kind::constant, 256, size.d, 1);
    REQUIRE(block_of(set, Metric::cosine, 0, 256).size() == size.bytes);
  }
}

TEST_CASE("equal input gives equal bytes, whatever the host's floating-point settings", "[codec][codes]") {
  for (const Kind kind : all_kinds()) {
    const VectorSet set = make_set(kind, 100, 50, 9);
    const Bytes bytes = block_of(set, Metric::l2, 0, 100);
#if defined(__x86_64__)
    const unsigned host = _mm_getcsr();
    _mm_setcsr(host | 0x8040U | 0x6000U);  // flush to zero, denormals are zero, round towards zero
    const Bytes again = block_of(set, Metric::l2, 0, 100);
    const bool restored = _mm_getcsr() == (host | 0x8040U | 0x6000U);
    _mm_setcsr(host);
    REQUIRE(restored);
#else
    const Bytes again = block_of(set, Metric::l2, 0, 100);
#endif
    REQUIRE(bytes == again);
  }
}

TEST_CASE("a row many times longer than the others does not spoil their codes", "[codec][codes]") {
  const VectorSet plain = make_set(Kind::ordinary, 256, 96, 4);
  const VectorSet spoiled = make_set(Kind::one_giant, 256, 96, 4);
  for (const Metric metric : {Metric::l2, Metric::dot}) {
    const Bytes a = block_of(plain, metric, 0, 256);
    const Bytes b = block_of(spoiled, metric, 0, 256);
    const CodeBlockView before = CodeBlockView::parse(a);
    const CodeBlockView after = CodeBlockView::parse(b);
    for (std::size_t r = 0; r < 256; ++r) {
      if (r != 5) REQUIRE(after.scales()[r] < 1.05F * before.scales()[r]);
    }
  }
}

TEST_CASE("rows that cannot be coded are refused or marked, never coded wrongly", "[codec][codes]") {
  const isovec::Buffer<std::int64_t> slots = {7, 8};
  isovec::Buffer<float> rows = {1, 2, 3, 4};
  const auto encode = [&](const isovec::Buffer<std::int64_t>& where, std::size_t d, CodeMetric metric) {
    return code_of([&] { (void)encode_block({metric, d, where, 0}, rows); });
  };
  CHECK(encode(slots, 2, CodeMetric::l2) == std::nullopt);
  CHECK(encode(slots, 3, CodeMetric::l2) == Code::invalid_argument);
  CHECK(encode({}, 2, CodeMetric::l2) == Code::invalid_argument);
  CHECK(encode({1, std::int64_t{1} << 32}, 2, CodeMetric::l2) == Code::too_big);
  CHECK(encode({1, -1}, 2, CodeMetric::l2) == Code::too_big);
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    rows[3] = bad;
    CHECK(encode(slots, 2, CodeMetric::cosine) == Code::invalid_argument);
  }
  CHECK(code_of([&] {
          const isovec::Buffer<double> z(4, 1.0);
          const isovec::Buffer<double> reaches(2, 1.0);
          (void)encode_block({CodeMetric::cosine, 2, slots, 0}, TransformedRows{z, {}, reaches});
        }) == Code::invalid_argument);

  const double infinity = std::numeric_limits<double>::infinity();
  const isovec::Buffer<double> z = {3, 4, infinity, 1, 1e-200, 1e-200, 0, 0, 1, 1, 1, 1};
  const isovec::Buffer<double> divisors = {5, 1, 1e-200 * std::sqrt(2.0), 0, 7, std::sqrt(2.0)};
  const isovec::Buffer<double> reaches = {1, 1, 1, 1, 1, infinity};
  const isovec::Buffer<std::int64_t> six = {0, 1, 2, 3, 4, 5};
  const Bytes bytes = encode_block({CodeMetric::cosine, 2, six, 0}, TransformedRows{z, divisors, reaches});
  const CodeBlockView view = CodeBlockView::parse(bytes);
  CHECK(view.errors()[0] < 0.1F);       // a unit vector
  CHECK(std::isinf(view.errors()[1]));  // not finite
  CHECK_FALSE(view.defined().test(3));  // no length
  CHECK(std::isinf(view.errors()[4]));  // divided by something other than its length
  CHECK(std::isinf(view.errors()[5]));  // nothing known of its rounding
  CHECK(view.reaches()[0] >= 0.2F);
}

TEST_CASE("a block that is kept in memory says the same", "[codec][codes]") {
  const VectorSet set = make_set(Kind::ordinary, 256, 9, 8);
  const isovec::test::Whitening whitening(9, 100, 3);
  for (const Metric metric : {Metric::cosine, Metric::l2, Metric::dot}) {
    for (const std::size_t rows : {std::size_t{256}, std::size_t{255}, std::size_t{1}}) {
      for (const bool transformed : {false, true}) {
        CAPTURE(static_cast<int>(metric), rows, transformed);
        const Bytes bytes =
            transformed ? whitening.block_of(set, metric, 0, rows) : block_of(set, metric, 0, rows);
        const CodeBlockView checked = CodeBlockView::parse(bytes);
        const isovec::test::KeptBlock kept(bytes);
        const CodeBlockView recalled = kept.view();
        CHECK(Bytes(recalled.bytes().begin(), recalled.bytes().end()) == bytes);
        CHECK(recalled.rows() == rows);
        CHECK(recalled.dimension() == 9);
        CHECK(recalled.defined() == checked.defined());
        CHECK(recalled.scales() == checked.scales());
        CHECK(recalled.errors() == checked.errors());
        CHECK(recalled.terms() == checked.terms());
        CHECK(recalled.norms() == checked.norms());
        CHECK(recalled.reaches() == checked.reaches());
        CHECK(recalled.slots() == checked.slots());
        CHECK(std::memcmp(recalled.center(), checked.center(), 9 * sizeof(float)) == 0);
        CHECK(std::memcmp(recalled.codes(), checked.codes(), rows * 9) == 0);
        CHECK_FALSE(checked.coarse().has_value());
        CHECK(kept.had_none());
      }
    }
  }
}

TEST_CASE("coarse codes are as near to the codes as they say", "[codec][codes]") {
  for (const Kind kind : all_kinds()) {
    for (const std::size_t d : {1, 2, 3, 16, 33, 100, 385}) {
      const VectorSet set = make_set(kind, 256, d, 9);
      const Bytes bytes = block_of(set, Metric::l2, 0, 256);
      const isovec::test::KeptBlock kept(bytes);
      const CodeBlockView view = kept.view();
      const isovec::codec::CoarseCodes& coarse = *view.coarse();
      const std::size_t half = (d + 1) / 2;
      for (std::size_t row = 0; row < 256; ++row) {
        CAPTURE(set.name, d, row);
        double norm = 0;
        double error = 0;
        for (std::size_t i = 0; i < d; ++i) {
          const unsigned byte = coarse.codes[row * half + i % half];
          const double u = static_cast<int>(i < half ? byte & 15U : byte >> 4) - 8;
          const double code = view.codes()[row * d + i];
          const double rest = code - 256 / coarse.divisor * u;
          norm += u * u;
          error += rest * rest;
        }
        REQUIRE(std::sqrt(norm) <= (*coarse.norms)[row]);
        REQUIRE(std::sqrt(error) <= (*coarse.errors)[row]);
        REQUIRE((*coarse.norms)[row] <= std::sqrt(norm) * 1.000001);
        REQUIRE((*coarse.errors)[row] <= std::sqrt(error) * 1.000001 + 0.001);
      }
      // The divisor is chosen by every 32nd row.
      const auto left = [&](double divisor) {
        double squares = 0;
        for (std::size_t row = 0; row < 256; row += 32) {
          for (std::size_t i = 0; i < d; ++i) {
            const double code = view.codes()[row * d + i];
            const double u = std::clamp(std::floor(code * divisor / 256 + 0.5), -8.0, 7.0);
            squares += std::pow(code - 256 / divisor * u, 2);
          }
        }
        return squares;
      };
      for (const double other : {16, 20, 26, 32, 39, 51}) {
        CAPTURE(set.name, d, coarse.divisor, other);
        CHECK(left(coarse.divisor) <= left(other) * 1.000001);
      }
    }
  }
}

TEST_CASE("a truncated or lengthened block is refused at every length", "[codec][codes]") {
  const VectorSet set = make_set(Kind::ordinary, 3, 9, 5);
  for (const Metric metric : {Metric::cosine, Metric::l2}) {
    const Bytes bytes = block_of(set, metric, 0, 3);
    for (std::size_t size = 0; size <= bytes.size() + 70; ++size) {
      if (size == bytes.size()) continue;
      Bytes other = bytes;
      other.resize(size);
      CAPTURE(size);
      REQUIRE(code_of([&] { (void)CodeBlockView::parse(other); }) == Code::corrupt);
    }
  }
}

TEST_CASE("every flipped bit of a block is found", "[codec][codes]") {
  const VectorSet set = make_set(Kind::ordinary, 4, 10, 6);
  const isovec::test::Whitening whitening(10, 100, 2);
  for (const Bytes& bytes : {block_of(set, Metric::cosine, 0, 4, 99), block_of(set, Metric::dot, 0, 4, 99),
                             whitening.block_of(set, Metric::l2, 0, 4)}) {
    const std::uint64_t seed = bytes.size() == whitening.block_of(set, Metric::l2, 0, 4).size() ? 0 : 99;
    REQUIRE(code_of([&] { CodeBlockView::parse(bytes).verify(seed); }) == std::nullopt);
    REQUIRE(code_of([&] { CodeBlockView::parse(bytes).verify(seed + 1); }) == Code::corrupt);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        Bytes flipped = bytes;
        flipped[i] ^= static_cast<std::byte>(1 << bit);
        CAPTURE(i, bit);
        REQUIRE(code_of([&] { CodeBlockView::parse(flipped).verify(seed); }) == Code::corrupt);
      }
    }
  }
}

TEST_CASE("impossible numbers are refused before they are used", "[codec][codes]") {
  const VectorSet set = make_set(Kind::ordinary, 4, 6, 7);
  const Bytes bytes = block_of(set, Metric::l2, 0, 4);
  const auto refused = [&](auto change) {
    Bytes damaged = bytes;
    change(damaged);
    return code_of([&] { (void)CodeBlockView::parse(damaged); }) == Code::corrupt;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const std::size_t rows = 56 + 4 * 6;
  for (const float bad : {nan, infinity, -infinity}) {
    CHECK(refused([&](Bytes& b) { put(b, 56, bad); }));              // center
    CHECK(refused([&](Bytes& b) { put(b, rows + 4, bad); }));        // scale
    CHECK(refused([&](Bytes& b) { put(b, rows + 32 + 4, bad); }));   // offset
    CHECK(refused([&](Bytes& b) { put(b, rows + 48 + 12, bad); }));  // norm
  }
  for (const float bad : {nan, -nan, -infinity, -1.0F, -0.0F}) {
    CHECK(refused([&](Bytes& b) { put(b, rows + 16, bad); }));  // error
    CHECK(refused([&](Bytes& b) { put(b, rows, bad); }));       // scale
  }
  CHECK_FALSE(refused([&](Bytes& b) { put(b, rows + 16, infinity); }));  // an error may be infinite
  for (const std::uint32_t bad : {0U, 7U, 8193U, 0x4000'0006U, 0xFFFF'FFFFU}) {
    CHECK(refused([&](Bytes& b) { put(b, 16, bad); }));  // dimension
  }
  for (const std::uint32_t bad : {0U, 5U, 257U, 0xFFFF'FFFFU}) {
    CHECK(refused([&](Bytes& b) { put(b, 20, bad); }));  // rows
  }
  CHECK(refused([&](Bytes& b) { put(b, 24, std::uint8_t{0x1F}); }));         // a fifth row is defined
  CHECK(refused([&](Bytes& b) { put(b, 24, std::uint8_t{0x0E}); }));         // l2 without a distance
  CHECK(refused([&](Bytes& b) { put(b, b.size() - 1, std::uint8_t{1}); }));  // padding
  CHECK(refused([&](Bytes& b) { put(b, 14, std::uint8_t{4}); }));            // metric
  CHECK(refused([&](Bytes& b) { put(b, 15, std::uint8_t{2}); }));            // transformed
  CHECK(refused([&](Bytes& b) { put(b, 12, std::uint16_t{0}); }));           // version
}

TEST_CASE("a row that is said to have no distance has no numbers", "[codec][codes]") {
  const std::vector<float> rows = {0, 0, 1, 2, 3, 4};
  const std::int64_t slots[] = {0, 1, 2};
  const Bytes bytes = encode_block({CodeMetric::cosine, 2, slots, 0}, rows);
  REQUIRE(at<std::uint8_t>(bytes, 24) == 6);
  CHECK_NOTHROW(CodeBlockView::parse(bytes));
  Bytes hidden = bytes;
  put(hidden, 24, std::uint8_t{2});
  CHECK(code_of([&] { (void)CodeBlockView::parse(hidden); }) == Code::corrupt);
}

TEST_CASE("a block of a newer version is refused with a sentence that says so", "[codec][codes]") {
  Bytes bytes = block_of(make_set(Kind::ordinary, 4, 6, 7), Metric::dot, 0, 4);
  put(bytes, 12, std::uint16_t{2});
  std::string message;
  try {
    (void)CodeBlockView::parse(bytes);
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(message.find("version 2") != std::string::npos);
  CHECK(message.find("newer isovec") != std::string::npos);
}
