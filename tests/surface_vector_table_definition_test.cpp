// CREATE VIRTUAL TABLE ... USING isovec(...): each way to write it right, and what is said of each way to
// write it wrong.

#include "connection.hpp"
#include "surface/definition_source.hpp"

namespace {

using isovec::test::Connection;

std::string columns_of(const std::string& arguments) {
  Connection db;
  db.run("CREATE VIRTUAL TABLE t USING isovec(" + arguments + ")");
  db.run("DROP TABLE t");
  db.run("CREATE VIRTUAL TABLE t USING isovec(" + arguments + ")");
  return db.one(
      "SELECT group_concat(name || ' ' || lower(type), ', ') FROM pragma_table_xinfo('t') WHERE hidden = 0");
}

std::string refusal(const std::string& arguments) {
  Connection db;
  const std::string message = db.error("CREATE VIRTUAL TABLE t USING isovec(" + arguments + ")");
  CHECK(db.one("SELECT count(*) FROM sqlite_schema") == "0");  // nothing is left behind
  return message;
}

}  // namespace

TEST_CASE("columns may be declared in every form of the grammar", "[surface][definition]") {
  CHECK(columns_of("a float[3]") == "a blob");
  CHECK(columns_of("id INTEGER PRIMARY KEY, a FLOAT[3], b f32[2] distance_metric=l2") ==
        "id integer, a blob, b blob");
  CHECK(columns_of("key text primary key, a float16[8] distance_metric = dot, b bf16[4]") ==
        "key text, a blob, b blob");
  CHECK(columns_of("a float[3] transform='whiten eps=1' distance_metric=cosine codes=none") == "a blob");
  CHECK(columns_of(
            "a INT8[3], b i8[2] distance_metric=l1, c Bit[8], d bit[16] distance_metric=HAMMING codes=none, "
            "e f16[3] distance_metric=L1, f int8[8192] transform='center'") ==
        "a blob, b blob, c blob, d blob, e blob, f blob");
  CHECK(columns_of(
            "a float[3], p Text Partition Key, y integer, l text INDEXED, +b blob, +c, x real, f boolean") ==
        "a blob, p text, y integer, l text, b blob, c , x real, f boolean");
  CHECK(columns_of("\"a col\" float[3], `b` float[2], [c]float[1], chunk_size=8") ==
        "a col blob, b blob, c blob");
  CHECK(columns_of("a -- the vector\n float[3] /* of three */ transform='center', -- declared\n +body text "
                   "-- last\n") == "a blob, body text");
  CHECK(columns_of("\"select\" float[8192]") == "select blob");
}

TEST_CASE("a wrong definition is refused with a sentence that says where and what is allowed",
          "[surface][definition]") {
  CHECK(refusal("id integer primary key") ==
        "isovec: a table needs a vector column, such as embedding float[768]");
  CHECK(refusal("a float[0]") ==
        "isovec: in 'a float[0]': the dimension must be a number from 1 to 8192, got '0'");
  CHECK(refusal("a float[8193]").find("from 1 to 8192, got '8193'") != std::string::npos);
  CHECK(refusal("a float[99999999999999999999]").find("from 1 to 8192") != std::string::npos);
  CHECK(refusal("a float[-3]").find("from 1 to 8192, got '-'") != std::string::npos);
  CHECK(refusal("a float[3 5]") == "isovec: in 'a float[3 5]': expected ']' after the dimension, found '5'");
  CHECK(refusal("a flaot[3]") ==
        "isovec: in 'a flaot[3]': unknown vector type 'flaot': float, float16, bfloat16, int8, bit");
  CHECK(refusal("a bit[12]").find("must be a multiple of 8, got 12") != std::string::npos);
  CHECK(
      refusal("a float[3] distance_metric=euclid") ==
      "isovec: in 'a float[3] distance_metric=euclid': distance_metric must be cosine, l2, dot or l1, found "
      "'euclid'");
  CHECK(refusal("a int8[3] distance_metric=hamming")
            .find("must be cosine, l2, dot or l1, found 'hamming', which is of bit columns") !=
        std::string::npos);
  CHECK(refusal("a bit[8] distance_metric=cosine")
            .find("distance_metric of a bit column must be hamming or jaccard, found 'cosine'") !=
        std::string::npos);
  CHECK(refusal("a float[3] metric=l2")
            .find("unknown option 'metric': a vector column takes distance_metric=, "
                  "transform=, codes=") != std::string::npos);
  CHECK(refusal("a float[3] transform=center").find("needs a spec in single quotes") != std::string::npos);
  CHECK(refusal("a float[3] transform='whitten'").find("in 'a float[3] transform='whitten'': ") !=
        std::string::npos);
  CHECK(refusal("a float[3], b")
            .find("in 'b': expected a type after the name, found nothing: a vector such as "
                  "float[768]") != std::string::npos);
  CHECK(
      refusal("a float[3], b varchar(x)").find("expected a number in the parentheses of a type, found 'x'") !=
      std::string::npos);
  CHECK(refusal("a float[3], b text unique").find("INDEXED, NOT NULL, DEFAULT or COLLATE, found 'unique'") !=
        std::string::npos);
  CHECK(refusal("a float[3], b text primary").find("expected KEY after primary, found nothing") !=
        std::string::npos);
  CHECK(refusal("a float[3], b real primary key").find("a primary key is INTEGER or TEXT, not real") !=
        std::string::npos);
  CHECK(refusal("a float[3], b int primary key, c text primary key").find("has a primary key already: b") !=
        std::string::npos);
  CHECK(refusal("a float[3], +b text indexed").find("an auxiliary column has no INDEXED") !=
        std::string::npos);
  CHECK(refusal("a float[3] distance_metric=l2 distance_metric=dot")
            .find("option 'distance_metric' is given twice") != std::string::npos);
  CHECK(refusal("a float[3], page_size=5").find("unknown table option 'page_size'") != std::string::npos);
  CHECK(refusal("a float[3], A float[2]") == "isovec: two columns are named A");
  for (const char* hidden : {"distance", "Similarity", "k", "transform", "query_mean"}) {
    CHECK(refusal("a float[3], " + std::string(hidden) + " text") ==
          "isovec: a column cannot be named " + std::string(hidden) +
              ": every isovec table has a hidden column of that name");
  }
  CHECK(refusal("t float[3]").find("the table cannot be named t") != std::string::npos);
  CHECK(refusal("a float[3] 5").find("expected distance_metric=") != std::string::npos);
  CHECK(refusal("5 float[3]").find("expected the name of a column, found '5'") != std::string::npos);
}

TEST_CASE("a table cannot be renamed onto one of its columns", "[surface][definition]") {
  Connection db;
  db.run("CREATE VIRTUAL TABLE t USING isovec(a float[2], body text)");
  CHECK(db.error("ALTER TABLE t RENAME TO distance").find("the table cannot be named distance") !=
        std::string::npos);
  CHECK(db.error("ALTER TABLE t RENAME TO Body").find("the table cannot be named Body") != std::string::npos);
  db.run("INSERT INTO t(a) VALUES ('[1,2]'); INSERT INTO t(t) VALUES ('integrity-check')");
}

TEST_CASE("the arguments of a CREATE statement are split as SQLite splits them", "[surface][definition]") {
  using isovec::surface::arguments_of;
  CHECK(arguments_of("CREATE VIRTUAL TABLE t USING isovec(a float[2], b text)") ==
        isovec::Buffer<std::string>{"a float[2]", " b text"});
  CHECK(arguments_of(
            "CREATE VIRTUAL TABLE \"x(,)\" USING isovec(\"a,)\" float[2] transform='whiten, eps=1')") ==
        isovec::Buffer<std::string>{"\"a,)\" float[2] transform='whiten, eps=1'"});
  CHECK(arguments_of("CREATE VIRTUAL TABLE t USING isovec(a float[2], -- one, two)\n b text)") ==
        isovec::Buffer<std::string>{"a float[2]", "  \n b text"});
  CHECK(arguments_of("CREATE VIRTUAL TABLE t USING isovec([a,)(\"] float[2], b text)") ==
        isovec::Buffer<std::string>{"[a,)(\"] float[2]", " b text"});
  // SQLite passes no empty argument on.
  CHECK(arguments_of("CREATE VIRTUAL TABLE t USING isovec(,a float[2],, /* none */ ,b text,)") ==
        isovec::Buffer<std::string>{"a float[2]", "b text"});
  Connection db;
  db.run("CREATE VIRTUAL TABLE t USING isovec(, a float[2],, b text)");
  CHECK(db.one("SELECT name FROM isovec_info('t')") == "a");
}
