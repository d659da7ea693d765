// What the scalar functions return, against references in float64 and against sqlite-vec's documented
// behaviour.

#include <algorithm>
#include <cmath>
#include <random>

#include "catch.hpp"
#include "connection.hpp"

namespace {

using isovec::test::blob_of;
using isovec::test::Bytes;
using isovec::test::Connection;
using isovec::test::elements_of;

std::vector<float> random_vector(std::size_t d, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(d);
  for (float& x : values) x = normal(random);
  return values;
}

struct Reference {
  double dot = 0, aa = 0, bb = 0, l2 = 0, l1 = 0, dot_magnitude = 0;
};

template <typename T>
Reference reference(const std::vector<T>& a, const std::vector<T>& b) {
  Reference sums;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]);
    const auto y = static_cast<double>(b[i]);
    sums.dot += x * y;
    sums.dot_magnitude += std::abs(x * y);
    sums.aa += x * x;
    sums.bb += y * y;
    sums.l2 += (x - y) * (x - y);
    sums.l1 += std::abs(x - y);
  }
  return sums;
}

// Sums of at most ceil(d / 32) + 5 additions of products rounded once.
double relative_bound(std::size_t d) {
  return static_cast<double>((d + 31) / 32 + 7) * 0x1p-24;
}

}  // namespace

TEST_CASE("distances of float32 vectors agree with float64 within the rounding of their sums",
          "[surface][distance]") {
  Connection db;
  for (const std::size_t d : {1U, 2U, 3U, 8U, 31U, 33U, 384U, 768U, 1000U, 1536U}) {
    const std::vector<float> a = random_vector(d, 1);
    const std::vector<float> b = random_vector(d, 2);
    const Reference sums = reference(a, b);
    const double bound = relative_bound(d);
    const double norms = std::sqrt(sums.aa * sums.bb);
    const auto number = [&](const std::string& call) {
      return db.number("SELECT " + call, blob_of(a), blob_of(b));
    };
    CAPTURE(d);
    CHECK(std::abs(number("vec_dot(?, ?)") - sums.dot) <= bound * sums.dot_magnitude);
    CHECK(std::abs(number("vec_cosine(?, ?)") - sums.dot / norms) <= 2 * bound);
    CHECK(std::abs(number("vec_distance_cosine(?, ?)") - (1 - sums.dot / norms)) <= 2 * bound);
    CHECK(std::abs(number("vec_distance_l2(?, ?)") - std::sqrt(sums.l2)) <= 2 * bound * std::sqrt(sums.l2));
    CHECK(std::abs(number("vec_distance_l1(?, ?)") - sums.l1) <= bound * sums.l1);
    CHECK(std::abs(number("vec_angle(?, ?)") - std::acos(std::clamp(sums.dot / norms, -1.0, 1.0))) <= 1e-7);
    CHECK(std::abs(db.number("SELECT vec_norm(?)", blob_of(a)) - std::sqrt(sums.aa)) <=
          bound * std::sqrt(sums.aa));
  }
}

TEST_CASE("similarities are symmetric in their bits, and a vector is at distance 0 from itself",
          "[surface][distance]") {
  Connection db;
  for (const std::size_t d : {1U, 5U, 100U, 768U}) {
    const Bytes a = blob_of(random_vector(d, 3));
    const Bytes b = blob_of(random_vector(d, 4));
    for (const std::string f : {"vec_dot", "vec_cosine", "vec_distance_cosine", "vec_distance_l2",
                                "vec_distance_l1", "vec_angle"}) {
      CAPTURE(f, d);
      CHECK(db.number("SELECT " + f + "(?1, ?2) = " + f + "(?2, ?1)", a, b) == 1);
    }
    CHECK(db.number("SELECT vec_cosine(?1, ?1)", a) == 1);
    CHECK(db.number("SELECT vec_distance_cosine(?1, ?1) + vec_distance_l2(?1, ?1) + vec_distance_l1(?1, ?1)",
                    a) == 0);
  }
}

TEST_CASE("a constant query gives the same bits as a column", "[surface][distance]") {
  Connection db;
  db.run("CREATE TABLE t(id INTEGER PRIMARY KEY, v, w, half)");
  for (std::uint32_t i = 0; i < 20; ++i) {
    db.rows("INSERT INTO t(v, w) VALUES (?, ?)", blob_of(random_vector(100, i)),
            blob_of(random_vector(100, 7)));
  }
  db.run("UPDATE t SET half = vec_f16(vec_f32(v))");
  const Bytes query = blob_of(random_vector(100, 7));
  const std::string json = db.one("SELECT vec_to_json(?)", query);
  for (const std::string f : {"vec_cosine", "vec_dot", "vec_distance_l2"}) {
    CAPTURE(f);
    const std::string same = "SELECT count(*) FROM t WHERE " + f + "(v, w) = ";
    CHECK(db.one(same + f + "(v, ?)", query) == "20");
    CHECK(db.one(same + f + "(?, v)", query) == "20");
    CHECK(db.one(same + f + "(v, vec_f32(?))", query) == "20");
    CHECK(db.one(same + f + "(v, ?)", json) == "20");
    CHECK(db.one(same + f + "(?, v)", json) == "20");
    CHECK(db.one("SELECT count(*) FROM t WHERE " + f + "(vec_f16(half), vec_f16(vec_f32(?1))) = " + f +
                     "(vec_f32(vec_f16(half)), vec_f32(vec_f16(vec_f32(?1))))",
                 query) == "20");
  }
}

TEST_CASE("what is kept of a query is forgotten with the statement's run", "[surface][distance]") {
  Connection db;
  db.run("CREATE TABLE t(v); INSERT INTO t VALUES ('[3, 4]'), ('[4, 3]')");
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(db.handle(),
                             "SELECT sum(vec_dot(v, ?)), sum(vec_cosine(vec_f32(v), vec_f32(?1))) FROM t", -1,
                             &statement, nullptr) == SQLITE_OK);
  const char* queries[] = {"[1, 0]", "[0, 2]", "[5, 5]"};
  const double dots[] = {7, 14, 70};
  const double cosines[] = {1.4, 1.4, 1.4 * std::sqrt(2.0)};
  for (int i = 0; i < 3; ++i) {
    sqlite3_bind_text(statement, 1, queries[i], -1, SQLITE_STATIC);
    REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
    CHECK(sqlite3_column_double(statement, 0) == dots[i]);
    CHECK(std::abs(sqlite3_column_double(statement, 1) - cosines[i]) < 1e-12);
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
}

TEST_CASE("unaligned BLOBs are read in place", "[surface][distance]") {
  Connection db;
  const std::vector<float> a = random_vector(67, 1);
  const double aligned = db.number("SELECT vec_dot(?1, ?1)", blob_of(a));
  for (std::size_t offset = 1; offset < 4; ++offset) {
    std::string buffer(offset, 'x');
    buffer += blob_of(a).bytes;
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(
                db.handle(), "SELECT vec_dot(?1, ?1), vec_to_json(vec_add(?1, ?1)), vec_to_json(vec_sum(?1))",
                -1, &statement, nullptr) == SQLITE_OK);
    sqlite3_bind_blob(statement, 1, buffer.data() + offset, static_cast<int>(a.size() * 4), SQLITE_STATIC);
    REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
    CHECK(sqlite3_column_double(statement, 0) == aligned);
    sqlite3_finalize(statement);
  }
}

TEST_CASE("sums that leave float32 are taken again in float64", "[surface][distance]") {
  Connection db;
  const Bytes large = blob_of(std::vector<float>{1e30F, 2e30F});
  const Bytes small = blob_of(std::vector<float>{1e-30F, 2e-30F});
  CHECK(std::abs(db.number("SELECT vec_cosine(?, '[1, 2]')", large) - 1) < 1e-7);
  CHECK(std::abs(db.number("SELECT vec_cosine(?, '[1, 2]')", small) - 1) < 1e-7);
  CHECK(std::abs(db.number("SELECT vec_dot(?1, ?1)", large) / 5e60 - 1) < 1e-6);
  CHECK(std::abs(db.number("SELECT vec_norm(?1)", small) / (std::sqrt(5.0) * 1e-30) - 1) < 1e-6);
  CHECK(db.one("SELECT vec_to_json(vec_normalize(?))", large) ==
        db.one("SELECT vec_to_json(vec_normalize('[1, 2]'))"));
}

TEST_CASE("int8 measures are exact", "[surface][distance]") {
  Connection db;
  std::mt19937 random(1);
  for (const std::size_t d : {1U, 5U, 64U, 100U, 1000U, 65'535U}) {
    std::vector<std::int8_t> a(d);
    std::vector<std::int8_t> b(d);
    for (std::size_t i = 0; i < d; ++i) {
      a[i] = static_cast<std::int8_t>(i % 5 == 0 ? -128 : static_cast<int>(random() % 256) - 128);
      b[i] = static_cast<std::int8_t>(i % 5 == 0 ? -128 : static_cast<int>(random() % 256) - 128);
    }
    const Reference sums = reference(a, b);
    const auto number = [&](const std::string& f) {
      return db.number("SELECT " + f + "(vec_int8(?), vec_int8(?))", blob_of(a), blob_of(b));
    };
    CAPTURE(d);
    CHECK(number("vec_dot") == sums.dot);
    CHECK(number("vec_distance_l1") == sums.l1);
    CHECK(number("vec_distance_l2") == std::sqrt(sums.l2));
    CHECK(std::abs(number("vec_cosine") - sums.dot / std::sqrt(sums.aa * sums.bb)) < 1e-15);
    CHECK(db.number("SELECT vec_norm(vec_int8(?))", blob_of(a)) == std::sqrt(sums.aa));
  }
}

TEST_CASE("hamming counts the bits that differ", "[surface][distance]") {
  Connection db;
  std::mt19937 random(1);
  for (const std::size_t bytes : {1U, 7U, 8U, 48U, 96U, 8191U}) {
    std::string a;
    std::string b;
    double expected = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      a += static_cast<char>(random());
      b += static_cast<char>(random());
      for (int bit = 0; bit < 8; ++bit) expected += ((a.back() ^ b.back()) >> bit) & 1;
    }
    CHECK(db.number("SELECT vec_distance_hamming(vec_bit(?), vec_bit(?))", Bytes{a}, Bytes{b}) == expected);
  }
}

TEST_CASE("a zero vector has no cosine", "[surface][distance]") {
  Connection db;
  for (const std::string f : {"vec_cosine", "vec_distance_cosine", "vec_angle"}) {
    for (const std::string type : {"vec_f32", "vec_f16", "vec_bf16", "vec_int8"}) {
      CAPTURE(f, type);
      CHECK(db.one("SELECT " + f + "(" + type + "('[0, 0]'), " + type + "('[1, 0]'))") == "NULL");
      CHECK(db.one("SELECT " + f + "(" + type + "('[1, 0]'), " + type + "('[0, 0]'))") == "NULL");
    }
  }
  CHECK(db.one("SELECT vec_normalize('[0, 0]')") == "NULL");
  CHECK(db.one("SELECT vec_cosine_gradient('[0, 0]', '[1, 2]')") == "NULL");
}

TEST_CASE("small angles are accurate where the cosine is not", "[surface][distance]") {
  Connection db;
  for (const double angle : {1e-1, 1e-3, 1e-5, 1e-6}) {
    const std::vector<float> b = {1.0F, static_cast<float>(std::tan(angle))};
    const double expected = std::atan(static_cast<double>(b[1]));
    CHECK(std::abs(db.number("SELECT vec_angle('[2, 0]', ?)", blob_of(b)) - expected) < 1e-14);
    CHECK(std::abs(db.number("SELECT vec_angle('[-2, 0]', ?)", blob_of(b)) - (std::acos(-1.0) - expected)) <
          1e-14);
  }
}

TEST_CASE("arithmetic rounds once, in every type", "[surface][arithmetic]") {
  Connection db;
  const std::vector<float> a = random_vector(77, 1);
  const std::vector<float> b = random_vector(77, 2);
  const auto sum = elements_of<float>(db.one("SELECT vec_add(?, ?)", blob_of(a), blob_of(b)));
  const auto difference = elements_of<float>(db.one("SELECT vec_sub(?, ?)", blob_of(a), blob_of(b)));
  const auto scaled = elements_of<float>(db.one("SELECT vec_scale(?, 0.1)", blob_of(a)));
  const auto unit = elements_of<float>(db.one("SELECT vec_normalize(?)", blob_of(a)));
  const double norm = std::sqrt(reference(a, a).aa);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(sum[i] == a[i] + b[i]);
    CHECK(difference[i] == a[i] - b[i]);
    CHECK(scaled[i] == static_cast<float>(0.1 * static_cast<double>(a[i])));
    CHECK(std::abs(static_cast<double>(unit[i]) - static_cast<double>(a[i]) / norm) <=
          1e-6 * std::abs(static_cast<double>(unit[i])));
  }
  CHECK(db.one("SELECT vec_to_json(vec_add(vec_f16('[1, 2048]'), vec_f16('[0.5, 1]')))") ==
        "[1.5,2048]");  // ties to even
  CHECK(db.one("SELECT vec_type(vec_add(vec_bf16('[1]'), vec_bf16('[1]')))") == "bfloat16");
  CHECK(db.one("SELECT vec_to_json(vec_sub(vec_int8('[100]'), vec_int8('[-27]')))") == "[127]");
}

TEST_CASE("the gradient of a cosine is its derivative", "[surface][arithmetic]") {
  Connection db;
  const std::size_t d = 6;
  const std::vector<float> x = random_vector(d, 1);
  const std::vector<float> y = random_vector(d, 2);
  const auto gradient =
      elements_of<float>(db.one("SELECT vec_cosine_gradient(?, ?)", blob_of(x), blob_of(y)));
  const auto cosine = [&](const std::vector<double>& at) {
    double dot = 0;
    double xx = 0;
    double yy = 0;
    for (std::size_t i = 0; i < d; ++i) {
      dot += at[i] * static_cast<double>(y[i]);
      xx += at[i] * at[i];
      yy += static_cast<double>(y[i]) * static_cast<double>(y[i]);
    }
    return dot / std::sqrt(xx * yy);
  };
  for (std::size_t i = 0; i < d; ++i) {
    constexpr double kStep = 1e-5;  // central differences: error of order step^2
    std::vector<double> up(x.begin(), x.end());
    std::vector<double> down = up;
    up[i] += kStep;
    down[i] -= kStep;
    CHECK(std::abs((cosine(up) - cosine(down)) / (2 * kStep) - static_cast<double>(gradient[i])) < 1e-7);
  }
}

TEST_CASE("conversions keep values and change types", "[surface][values]") {
  Connection db;
  CHECK(db.one("SELECT hex(vec_f16(vec_f32('[1, -2, 65504]')))") == "003C00C0FF7B");
  CHECK(db.one("SELECT hex(vec_bf16('[1, -2]'))") == "803F00C0");
  CHECK(db.one("SELECT vec_to_json(vec_f32(vec_int8('[-128, 5]')))") == "[-128,5]");
  CHECK(db.one("SELECT vec_to_json(vec_f32(vec_bit(x'03')))") == "[1,1,0,0,0,0,0,0]");
  CHECK(db.one("SELECT vec_to_json(vec_int8(vec_f32('[-128, 5]')))") == "[-128,5]");
  CHECK(db.one("SELECT vec_to_json(vec_bit('[1, 0, 0, 0, 0, 0, 0, 1]'))") == "[1,0,0,0,0,0,0,1]");
  CHECK(db.one("SELECT vec_to_json(vec_f32(vec_f16('[0.1]')))") == "[0.099975586]");
  CHECK(db.one("SELECT hex(vec_bit(x'81'))") == "81");
  for (const std::string type : {"vec_f32", "vec_f16", "vec_bf16", "vec_int8", "vec_bit"}) {
    CHECK(db.one("SELECT " + type + "(" + type + "('[1, 0, 1, 1, 0, 0, 1, 0]')) = " + type +
                 "('[1, 0, 1, 1, 0, 0, 1, 0]')") == "1");
  }
}

TEST_CASE("a subtype does not survive a plain table, so a column is wrapped", "[surface][values]") {
  Connection db;
  db.run("CREATE TABLE t(v); INSERT INTO t VALUES (vec_f16('[1, 2, 3, 4]'))");
  CHECK(db.one("SELECT vec_type(v) || vec_length(v) FROM t") == "float322");
  CHECK(db.one("SELECT vec_to_json(vec_f16(v)) FROM t") == "[1,2,3,4]");
  CHECK(db.error("SELECT vec_dot(v, '[1, 2, 3, 4]') FROM t") ==
        "vec_dot: dimensions differ: 2 and 4; a BLOB of 8 bytes is also 4 float16 or bfloat16 numbers: wrap "
        "it in "
        "vec_f16() or vec_bf16()");
}

TEST_CASE("slices are half-open, joins are in order", "[surface][values]") {
  Connection db;
  CHECK(db.one("SELECT vec_to_json(vec_slice('[1, 2, 3]', 0, 3))") == "[1,2,3]");
  CHECK(db.one("SELECT vec_to_json(vec_slice('[1, 2, 3]', 1, 2.0))") == "[2]");
  CHECK(db.one("SELECT hex(vec_slice(vec_bit(x'010203'), 8, 24))") == "0203");
  CHECK(db.one("SELECT vec_type(vec_slice(vec_int8('[1, 2]'), 0, 1))") == "int8");
  CHECK(db.one("SELECT hex(vec_concat(vec_bit(x'01'), vec_bit(x'02')))") == "0102");
  CHECK(db.one("SELECT vec_to_json(vec_concat(vec_slice(v, 0, 2), vec_slice(v, 2, 4))) FROM (SELECT '[1, 2, "
               "3, 4]' AS v)") == "[1,2,3,4]");
}

TEST_CASE("vec_each gives the elements in their own types, least significant bit first",
          "[surface][values]") {
  Connection db;
  using Rows = std::vector<std::vector<std::string>>;
  CHECK(db.rows("SELECT rowid, value, typeof(value) FROM vec_each(vec_bit(x'05')) LIMIT 3") ==
        Rows{{"0", "1", "integer"}, {"1", "0", "integer"}, {"2", "1", "integer"}});
  CHECK(db.rows("SELECT value, typeof(value) FROM vec_each(vec_f16('[0.5]'))") == Rows{{"0.5", "real"}});
  CHECK(db.rows("SELECT value FROM vec_each(NULL)").empty());
  CHECK(db.one("SELECT group_concat(t.id || ':' || e.value, ' ') FROM (SELECT 1 AS id, '[1, 2]' AS v UNION "
               "ALL SELECT 2, '[3]') t, "
               "vec_each(t.v) e") == "1:1.0 1:2.0 2:3.0");
}

TEST_CASE("vec_random is N(0, 1), the same for a seed, and its directions are spread", "[surface][values]") {
  Connection db;
  CHECK(db.one("SELECT vec_random(100, 7) = vec_random(100, 7)") == "1");
  CHECK(db.one("SELECT vec_slice(vec_random(100, 7), 0, 50) = vec_random(50, 7)") == "1");
  // The cosine of independent directions has standard deviation 1 / sqrt(d).
  CHECK(std::abs(db.number("SELECT vec_cosine(vec_random(10000, 1), vec_random(10000, 2))")) < 5.0 / 100);
}

TEST_CASE("quantizing to bits and bytes follows sqlite-vec", "[surface][arithmetic]") {
  Connection db;
  CHECK(db.one("SELECT hex(vec_quantize_binary('[1, 0, -1, 0.5, 0, 0, 0, 9]'))") == "89");
  CHECK(db.one("SELECT hex(vec_quantize_binary(vec_int8('[1, 0, -1, 5, 0, 0, 0, 9]')))") == "89");
  // As sqlite-vec 0.1.9 answers.
  CHECK(db.one("SELECT vec_to_json(vec_quantize_int8('[-1, 0, 0.5, 1, 0.999, -0.3]', 'unit'))") ==
        "[-128,0,63,126,126,-38]");
  CHECK(db.one("SELECT vec_to_json(vec_quantize_int8('[7, -9]', 'unit'))") == "[127,-128]");
}

TEST_CASE("functions marked deterministic may stand in indexes, the others may not", "[surface]") {
  Connection db;
  db.run(
      "CREATE TABLE t(v CHECK (vec_length(v) = 2)); CREATE INDEX i ON t(vec_norm(v)); CREATE INDEX j ON "
      "t(vec_cosine(v, '[1, 2]'));"
      "INSERT INTO t VALUES ('[3, 4]')");
  CHECK(db.one("SELECT v FROM t WHERE vec_norm(v) = 5.0") == "[3, 4]");
  CHECK(db.error("INSERT INTO t VALUES ('[3]')") == "CHECK constraint failed: vec_length(v) = 2");
  CHECK(db.error("CREATE INDEX k ON t(vec_angle(v, '[1, 2]'))") ==
        "non-deterministic functions prohibited in index expressions");
}

TEST_CASE("the extension describes itself", "[surface][about]") {
  Connection db;
  const std::string text = db.one("SELECT vec_debug()");
  const std::string last = text.substr(text.rfind('\n') + 1);
  CHECK(last.rfind("Build flags:", 0) == 0);
  CHECK(last.find(" baseline") != std::string::npos);
  CHECK(last.find(" " + db.one("SELECT vec_backend()")) != std::string::npos);
}
