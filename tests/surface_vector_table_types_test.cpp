// Columns of int8 and bit vectors, and the metrics l1 and hamming: what a search returns is what plain SQL
// over an ordinary table returns with the functions of those types, to the last bit.

#include "connection.hpp"

namespace {

using isovec::test::blob_of;
using isovec::test::Bytes;
using isovec::test::Connection;
using Rows = std::vector<std::vector<std::string>>;

// A declared column, how its vectors are made of a random float vector V, and its distance in plain SQL, X of
// a row and Q of the query.
struct Column {
  std::string declared;
  std::string dimension;
  std::string make;
  std::string distance;
};
const std::vector<Column> kColumns = {
    {"int8[19]", "19", "vec_quantize_int8(vec_scale(V, 0.3), 'unit')", "vec_distance_cosine(vec_int8(X), Q)"},
    {"INT8[19] distance_metric=l2", "19", "vec_quantize_int8(V, 'unit')", "vec_distance_l2(vec_int8(X), Q)"},
    {"i8[64] distance_metric=dot", "64", "vec_quantize_int8(V, 'unit')", "-vec_dot(vec_int8(X), Q)"},
    {"int8[33] distance_metric=L1", "33", "vec_quantize_int8(V, 'unit')", "vec_distance_l1(vec_int8(X), Q)"},
    {"bit[72]", "72", "vec_quantize_binary(V)", "vec_distance_hamming(vec_bit(X), Q)"},
    {"Bit[1024] distance_metric=hamming", "1024", "vec_quantize_binary(V)",
     "vec_distance_hamming(vec_bit(X), Q)"},
    {"bit[72] distance_metric=jaccard", "72", "vec_quantize_binary(vec_sub(V, vec_random(72, 1)))",
     "vec_distance_jaccard(vec_bit(X), Q)"},
    {"bit[8] distance_metric=jaccard", "8", "vec_quantize_binary(V)", "vec_distance_jaccard(vec_bit(X), Q)"},
    {"bit[8] codes=none", "8", "vec_quantize_binary(V)", "vec_distance_hamming(vec_bit(X), Q)"},
    {"float[19] distance_metric=l1", "19", "vec_f32(V)", "vec_distance_l1(X, Q)"},
    {"float16[40] distance_metric=l1", "40", "vec_f16(V)", "vec_distance_l1(vec_f16(X), Q)"},
    {"bfloat16[7] distance_metric=l1 codes=none", "7", "vec_bf16(V)", "vec_distance_l1(vec_bf16(X), Q)"},
};

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string vector_sql(const Column& column, const std::string& seed) {
  return replaced(column.make, "V", "vec_random(" + column.dimension + ", " + seed + ")");
}

// t, and an ordinary table u of the same rows: 700, so that groups of 256 slots are complete, every vector
// twice or more, so that distances tie.
void fill(Connection& db, const Column& column) {
  db.run("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, y integer, e " + column.declared +
         ");"
         "CREATE TABLE u(id INTEGER PRIMARY KEY, y integer, e BLOB);"
         "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 700)"
         "INSERT INTO u SELECT i * 5 - 900, i % 11, " +
         vector_sql(column, "i % 300") +
         " FROM c;"
         "INSERT INTO t(id, y, e) SELECT id, y, e FROM u");
  for (const char* table : {"t", "u"}) {
    const std::string name = table;
    db.run("DELETE FROM " + name + " WHERE id % 7 = 3; UPDATE " + name + " SET e = " +
           vector_sql(column, "id + 5000") + " WHERE y = 4; UPDATE " + name + " SET id = id + 1 WHERE y = 5");
  }
}

// What plain SQL says of a search.
std::string plain(const Column& column, const std::string& condition) {
  const std::string distance =
      replaced(replaced(column.distance, "Q", vector_sql(column, "77777")), "X", "e");
  return "SELECT id, printf('%.17g', d) FROM (SELECT id, y, " + distance +
         " AS d FROM u) WHERE d IS NOT NULL AND " + condition + " ORDER BY d, id";
}

std::string search(const Column& column, const std::string& condition) {
  return "SELECT id, printf('%.17g', distance) FROM t WHERE e MATCH " + vector_sql(column, "77777") +
         " AND " + condition;
}

void compare(Connection& db, const Column& column) {
  CHECK(db.rows("SELECT id, y, e FROM t ORDER BY id") == db.rows("SELECT id, y, e FROM u ORDER BY id"));
  const Rows all = db.rows(plain(column, "1"));
  REQUIRE(all.size() > 500);
  CHECK(db.rows(search(column, "1")) == all);
  CHECK(db.rows(search(column, "k = 25")) == db.rows(plain(column, "1") + " LIMIT 25"));
  CHECK(db.rows(search(column, "y > 6 AND k = 25")) == db.rows(plain(column, "y > 6") + " LIMIT 25"));
  CHECK(db.rows(search(column, "id = 101")) == db.rows(plain(column, "id = 101")));
  CHECK(db.rows(search(column, "y IN (2, 4)")) == db.rows(plain(column, "y IN (2, 4)")));
  const std::string middle =
      "(SELECT d FROM (" + replaced(plain(column, "1"), "printf('%.17g', d)", "d") + " LIMIT 1 OFFSET 250))";
  for (const std::string comparison : {" < ", " <= ", " > ", " >= "}) {
    CHECK(db.rows(search(column, "distance" + comparison + middle)) ==
          db.rows(plain(column, "d" + comparison + middle)));
  }
  CHECK(db.rows(search(column, "1 ORDER BY distance LIMIT 9 OFFSET 3")) ==
        db.rows(plain(column, "1") + " LIMIT 9 OFFSET 3"));
}

}  // namespace

TEST_CASE("each type and metric is searched with the rows, order and bits of plain SQL",
          "[surface][vector_table][types]") {
  for (const Column& column : kColumns) {
    CAPTURE(column.declared);
    Connection db;
    fill(db, column);
    compare(db, column);
    CHECK(db.one("SELECT count(*) FROM t WHERE vec_type(e) <> (SELECT type FROM isovec_info('t'))") == "0");
    CHECK(db.one("SELECT (SELECT count(*) FROM t_codes) + (SELECT count(*) FROM t_marks)") == "0");
    db.run("INSERT INTO t(t) VALUES ('integrity-check'); INSERT INTO t(t) VALUES ('optimize')");
    compare(db, column);
    db.run("INSERT INTO t(t) VALUES ('rebuild'); INSERT INTO t(t) VALUES ('integrity-check')");
    compare(db, column);
    // One search per row of another table, and a row is nearest to itself.
    if (column.declared.find("dot") == std::string::npos) {
      CHECK(db.one("SELECT count(*) FROM u JOIN t ON t.e MATCH u.e AND t.k = 1 WHERE u.id < -600 AND "
                   "+t.distance > 1e-6") == "0");
    }
  }
}

TEST_CASE("distances of small integers and bits are those worked out by hand",
          "[surface][vector_table][types]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a int8[2] distance_metric=l2, "
      "b int8[2] distance_metric=l1, c int8[2] distance_metric=dot, d int8[2], h bit[8], f float[2] "
      "distance_metric=l1);"
      "INSERT INTO t(id, a, b, c, d, h, f) VALUES"
      "  (1, '[3, -4]', '[3, -4]', '[3, -4]', '[3, -4]', vec_bit(x'0f'), '[0.5, -4]'),"
      "  (2, '[-128, 127]', '[-128, 127]', '[-128, 127]', '[-128, 127]', vec_bit(x'3c'), '[1e38, -3e38]')");
  const auto found = [&](const std::string& column, const std::string& query) {
    return db.rows("SELECT id, distance, similarity FROM t WHERE " + column + " MATCH " + query);
  };
  CHECK(found("a", "'[0, 0]'") == Rows{{"1", "5.0", "NULL"}, {"2", "180.313615681124", "NULL"}});
  CHECK(found("b", "'[127, -128]'") == Rows{{"1", "248.0", "NULL"}, {"2", "510.0", "NULL"}});
  CHECK(found("c", "'[-128, -128]'") == Rows{{"1", "-128.0", "128.0"}, {"2", "-128.0", "128.0"}});
  CHECK(found("d", "'[4, 3]'") == Rows{{"1", "1.0", "0.0"}, {"2", "1.14530239383771", "-0.145302393837709"}});
  CHECK(found("h", "vec_bit(x'0e')") == Rows{{"1", "1.0", "NULL"}, {"2", "3.0", "NULL"}});
  // The sum of the second is beyond float32.
  CHECK(found("f", "'[-1, -2]'") == Rows{{"1", "3.5", "NULL"}, {"2", "3.99999997352633e+38", "NULL"}});
}

TEST_CASE("a query is read as a value of the column's type, in every form of it",
          "[surface][vector_table][types]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a int8[8], b bit[16], f float[8] "
      "distance_metric=l1);"
      "CREATE TABLE forms(a, b, f);"
      "INSERT INTO forms VALUES (vec_int8('[1,-2,3,-4,5,-6,7,-128]'), "
      "vec_bit('[1,0,0,0,0,0,0,1,1,1,1,1,0,0,0,0]'), 0);"
      "INSERT INTO t(id, a, b, f) VALUES"
      "  (1, vec_int8('[1,-2,3,-4,5,-6,7,-128]'), vec_bit(x'810f'), '[1,2,3,4,5,6,7,8]'),"
      "  (2, x'01fe03fc05fa0780', x'810f', '[1,2,3,4,5,6,7,8]'),"
      "  (3, '[1, -2, 3.0, -4, 5e0, -6, 7, -128]', '[1,0,0,0,0,0,0,1,1,1,1,1,0,0,0,0]', '[1,2,3,4,5,6,7,8]');"
      "INSERT INTO t(id, a, b, f) SELECT 4, a, b, '[1,2,3,4,5,6,7,8]' FROM forms;"
      "INSERT INTO t(id, a, b, f) SELECT 5, a, b, f FROM t WHERE id = 1");
  CHECK(db.rows("SELECT DISTINCT a, b, vec_type(a), vec_to_json(a), vec_type(b), hex(b) FROM t").size() == 1);
  CHECK(db.rows("SELECT vec_type(a), vec_to_json(a), vec_type(b), hex(b) FROM t LIMIT 1") ==
        Rows{{"int8", "[1,-2,3,-4,5,-6,7,-128]", "bit", "810F"}});
  const Bytes a = blob_of(std::vector<signed char>{1, -2, 3, -4, 5, -6, 7, -128});
  const Bytes b = blob_of(std::vector<unsigned char>{0x81, 0x0f});
  CHECK(db.one("SELECT count(*) FROM t WHERE a MATCH ? AND distance = 0", a) == "5");
  CHECK(db.one("SELECT count(*) FROM t WHERE a MATCH vec_int8(?) AND distance = 0", a) == "5");
  CHECK(db.one("SELECT count(*) FROM t WHERE a MATCH '[1,-2,3,-4,5,-6,7,-128]' AND distance = 0") == "5");
  CHECK(db.one("SELECT count(*) FROM t WHERE b MATCH ? AND distance = 0", b) == "5");
  CHECK(db.one("SELECT count(*) FROM t WHERE b MATCH vec_bit(?) AND distance = 0", b) == "5");
  CHECK(db.one("SELECT count(*) FROM t WHERE b MATCH '[1,0,0,0,0,0,0,1,1,1,1,1,0,0,0,0]' AND distance = 0") ==
        "5");
  CHECK(db.one("SELECT count(*) FROM t AS s JOIN t ON t.a MATCH s.a AND t.k = 5 AND t.distance = 0") == "25");
}

TEST_CASE("float32 vectors go into float16 and bfloat16 columns and queries, rounded",
          "[surface][vector_table][types]") {
  for (const std::string half : {"float16", "bfloat16"}) {
    Connection db;
    CAPTURE(half);
    const std::string make = half == "float16" ? "vec_f16" : "vec_bf16";
    db.run("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e " + half +
           "[6] distance_metric=l2);"
           "CREATE TABLE u AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 300)"
           "SELECT i AS id, vec_random(6, i) AS e FROM c;"
           "INSERT INTO t(id, e) SELECT id, e FROM u WHERE id % 2;"  // tables keep no types
           "INSERT INTO t(id, e) SELECT id, vec_f32(e) FROM u WHERE id % 4 = 0;"
           "INSERT INTO t(id, e) SELECT id, " +
           make +
           "(vec_zeros(6)) FROM u WHERE id % 4 = 2;"
           "UPDATE t SET e = u.e FROM u WHERE u.id = t.id AND u.id % 4 = 2");
    // A BLOB of u has the size of float32 and no type.
    CHECK(db.rows("SELECT id, hex(e) FROM t ORDER BY id") ==
          db.rows("SELECT id, hex(" + make + "(vec_f32(e))) FROM u ORDER BY id"));
    const Rows nearest =
        db.rows("SELECT id, printf('%.17g', vec_distance_l2(" + make + "(vec_f32(e)), " + make +
                "(vec_random(6, 999)))) AS d FROM u ORDER BY CAST(d AS REAL), id LIMIT 20");
    for (const std::string query : {"vec_random(6, 999)", "(SELECT unhex(hex(vec_random(6, 999))))"}) {
      if (query[0] == '(' && sqlite3_libversion_number() < 3041000) continue;  // unhex() is that new
      CHECK(db.rows("SELECT id, printf('%.17g', distance) FROM t WHERE e MATCH " + query + " AND k = 20") ==
            nearest);
    }
    const auto refused = [&](const std::string& value) {
      const std::string message = db.error("INSERT INTO t(e) VALUES (" + value + ")");
      CHECK(db.error("SELECT id FROM t WHERE e MATCH " + value) == message);
      return message;
    };
    CHECK(refused("vec_zeros(5)") == "t: column e: dimensions differ: the column has 6 and the vector has 5");
    CHECK(refused("vec_f32('[1,2,3e38,4,3.4e38,6]')") ==
          (half == "float16"
               ? "t: column e: element 2 is 3e+38, beyond float16, whose largest number is 65504"
               : "t: column e: element 4 is 3.4e+38, beyond bfloat16, whose largest number is 3.3895314e38"));
    CHECK(refused("x'0000000000000000000000000000c07f0000000000000000'")
              .find("t: column e: element 3 is NaN") == 0);
  }
}

TEST_CASE("a vector of another type or size is refused with what to wrap it in",
          "[surface][vector_table][types]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a int8[8], b bit[16], f float[8] "
      "distance_metric=l1, g float16[8])");
  const auto error = [&](const std::string& column, const std::string& value) {
    std::string values;
    for (const char* of : {"a", "b", "f", "g"}) {
      const std::string zeros =
          "'[0,0,0,0,0,0,0,0" + std::string(of[0] == 'b' ? ",0,0,0,0,0,0,0,0" : "") + "]'";
      values += ", " + (column == of ? value : zeros);
    }
    const std::string stored = db.error("INSERT INTO t(id, a, b, f, g) VALUES (1" + values + ")");
    CHECK(db.error("SELECT id FROM t WHERE " + column + " MATCH " + value) == stored);
    return stored;
  };
  const std::string floats = "vec_f32('[1,2,3,4,5,6,7,8]')";
  CHECK(error("a", floats) ==
        "t: column a: types differ: the column has int8 and the vector has float32: wrap the vector in "
        "vec_int8(), "
        "or of fractions in vec_quantize_int8(v, 'unit')");
  CHECK(error("b", "vec_int8('[1,0,1,0,1,0,1,0]')") ==
        "t: column b: types differ: the column has bit and the vector has int8: wrap the vector in "
        "vec_bit(), or of "
        "other numbers in vec_quantize_binary()");
  CHECK(error("f", "vec_int8('[1,2,3,4,5,6,7,8]')") ==
        "t: column f: types differ: the column has float32 and the vector has int8: wrap the vector in "
        "vec_f32()");
  CHECK(error("g", "vec_bit(x'01')") ==
        "t: column g: types differ: the column has float16 and the vector has bit: wrap the vector in "
        "vec_f16()");
  CHECK(
      error("a", "zeroblob(32)") ==
      "t: column a: dimensions differ: the column has 8 and the vector has 32; a BLOB of 32 bytes is also 8 "
      "float32 numbers: wrap it in vec_int8(), or of fractions in vec_quantize_int8(v, 'unit')");
  CHECK(error("b", "zeroblob(64)") ==
        "t: column b: dimensions differ: the column has 16 and the vector has 512; a BLOB of 64 bytes is "
        "also 16 "
        "float32 numbers: wrap it in vec_bit(), or of other numbers in vec_quantize_binary()");
  CHECK(error("b", "x'01'") == "t: column b: dimensions differ: the column has 16 and the vector has 8");
  CHECK(error("b", "x''") == "t: column b: a vector of 16 bits has 2 bytes, got 0");
  CHECK(error("a", "x''") == "t: column a: a vector of 8 int8 numbers has 8 bytes, got 0");
  CHECK(error("b", "7") ==
        "t: column b: expected a vector of 16 bits as a BLOB or a JSON array, got INTEGER");
  CHECK(error("a", "7") ==
        "t: column a: expected a vector of 8 int8 numbers as a BLOB or a JSON array, got INTEGER");
  CHECK(
      error("a", "'[1,2,3,4,5,6,7,8.5]'") ==
      "t: column a: element 7 is 8.5, no integer of -128 to 127; vec_quantize_int8(v, 'unit') makes int8 of "
      "float32");
  CHECK(error("a", "'[1,2,3,4,5,6,7,128]'").find("element 7 is 128, no integer") != std::string::npos);
  CHECK(error("b", "'[1,0,0,0,0,0,0,1,1,1,1,1,0,0,0,2]'").find("element 15 is 2, neither 0 nor 1") !=
        std::string::npos);
  CHECK(error("b", "'[1,0]'") == "t: column b: dimensions differ: the column has 16 and the vector has 2");
  db.run("INSERT INTO t(t) VALUES ('integrity-check')");
  CHECK(db.one("SELECT count(*) FROM t") == "0");
}

TEST_CASE("a zero vector of int8 has no cosine; -128 is no zero", "[surface][vector_table][types]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a int8[2], b int8[2] distance_metric=l1, "
      "c bit[8], d float[2] distance_metric=l1, e int8[2] distance_metric=dot);"
      "INSERT INTO t(id, a, b, c, d, e) VALUES (1, '[0, 0]', '[0, 0]', x'00', '[0, 0]', '[0, 0]'),"
      "  (2, '[-128, 0]', '[-128, 0]', x'80', '[-0.0, 1]', '[0, -128]')");
  CHECK(db.rows("SELECT id FROM t WHERE a MATCH '[-1, 0]'") == Rows{{"2"}});
  CHECK(db.one("SELECT count(*) FROM t WHERE a MATCH '[0, 0]'") == "0");
  for (const char* column : {"b", "d", "e"}) {
    CHECK(db.one(std::string("SELECT count(*) FROM t WHERE ") + column + " MATCH '[0, 0]'") == "2");
  }
  CHECK(db.rows("SELECT id, distance FROM t WHERE c MATCH x'00'") == Rows{{"1", "0.0"}, {"2", "1.0"}});
  // Two slots of a checksum and the vector; a chunk has room for 4 KB of them.
  CHECK(db.rows(
            "SELECT name, row_count, dimension, type, metric, undefined, raw_bytes FROM isovec_info('t')") ==
        Rows{{"a", "2", "2", "int8", "cosine", "1", "4090"},
             {"b", "2", "2", "int8", "l1", "0", "4090"},
             {"c", "2", "8", "bit", "hamming", "0", "4095"},
             {"d", "2", "2", "float32", "l1", "0", "4096"},
             {"e", "2", "2", "int8", "dot", "0", "4090"}});
}

TEST_CASE("an int8 column takes a transform as the float column of its values does",
          "[surface][vector_table][types]") {
  const std::string metric = GENERATE("cosine", "l2", "dot");
  Connection db;
  db.run("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e int8[9] distance_metric=" + metric +
         " transform='whiten eps=1');"
         "CREATE VIRTUAL TABLE w USING isovec(id INTEGER PRIMARY KEY, e float[9] distance_metric=" +
         metric +
         ");"
         "CREATE TABLE u(id INTEGER PRIMARY KEY, e BLOB);"
         "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 600)"
         "INSERT INTO u SELECT i, vec_quantize_int8(vec_scale(vec_random(9, i), 0.3), 'unit') FROM c;"
         "INSERT INTO t(id, e) SELECT id, e FROM u; INSERT INTO w(id, e) SELECT id, vec_f32(vec_int8(e)) "
         "FROM u");
  const std::string query = "'[10, -20, 3, 40, 5, -6, 70, 8, 99]'";
  const std::string ask = " WHERE e MATCH " + query;
  CHECK(db.error("SELECT id FROM t" + ask).find("which is not fitted") != std::string::npos);
  CHECK(db.rows("SELECT id, printf('%.17g', distance) FROM t" + ask + " AND transform = 'none'").size() ==
        600);
  db.run("INSERT INTO t(t) VALUES ('fit')");
  CHECK(db.one("SELECT transform FROM t LIMIT 1") ==
        db.one("SELECT vec_fit(vec_int8(e), 'whiten eps=1') FROM u"));
  db.run("INSERT INTO w(w, transform) VALUES ('transform', (SELECT transform FROM t LIMIT 1))");
  const auto check_same = [&](const std::string& also) {
    const std::string end = ask + also;
    CAPTURE(end);
    const Rows found = db.rows("SELECT id, printf('%.17g', distance), similarity FROM t" + end);
    CHECK(found.size() > 500);
    CHECK(found == db.rows("SELECT id, printf('%.17g', distance), similarity FROM w" + end));
  };
  check_same("");
  check_same(" AND query_mean = '[1,2,3,4,5,6,7,8,9]'");
  check_same(" AND transform = (SELECT vec_fit(vec_int8(e), 'center') FROM u)");
  for (const char* table : {"t", "w"}) {
    const std::string name = table;
    db.run("DELETE FROM " + name + " WHERE id % 9 = 0; UPDATE " + name +
           " SET e = '[1,1,1,1,1,1,1,1,-128]' WHERE id % 50 = 1; INSERT INTO " + name + "(" + name +
           ") VALUES ('optimize'); INSERT INTO " + name + "(" + name + ") VALUES ('integrity-check')");
  }
  check_same("");
  if (metric == "dot") return;
  // Each score beside the function's, which maps both sides in float32 first.
  const std::string apart = "abs(distance - vec_distance_" + metric + "(e, vec_int8(" + query +
                            "), (SELECT transform FROM w LIMIT 1)))";
  CHECK(db.number("SELECT max(" + apart + ") FROM t" + ask) < 1e-5);
}

TEST_CASE("bits, and columns searched by l1, take no transform", "[surface][vector_table][types]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, b bit[8], l int8[8] distance_metric=l1, "
      "e float[8]);"
      "INSERT INTO t(id, b, l, e) VALUES (1, x'01', '[1,2,3,4,5,6,7,8]', '[1,2,3,4,5,6,7,8]'), (2, x'03', "
      "'[2,2,3,4,5,6,7,8]', '[1,0,3,4,5,6,7,8]')");
  const std::string bits =
      "column b holds bits, and a transform is of numbers: transform a float or int8 column, or the vectors "
      "before "
      "they become bits";
  const std::string l1 =
      "column l is searched by l1, which has no form under a transform: cosine, l2 and dot have";
  const std::string identity = "(SELECT vec_fit(e, 'center') FROM t)";
  for (const auto& [column, sentence] : {std::pair<std::string, std::string>{"b", bits}, {"l", l1}}) {
    CHECK(db.error("INSERT INTO t(t) VALUES ('fit column=" + column + " center')") == "t: " + sentence);
    CHECK(db.error("INSERT INTO t(t, transform) VALUES ('transform column=" + column + "', " + identity +
                   ")") == "t: " + sentence);
    const std::string ask = "SELECT count(*) FROM t WHERE " + column + " MATCH " +
                            (column == "b" ? "x'01'" : "'[1,2,3,4,5,6,7,8]'");
    CHECK(db.error(ask + " AND transform = " + identity) == "t: " + sentence);
    CHECK(db.one(ask + " AND transform = 'none'") == "2");
    CHECK(db.error(ask + " AND query_mean = '[1,2,3,4,5,6,7,8]'").find("t: query_mean replaces the mean") ==
          0);
  }
  // The commands without a column pass them by.
  db.run("INSERT INTO t(t) VALUES ('fit column=e center'), ('fit'), ('unfit'), ('integrity-check')");
  CHECK(db.error("CREATE VIRTUAL TABLE v USING isovec(b bit[8] transform='center')") ==
        "isovec: in 'b bit[8] transform='center'': " + bits);
  CHECK(db.error("CREATE VIRTUAL TABLE v USING isovec(l float[8] transform='center' distance_metric=l1)") ==
        "isovec: in 'l float[8] transform='center' distance_metric=l1': " + l1);
}
