// Bad input, by table: every function of vectors, every argument, every kind of wrong value. NULL gives NULL
// (an aggregate passes the row over); all else gives an error that starts with the function's name and reads
// on.

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "catch.hpp"
#include "connection.hpp"

namespace {

using isovec::test::blob_of;
using isovec::test::Connection;
using isovec::test::SqlError;

// What an argument is, and a right value for it.
enum class Kind { vector, bits, integer, number, text, other };
struct Argument {
  Kind kind;
  std::string right;
};
struct Callable {
  std::string name;
  std::vector<Argument> arguments;
  bool from_clause = false;
};

const Argument kVector{Kind::vector, "'[1, 2, 3, 4, 5, 6, 7, 8]'"};
const Argument kBits{Kind::bits, "vec_bit(x'07')"};

const std::vector<Callable>& callables() {
  const Argument number{Kind::number, "0.5"};
  const Argument index{Kind::integer, "1"};
  static const std::vector<Callable> all = {
      {"vec_f32", {kVector}},
      {"vec_f16", {kVector}},
      {"vec_bf16", {kVector}},
      {"vec_int8", {kVector}},
      {"vec_bit", {{Kind::vector, "'[1, 0, 1, 0, 1, 0, 1, 0]'"}}},
      {"vec_to_json", {kVector}},
      {"vec_length", {kVector}},
      {"vec_type", {kVector}},
      {"vec_at", {kVector, {Kind::integer, "0"}}},
      {"vec_slice", {kVector, {Kind::integer, "0"}, {Kind::integer, "2"}}},
      {"vec_concat", {kVector, kVector}},
      {"vec_zeros", {{Kind::integer, "3"}}},
      {"vec_random", {{Kind::integer, "3"}, index}},
      {"vec_each", {kVector}, true},
      {"vec_add", {kVector, kVector}},
      {"vec_sub", {kVector, kVector}},
      {"vec_mul", {kVector, kVector}},
      {"vec_scale", {kVector, number}},
      {"vec_norm", {kVector}},
      {"vec_normalize", {kVector}},
      {"vec_cosine_gradient", {kVector, kVector}},
      {"vec_quantize_binary", {kVector, kVector}},
      {"vec_quantize_binary", {kVector}},
      {"vec_quantize_int8", {kVector, {Kind::text, "'unit'"}}},
      {"vec_dot", {kVector, kVector}},
      {"vec_cosine", {kVector, kVector}},
      {"vec_angle", {kVector, kVector}},
      {"vec_distance_cosine", {kVector, kVector}},
      {"vec_distance_l2", {kVector, kVector}},
      {"vec_distance_l1", {kVector, kVector}},
      {"vec_distance_hamming", {kBits, kBits}},
      {"vec_distance_jaccard", {kBits, kBits}},
      {"vec_cosine_tail", {number, {Kind::number, "384"}}},
      {"vec_cosine_surprise", {number, {Kind::number, "384"}}},
      {"vec_cosine_quantile", {number, {Kind::number, "384"}}},
      {"vec_sum", {kVector}},
      {"vec_mean", {kVector}},
      {"vec_mean", {kVector, number}},
      {"vec_avg", {kVector, number}},
      {"vec_logsumexp", {number}},
      {"vec_alignment", {kVector, kVector}},
      {"vec_uniformity", {kVector, number, index}},
      {"vec_info_nce", {kVector, kVector, number}},
      {"vec_info_nce", {kVector, kVector, number, {Kind::text, "'symmetric=1'"}}},
      {"vec_cosine_histogram", {kVector, {Kind::integer, "4"}, index}},
      {"vec_pearson", {number, number}},
      {"vec_spearman", {number, number}},
      {"vec_ndcg", {number, number, index}},
      {"vec_recall", {number, number, index}},
  };
  return all;
}

const Argument kTransform{Kind::other,
                          "(SELECT vec_fit(column1, 'center') FROM (VALUES ('[1,2,3,4,5,6,7,8]'), "
                          "('[2,1,2,1,2,1,2,1]')))"};

// What the chapter on statistics and transforms says takes vectors, and the distances under a transform.
const std::vector<Callable>& callables_with_transforms() {
  const Argument options{Kind::other, "'weights=importance'"};
  const Argument number{Kind::number, "0.5"};
  static const std::vector<Callable> all = {
      {"vec_stats", {kVector}},
      {"vec_stats", {kVector, number}},
      {"vec_stats", {kVector, number, options}},
      {"vec_fit", {kVector, {Kind::other, "'center'"}}},
      {"vec_fit", {kVector, {Kind::other, "'center'"}, number}},
      {"vec_isotropy", {kVector}},
      {"vec_isotropy", {kVector, number}},
      {"vec_to_npy", {kVector}},
      {"vec_transform", {kVector, kTransform}},
      {"vec_inverse_transform", {kVector, kTransform}},
      {"vec_recenter", {kTransform, kVector}},
      {"vec_transform_make", {kVector, kVector}},
      {"vec_cosine", {kVector, kVector, kTransform}},
      {"vec_cosine", {kVector, kVector, kTransform, kTransform}},
      {"vec_dot", {kVector, kVector, kTransform}},
      {"vec_distance_cosine", {kVector, kVector, kTransform}},
      {"vec_distance_l2", {kVector, kVector, kTransform}},
  };
  return all;
}

std::vector<Callable> every_callable() {
  std::vector<Callable> all = callables();
  all.insert(all.end(), callables_with_transforms().begin(), callables_with_transforms().end());
  return all;
}

// test_subtype(blob, n): a BLOB with any subtype, which SQL alone cannot make.
void set_subtype(sqlite3_context* context, int, sqlite3_value** values) {
  sqlite3_result_value(context, values[0]);
  sqlite3_result_subtype(context, static_cast<unsigned>(sqlite3_value_int(values[1])));
}

void add_test_functions(Connection& db) {
  REQUIRE(sqlite3_create_function_v2(db.handle(), "test_subtype", 2, SQLITE_UTF8, nullptr, set_subtype,
                                     nullptr, nullptr, nullptr) == SQLITE_OK);
}

std::string call_of(const Callable& callable, std::size_t replaced, const std::string& value) {
  std::string text;
  for (std::size_t i = 0; i < callable.arguments.size(); ++i) {
    text += (i > 0 ? ", " : "") + (i == replaced ? value : callable.arguments[i].right);
  }
  text = callable.name + "(" + text + ")";
  return callable.from_clause ? "SELECT value FROM " + text : "SELECT " + text;
}

// Wrong values of each kind that are wrong whatever the function.
std::vector<std::string> wrong_values(Kind kind) {
  switch (kind) {
    case Kind::vector:
      return {"42",
              "1.5",
              "x''",
              "''",
              "'[]'",
              "'hello'",
              "'[1, 2'",
              "'[1, null]'",
              "'[1e39]'",
              "x'0102030405'",
              "zeroblob(262144)",
              "test_subtype(x'010203', 226)",
              "test_subtype(x'010203', 227)",
              "test_subtype(x'0102', 223)",
              "test_subtype(x'', 225)",
              "test_subtype(zeroblob(8192), 224)",
              "test_subtype(zeroblob(65536), 225)",
              "test_subtype(x'0102', 99)"};
    case Kind::bits:
      return {"42",
              "x''",
              "'[]'",
              "'[1, 0]'",
              "test_subtype(x'', 224)",
              "test_subtype(zeroblob(8192), 224)",
              "vec_int8('[1, 2, 3, 4, 5, 6, 7, 8]')",
              "'[1, 2, 3, 4, 5, 6, 7, 8]'"};
    case Kind::integer:
      return {"'1'", "x'01'", "1.5", "9e999", "-9e999", "1e30"};
    case Kind::number:
      return {"'1'", "x'01'", "9e999", "-9e999"};
    case Kind::text:
      return {"1", "2.5", "x'756e6974'", "'no such word'", "''"};
    case Kind::other:
      break;
  }
  return {};
}

// An element that is not finite, and 1, in hexadecimal.
struct Nonfinite {
  std::string subtype;
  std::string element;
  std::string one;
};
const std::vector<Nonfinite> kNonfinite = {{"223", "0000c07f", "0000803f"}, {"223", "0000807f", "0000803f"},
                                           {"223", "000080ff", "0000803f"}, {"226", "007c", "003c"},
                                           {"226", "ff7f", "003c"},         {"227", "807f", "803f"},
                                           {"227", "c0ff", "803f"}};

// Eight elements of a float type: the fourth, and the others.
std::string eight(const Nonfinite& type, const std::string& fourth, const std::string& other) {
  return "test_subtype(x'" + other + other + other + fourth + other + other + other + other + "', " +
         type.subtype + ")";
}

// The names of the parameters in a signature, and how many of them are required.
std::pair<std::vector<std::string>, std::size_t> parameters_of(const std::string& signature) {
  std::vector<std::string> words;
  std::size_t required = 0;
  const std::size_t begin = std::min(signature.find('('), signature.size());
  std::string word;
  bool optional = false;
  for (const char c : signature.substr(begin)) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
      continue;
    }
    if (!word.empty()) words.push_back(word);
    word.clear();
    if (!optional) required = words.size();
    optional = optional || c == '[';
  }
  return {words, required};
}

// These give an untyped BLOB a type of their own.
bool chooses_type(const std::string& name) {
  return name == "vec_f16" || name == "vec_bf16" || name == "vec_int8" || name == "vec_bit";
}

void check_error(Connection& db, const std::string& sql, const std::string& name) {
  CAPTURE(sql);
  const std::string message = db.error(sql);
  CHECK(message.rfind(name + ": ", 0) == 0);
  CHECK(message.size() > name.size() + 20);
}

}  // namespace

TEST_CASE("every function of these chapters has its line in the table", "[surface][arguments]") {
  Connection db;
  std::set<std::string> listed;
  for (const Callable& callable : callables()) listed.insert(callable.name);
  const std::set<std::string> elsewhere = {"vec_histogram", "vec_npy", "vec_to_npy", "vec_svg_histogram",
                                           "vec_svg_spectrum"};
  for (const auto& row : db.rows(
           "SELECT DISTINCT name FROM vec_help WHERE chapter IN ('Vectors as values', 'Arithmetic', "
           "'Similarity and distance', 'Aggregates', 'Judging results') AND signature NOT GLOB '*[( ]T*'")) {
    CAPTURE(row[0]);
    CHECK((listed.count(row[0]) == 1 || elsewhere.count(row[0]) == 1));
  }
}

TEST_CASE("NULL in, NULL out", "[surface][arguments]") {
  Connection db;
  for (const Callable& callable : callables()) {
    for (std::size_t i = 0; i < callable.arguments.size(); ++i) {
      const std::string sql = call_of(callable, i, "NULL");
      CAPTURE(sql);
      const auto rows = db.rows(sql);
      if (callable.from_clause) {
        CHECK(rows.empty());
      } else {
        REQUIRE(rows.size() == 1);
        CHECK(rows[0][0] == "NULL");
      }
    }
  }
}

TEST_CASE("NULL gives NULL whatever the other arguments are", "[surface][arguments]") {
  Connection db;
  const auto functions = db.rows(
      "SELECT DISTINCT name, narg FROM pragma_function_list WHERE name GLOB 'vec_*' AND narg >= 2 ORDER BY "
      "1");
  CHECK(functions.size() > 40);
  for (const auto& function : functions) {
    const int count = std::stoi(function[1]);
    for (int null = 0; null < count; ++null) {
      if (function[0] == "vec_transform_make" && null == 0) continue;  // the mean may be left out
      for (const char* wrong : {"42", "x'01'", "'no such thing'"}) {
        std::string call = function[0] + "(";
        for (int i = 0; i < count; ++i)
          call += std::string(i == 0 ? "" : ", ") + (i == null ? "NULL" : wrong);
        CAPTURE(call);
        CHECK(db.one("SELECT " + call + ") IS NULL") == "1");
      }
    }
  }
}

TEST_CASE("wrong values are errors that name the function", "[surface][arguments]") {
  Connection db;
  add_test_functions(db);
  for (const Callable& callable : callables()) {
    CHECK_NOTHROW(db.rows(call_of(callable, callable.arguments.size(), "")));
    for (std::size_t i = 0; i < callable.arguments.size(); ++i) {
      for (const std::string& wrong : wrong_values(callable.arguments[i].kind)) {
        const bool empty_options = callable.name == "vec_info_nce" && wrong == "''";
        const bool untyped = wrong == "x'0102030405'" || wrong == "test_subtype(x'0102', 99)";
        if (empty_options || (untyped && chooses_type(callable.name))) continue;
        check_error(db, call_of(callable, i, wrong), callable.name);
      }
    }
  }
}

TEST_CASE("every function whose signature names a vector is among those that get NaN",
          "[surface][arguments]") {
  Connection db;
  const std::set<std::string> vectors = {"a", "b",    "v", "q",      "x",     "y",
                                         "z", "mean", "W", "center", "query", "positive"};
  const std::set<std::string> of_numbers = {"vec_logsumexp", "vec_pearson", "vec_spearman"};
  int count = 0;
  for (const auto& row : db.rows("SELECT name, signature FROM vec_help")) {
    if (of_numbers.count(row[0]) == 1) continue;
    const auto [words, required] = parameters_of(row[1]);
    if (std::none_of(words.begin(), words.end(), [&](const auto& word) { return vectors.count(word) == 1; }))
      continue;
    ++count;
    CAPTURE(row[1]);
    const std::vector<Callable> all = every_callable();
    CHECK(
        std::any_of(all.begin(), all.end(), [&, least = required, most = words.size()](const Callable& one) {
          return one.name == row[0] && one.arguments.size() >= least && one.arguments.size() <= most;
        }));
  }
  CHECK(count > 45);
}

TEST_CASE("NaN and infinity are refused wherever a vector comes in", "[surface][arguments]") {
  Connection db;
  add_test_functions(db);
  for (const Callable& callable : every_callable()) {
    for (std::size_t i = 0; i < callable.arguments.size(); ++i) {
      if (callable.arguments[i].kind != Kind::vector) continue;
      for (const Nonfinite& bad : kNonfinite) {
        const std::string zero(bad.element.size(), '0');
        for (const std::string& other : {zero, bad.one}) {
          Callable same_shape = callable;  // the other vectors are of the same type, and sound
          for (Argument& argument : same_shape.arguments) {
            if (argument.kind == Kind::vector) argument.right = eight(bad, other, other);
          }
          const std::string sql = call_of(same_shape, i, eight(bad, bad.element, other));
          CAPTURE(sql);
          const std::string message = db.error(sql);
          CHECK(message.rfind(callable.name + ": element 3 is ", 0) == 0);
        }
      }
    }
  }
}

TEST_CASE("vectors of different dimensions or types are refused by every function of two",
          "[surface][arguments]") {
  Connection db;
  for (const Callable& callable : callables()) {
    if (callable.arguments.size() < 2 || callable.arguments[0].kind != callable.arguments[1].kind) continue;
    const bool bits = callable.arguments[0].kind == Kind::bits;
    if (!bits && callable.arguments[0].kind != Kind::vector) continue;
    CAPTURE(callable.name);
    if (callable.name != "vec_concat") {
      const std::string longer = bits ? "vec_bit(x'0707')" : "'[1, 2, 3, 4, 5, 6, 7, 8, 9]'";
      CHECK(db.error(call_of(callable, 1, longer)).find(": dimensions differ: 8 and ") != std::string::npos);
    }
    const std::string other = bits ? "vec_int8(x'0102030405060708')" : "vec_f16('[1, 2, 3, 4, 5, 6, 7, 8]')";
    CHECK(db.error(call_of(callable, 1, other)).find(": types differ: ") != std::string::npos);
  }
}

TEST_CASE("aggregates refuse a row of another dimension or type", "[surface][arguments]") {
  Connection db;
  for (const std::string call : {"vec_sum(v)", "vec_mean(v)", "vec_avg(v, 2)", "vec_uniformity(v)",
                                 "vec_cosine_histogram(v, 3)", "vec_info_nce(v, v, 1)"}) {
    CAPTURE(call);
    CHECK(db.error("SELECT " + call + " FROM (SELECT '[1, 2]' AS v UNION ALL SELECT '[1]')")
              .find("dimensions differ: 2 and 1") != std::string::npos);
    CHECK(db.error("SELECT " + call +
                   " FROM (SELECT '[1, 2]' AS v UNION ALL SELECT NULL UNION ALL SELECT '[1, 2, 3]')")
              .find("dimensions differ: 2 and 3") != std::string::npos);
  }
}

TEST_CASE("wrong numbers of arguments are refused by SQLite", "[surface][arguments]") {
  Connection db;
  std::map<std::string, std::set<std::size_t>> right;
  for (const auto& row :
       db.rows("SELECT name, narg FROM pragma_function_list WHERE name LIKE 'vec\\_%' ESCAPE '\\'")) {
    right[row[0]].insert(static_cast<std::size_t>(std::stoi(row[1])));
  }
  for (const Callable& callable : callables()) {
    if (callable.from_clause) continue;
    for (std::size_t count = 0; count < 7; ++count) {
      if (right[callable.name].count(count) == 1) continue;
      std::string arguments;
      for (std::size_t i = 0; i < count; ++i) arguments += i > 0 ? ", 1" : "1";
      CAPTURE(callable.name, count);
      CHECK(db.error("SELECT " + callable.name + "(" + arguments + ")") ==
            "wrong number of arguments to function " + callable.name + "()");
    }
  }
  CHECK_FALSE(db.error("SELECT * FROM vec_each").empty());
  CHECK_FALSE(db.error("SELECT * FROM vec_each(1, 2)").empty());
}

TEST_CASE("a BLOB of a gigabyte is refused without being copied", "[surface][arguments]") {
  Connection db;
  const std::string large = "zeroblob(900000000)";
  sqlite3_stmt* statement = nullptr;
  for (const std::string call :
       {"vec_length(?)", "vec_f32(?)", "vec_dot(?, '[1]')", "vec_sum(?)", "vec_to_json(?)"}) {
    CAPTURE(call);
    REQUIRE(sqlite3_prepare_v2(db.handle(), ("SELECT " + call).c_str(), -1, &statement, nullptr) ==
            SQLITE_OK);
    std::vector<char> bytes(400'000'000);
    sqlite3_bind_blob64(statement, 1, bytes.data(), bytes.size(), SQLITE_STATIC);
    sqlite3_memory_highwater(1);
    CHECK(sqlite3_step(statement) != SQLITE_ROW);
    CHECK(std::string(sqlite3_errmsg(db.handle())).find("above the limit of 65535") != std::string::npos);
    CHECK(sqlite3_memory_highwater(0) - sqlite3_memory_used() < 100'000'000);
    sqlite3_finalize(statement);
  }
}

TEST_CASE("numbers outside their range are refused with the range", "[surface][arguments]") {
  Connection db;
  const std::map<std::string, std::string> cases = {
      {"vec_at('[1, 2]', 2)", "vec_at: the index must be an integer from 0 to 1, and this is 2"},
      {"vec_at('[1, 2]', -1)", "vec_at: the index must be an integer from 0 to 1, and this is -1"},
      {"vec_slice('[1, 2]', -1, 1)", "vec_slice: start must be an integer from 0 to 1, and this is -1"},
      {"vec_slice('[1, 2]', 1, 1)", "vec_slice: end must be an integer from 2 to 2, and this is 1"},
      {"vec_slice('[1, 2]', 0, 3)", "vec_slice: end must be an integer from 1 to 2, and this is 3"},
      {"vec_slice(vec_bit(x'0707'), 4, 8)",
       "vec_slice: start and end of a slice of bits must be multiples of 8, and these are 4 and 8"},
      {"vec_zeros(0)", "vec_zeros: the dimension must be an integer from 1 to 65535, and this is 0"},
      {"vec_zeros(65536)", "vec_zeros: the dimension must be an integer from 1 to 65535, and this is 65536"},
      {"vec_concat(vec_zeros(40000), vec_zeros(40000))",
       "vec_concat: the result would have 80000 elements, and the limit is 65535"},
      {"vec_scale('[3e38]', 2)",
       "vec_scale: element 0 of the result is beyond float32, whose largest number is 3.4028235e38"},
      {"vec_add('[1, 3e38]', '[1, 3e38]')",
       "vec_add: element 1 of the result is beyond float32, whose largest number is 3.4028235e38"},
      {"vec_add(vec_f16('[60000]'), vec_f16('[60000]'))",
       "vec_add: element 0 is 120000, beyond float16, whose largest number is 65504"},
      {"vec_scale(vec_int8('[1]'), 2)",
       "vec_scale: takes float32, float16 or bfloat16 vectors (vec_f32() makes float32 of any), and this is "
       "int8"},
      {"vec_quantize_binary('[1, 2]')",
       "vec_quantize_binary: takes vectors of a multiple of 8 elements, and this has 2"},
      {"vec_quantize_int8('[1]', 'whole')",
       "vec_quantize_int8: the range must be 'unit' (elements in [-1, 1])"},
      {"vec_dot(vec_bit(x'01'), vec_bit(x'01'))",
       "vec_dot: bit vectors have no dot product; vec_distance_hamming(a, b) and vec_distance_jaccard(a, b) "
       "compare them"},
      {"vec_cosine(vec_bit(x'01'), vec_bit(x'01'))",
       "vec_cosine: bit vectors have no cosine; vec_distance_hamming(a, b) and vec_distance_jaccard(a, b) "
       "compare them"},
      {"vec_distance_hamming('[1]', '[1]')",
       "vec_distance_hamming: takes bit vectors, and these are float32; vec_bit() reads bits, "
       "vec_quantize_binary() makes them"},
      {"vec_cosine_tail(1.5, 10)", "vec_cosine_tail: the cosine must lie from -1 to 1, and this is 1.5"},
      {"vec_cosine_quantile(2, 10)",
       "vec_cosine_quantile: the probability must lie from 0 to 1, and this is 2"},
      {"vec_cosine_surprise(0.5, 1)",
       "vec_cosine_surprise: the dimension must be above 1 and at most 65535, and this is 1"},
      {"vec_mean('[1]', -1)", "vec_mean: a weight must not be negative, and this is -1"},
      {"vec_info_nce('[1]', '[1]', 0)", "vec_info_nce: tau must be above 0, and this is 0"},
      {"vec_info_nce('[1]', '[1]', 1, 'symmetric=2')",
       "vec_info_nce: the option symmetric is 0 or 1, and this is 2"},
      {"vec_info_nce('[1]', '[1]', 1, 'speed=1')",
       "vec_info_nce: the option 'speed' is unknown: give symmetric=1 or mask_duplicates=1"},
      {"vec_uniformity('[1]', -1)", "vec_uniformity: t must be above 0, and this is -1"},
      {"vec_cosine_histogram('[1]', 0)",
       "vec_cosine_histogram: the number of bins must be an integer from 1 to 10000, and this is 0"},
      {"vec_ndcg(1, -1, 1)", "vec_ndcg: a gain must not be negative, and this is -1"},
      {"vec_ndcg(1, 1, 0)", "vec_ndcg: k must be an integer from 1 to 9223372036854775807, and this is 0"},
      {"vec_dot(42, '[1]')", "vec_dot: a vector is a BLOB or a JSON array, and this is INTEGER"},
  };
  for (const auto& [call, message] : cases) {
    CAPTURE(call);
    CHECK(db.error("SELECT " + call) == message);
  }
}

TEST_CASE("parameters of an aggregate must stay the same", "[surface][arguments]") {
  Connection db;
  const std::string rows = " FROM (VALUES ('[1, 2]', 1), ('[2, 1]', 2))";
  CHECK(db.error("SELECT vec_uniformity(column1, column2)" + rows) ==
        "vec_uniformity: the second argument must be the same in every row");
  CHECK(db.error("SELECT vec_info_nce(column1, column1, column2)" + rows) ==
        "vec_info_nce: tau must be the same in every row");
  CHECK(db.error("SELECT vec_ndcg(1, 1, column2)" + rows) == "vec_ndcg: k must be the same in every row");
}
