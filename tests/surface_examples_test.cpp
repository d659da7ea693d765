// Every example of vec_help is run and compared with the result that stands beside it.

#include <algorithm>
#include <set>

#include "catch.hpp"
#include "connection.hpp"

namespace {

using isovec::test::Connection;

// As the sqlite3 shell prints rows in its list mode.
std::string printed(const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  for (const auto& row : rows) {
    if (!text.empty()) text += "\n";
    for (std::size_t i = 0; i < row.size(); ++i)
      text += (i > 0 ? "|" : "") + (row[i] == "NULL" ? "" : row[i]);
  }
  return text;
}

}  // namespace

TEST_CASE("the example of every function prints what vec_help says", "[surface][help]") {
  Connection db;
  const auto functions = db.rows("SELECT name, signature, example, result FROM vec_help");
  REQUIRE(functions.size() > 40);
  for (const auto& function : functions) {
    Connection fresh;
    CAPTURE(function[1], function[2]);
    std::string result;
    CHECK_NOTHROW(result = printed(fresh.rows(function[2])));
    CHECK(result == function[3]);
  }
}

TEST_CASE("every function has a name in its signature, a sentence, and an example that calls it",
          "[surface][help]") {
  Connection db;
  for (const auto& row : db.rows("SELECT name, signature, chapter, doc, example, result FROM vec_help")) {
    CAPTURE(row[0], row[1]);
    CHECK(row[1].rfind(row[0], 0) == 0);
    CHECK_FALSE(row[2].empty());
    REQUIRE_FALSE(row[3].empty());
    CHECK(row[3].back() == '.');
    CHECK(row[4].find(row[0]) != std::string::npos);
  }
}

TEST_CASE("every function that isovec registers is in vec_help, with the numbers of arguments it takes",
          "[surface][help]") {
  Connection db;
  std::set<std::string> documented;
  for (const auto& row : db.rows("SELECT name FROM vec_help")) documented.insert(row[0]);
  for (const auto& row :
       db.rows("SELECT DISTINCT name FROM pragma_function_list WHERE name LIKE 'vec\\_%' ESCAPE '\\'")) {
    CAPTURE(row[0]);
    CHECK(documented.count(row[0]) == 1);
  }
  for (const auto& row :
       db.rows("SELECT name FROM pragma_module_list WHERE name LIKE 'vec\\_%' ESCAPE '\\'")) {
    CAPTURE(row[0]);
    CHECK(documented.count(row[0]) == 1);
  }
}

TEST_CASE("no function needs trust: all may stand in views and triggers of a database that is not trusted",
          "[surface][help]") {
  Connection db;
  const auto scalar = db.rows(
      "SELECT name FROM pragma_function_list WHERE name LIKE 'vec\\_%' ESCAPE '\\' AND flags & 0x200000 = 0");
  for (const auto& row : scalar) {
    CAPTURE(row[0]);
    CHECK(row[0].empty());
  }
}
