// Every aggregate and window function with a wrong argument in its first, a middle and its last row: an error
// of its own or a value, never a crash, and nothing of it is left for the next call. SQLite runs the final
// call after a failed step as well.

#include <map>
#include <set>

#include "catch.hpp"
#include "connection.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::SqlError;

// The arguments of five rows that an aggregate takes.
using Arguments = std::vector<std::string>;
using Rows = std::vector<Arguments>;

Rows rows_of(const std::vector<std::string>& first, const Arguments& others) {
  Rows rows;
  for (const std::string& value : first) {
    rows.push_back({value});
    rows.back().insert(rows.back().end(), others.begin(), others.end());
  }
  return rows;
}

const std::vector<std::string>& vectors() {
  static const std::vector<std::string> all = {"'[1, 2]'", "'[2, 1]'", "'[-1, 3]'", "'[4, 4]'", "'[0.5, 7]'"};
  return all;
}
const std::vector<std::string>& numbers() {
  static const std::vector<std::string> all = {"0.5", "-0.25", "0.125", "1", "0.75"};
  return all;
}

// All signatures of each aggregate. What is not here fails the test below that counts them.
const std::multimap<std::string, Rows>& aggregates() {
  static const std::multimap<std::string, Rows> all = {
      {"vec_sum", rows_of(vectors(), {})},
      {"vec_mean", rows_of(vectors(), {})},
      {"vec_mean", rows_of(vectors(), {"2"})},
      {"vec_avg", rows_of(vectors(), {"2"})},
      {"vec_logsumexp", rows_of(numbers(), {})},
      {"vec_alignment", rows_of(vectors(), {"'[3, 4]'"})},
      {"vec_uniformity", rows_of(vectors(), {"2", "7"})},
      {"vec_info_nce", rows_of(vectors(), {"'[3, 4]'", "0.5", "'symmetric=1'"})},
      {"vec_cosine_histogram", rows_of(vectors(), {"4", "7"})},
      {"vec_stats", rows_of(vectors(), {"2", "'normalize=before'"})},
      {"vec_stats", rows_of(vectors(), {"2", "'moments=first'"})},
      {"vec_stats_merge", rows_of({"(SELECT vec_stats('[1, 2]'))", "(SELECT vec_stats('[2, 1]'))",
                                   "(SELECT vec_stats('[0, 1]'))", "(SELECT vec_stats('[5, 1]'))",
                                   "(SELECT vec_stats('[2, 9]'))"},
                                  {})},
      {"vec_fit", rows_of(vectors(), {"'whiten eps=1'", "2"})},
      {"vec_fit", rows_of(vectors(), {"'center'", "2"})},
      {"vec_isotropy", rows_of(vectors(), {"2"})},
      {"vec_to_npy", rows_of(vectors(), {})},
      {"vec_pearson", rows_of(numbers(), {"abs(random() % 1)"})},
      {"vec_spearman", rows_of(numbers(), {"3"})},
      {"vec_ndcg", rows_of(numbers(), {"1", "2"})},
      {"vec_recall", rows_of(numbers(), {"1", "2"})},
      {"vec_svg_histogram", rows_of(numbers(), {"'label'", "50"})},
      {"vec_svg_spectrum", rows_of(numbers(), {"'label'"})},
  };
  return all;
}

const Arguments& wrong_values() {
  static const Arguments all = {"NULL",
                                "'hello'",
                                "''",
                                "x''",
                                "x'01'",
                                "zeroblob(262144)",
                                "'[]'",
                                "'[1, 2, 3]'",
                                "'[0, 0]'",
                                "'[1e39, 1]'",
                                "x'0000c07f0000c07f'",
                                "vec_bit(x'01')",
                                "vec_f16('[1, 2]')",
                                "'center'",
                                "'whiten basis=zca k=9'",
                                "'moments=second slice=9'",
                                "(SELECT vec_stats('[1, 2, 3]'))",
                                "(SELECT vec_stats('[9, 9]') FROM (VALUES (1), (2), (3)))",
                                "-1",
                                "0",
                                "1.5",
                                "3",
                                "1e308",
                                "-1e308",
                                "9e999",
                                "9223372036854775807"};
  return all;
}

std::string table_of(const Rows& rows) {
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += (i > 0 ? " UNION ALL SELECT " : "SELECT ") + std::to_string(i) + " AS n";
    for (std::size_t j = 0; j < rows[i].size(); ++j) {
      text += ", " + rows[i][j] + (i == 0 ? " AS a" + std::to_string(j) : "");
    }
  }
  return "(" + text + ")";
}

std::string call_of(const std::string& name, std::size_t arguments) {
  std::string text = name + "(";
  for (std::size_t j = 0; j < arguments; ++j) text += (j > 0 ? ", a" : "a") + std::to_string(j);
  return text + ")";
}

constexpr const char* kFrames[] = {
    "",
    " OVER (ORDER BY n)",
    " OVER (ORDER BY n ROWS 1 PRECEDING)",
    " OVER (ORDER BY n ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)",
    " OVER (ORDER BY n ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING EXCLUDE CURRENT ROW)",
};

std::set<std::string> window_functions(Connection& db) {
  std::set<std::string> names;
  for (const auto& row : db.rows("SELECT DISTINCT name FROM pragma_function_list WHERE type = 'w' AND name "
                                 "LIKE 'vec\\_%' ESCAPE '\\'")) {
    names.insert(row[0]);
  }
  return names;
}

void check_error(const std::string& name, const SqlError& error) {
  const std::string message = error.what();
  CHECK(message.rfind(name + ": ", 0) == 0);
  CHECK(message.size() > name.size() + 8);
  CHECK(error.result_code != SQLITE_NOMEM);
}

}  // namespace

TEST_CASE("every aggregate and window function is tried below", "[surface][aggregate][errors]") {
  Connection db;
  for (const auto& row :
       db.rows("SELECT DISTINCT name FROM pragma_function_list WHERE type IN ('a', 'w') AND "
               "name LIKE 'vec\\_%' ESCAPE '\\'")) {
    CAPTURE(row[0]);
    CHECK(aggregates().count(row[0]) > 0);
  }
}

TEST_CASE("a wrong argument in any row of an aggregate costs an error and nothing else",
          "[surface][aggregate][errors]") {
  Connection db;
  const std::set<std::string> windows = window_functions(db);
  REQUIRE(windows.size() >= 7);
  for (const auto& [name, good] : aggregates()) {
    const std::string call = call_of(name, good.front().size());
    for (const std::string frame : kFrames) {
      if (!frame.empty() && windows.count(name) == 0) continue;
      const auto select = [&](const Rows& rows) {
        return "SELECT " + call + frame + " FROM " + table_of(rows);
      };
      const auto right = db.rows(select(good));
      std::size_t errors = 0;
      for (const std::size_t position : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
        for (std::size_t argument = 0; argument < good.front().size(); ++argument) {
          for (const std::string& value : wrong_values()) {
            Rows rows = good;
            rows[position][argument] = value;
            const std::string sql = select(rows);
            CAPTURE(sql);
            try {
              db.rows(sql);
            } catch (const SqlError& error) {
              ++errors;
              check_error(name, error);
            }
          }
        }
      }
      CAPTURE(name, frame);
      CHECK(errors > 0);
      CHECK(db.rows(select(good)) == right);
    }
  }
}

TEST_CASE("a picture of cosines takes as many dimensions as vec_cosine_tail",
          "[surface][aggregate][errors]") {
  Connection db;
  for (const std::string d : {"0", "1", "-1", "'x'", "1.5", "65536", "1e308", "9e999"}) {
    CAPTURE(d);
    const std::string message = db.error("SELECT vec_svg_histogram(0.5, 'a', " + d + ")");
    CHECK(message.rfind("vec_svg_histogram: dimensions must ", 0) == 0);
  }
  for (const std::string d : {"2", "65535"}) {
    CAPTURE(d);
    const std::string svg = db.one("SELECT vec_svg_histogram(0.5, 'a', " + d + ")");
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
    CHECK(svg.find("d = " + d) != std::string::npos);
  }
}
