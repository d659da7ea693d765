// k beside conditions on distance: k counts the rows within the range. The expected distances are closed
// forms of small integers, so ties at an end are exact.

#include <algorithm>
#include <functional>

#include "connection.hpp"

namespace {

using isovec::test::Connection;

constexpr int kRows = 620;  // more than two groups of codes, and a rest without

// What a row holds, and how far it is from the query.
struct Layout {
  const char* column;
  const char* query;
  std::function<std::string(int)> vector;
  std::function<double(int)> distance;
  const char* fit = nullptr;
};

// From -9 to 9, with a mean of exactly 0.
int step_of(int id) {
  if (id > kRows / 2) return -step_of(id - kRows / 2);
  return id * 7 % 10;
}

std::string wrapped(const char* constructor, const std::string& json) {
  return std::string(constructor) + "('" + json + "')";
}

Layout on_a_line(const char* column, const char* constructor, const char* query,
                 std::function<double(int)> distance, const char* fit = nullptr) {
  const auto vector = [constructor](int id) {
    return wrapped(constructor, "[" + std::to_string(step_of(id)) + ",0]");
  };
  return {column, query, vector, std::move(distance), fit};
}

// Along, across or against the query: cosines of 1, 0 and -1.
Layout around(const char* column, const char* constructor, const char* query, const char* fit = nullptr) {
  const auto direction = [](int id) { return step_of(id) % 3; };
  const auto vector = [=](int id) {
    const int length = 1 + std::abs(step_of(id)) / 3;
    const int d = direction(id);
    if (d == 0) return wrapped(constructor, "[0," + std::to_string(id % 2 == 0 ? length : -length) + "]");
    return wrapped(constructor, "[" + std::to_string(d > 0 ? length : -length) + ",0]");
  };
  const auto distance = [=](int id) { return direction(id) == 0 ? 1.0 : direction(id) > 0 ? 0.0 : 2.0; };
  return {column, query, vector, distance, fit};
}

std::vector<Layout> layouts() {
  const auto from_one = [](int id) { return std::abs(step_of(id) - 1.0); };
  const auto against_two = [](int id) { return 0.0 - 2.0 * step_of(id); };
  std::vector<Layout> all = {
      on_a_line("float[2] distance_metric=l2", "vec_f32", "vec_f32('[1,0]')", from_one),
      on_a_line("float16[2] distance_metric=l2", "vec_f16", "vec_f16('[1,0]')", from_one),
      on_a_line("bfloat16[2] distance_metric=l1", "vec_bf16", "vec_bf16('[1,0]')", from_one),
      on_a_line("int8[2] distance_metric=l2", "vec_int8", "vec_int8('[1,0]')", from_one),
      on_a_line("int8[2] distance_metric=l1", "vec_int8", "vec_int8('[1,0]')", from_one),
      on_a_line("float[2] distance_metric=l2 codes=none", "vec_f32", "vec_f32('[1,0]')", from_one),
      on_a_line("float[2] distance_metric=dot", "vec_f32", "vec_f32('[2,0]')", against_two),
      on_a_line("int8[2] distance_metric=dot", "vec_int8", "vec_int8('[2,0]')", against_two),
      on_a_line("float[2] distance_metric=l2 transform='center'", "vec_f32", "vec_f32('[1,0]')", from_one,
                "fit"),
      on_a_line("float[2] distance_metric=dot transform='center'", "vec_f32", "vec_f32('[2,0]')", against_two,
                "fit"),
      around("float[2]", "vec_f32", "vec_f32('[3,0]')"),
      around("bfloat16[2]", "vec_bf16", "vec_bf16('[3,0]')"),
      around("int8[2]", "vec_int8", "vec_int8('[3,0]')"),
  };
  all.push_back({"bit[16]", "vec_bit(x'0000')",
                 [](int id) {
                   const int bits = (1 << std::abs(step_of(id))) - 1;  // as many ones
                   char text[16];
                   std::snprintf(text, sizeof text, "%02x%02x", bits & 0xff, bits >> 8);
                   return "vec_bit(x'" + std::string(text) + "')";
                 },
                 [](int id) { return std::abs(step_of(id)) * 1.0; }});
  return all;
}

struct Range {
  const char* condition;
  std::function<bool(double distance, double low, double high)> holds;
};

const std::vector<Range> kRanges = {
    {"distance > ?2", [](double d, double low, double) { return d > low; }},
    {"distance >= ?2", [](double d, double low, double) { return d >= low; }},
    {"distance < ?3", [](double d, double, double high) { return d < high; }},
    {"distance <= ?3", [](double d, double, double high) { return d <= high; }},
    {"distance > ?2 AND distance < ?3",
     [](double d, double low, double high) { return d > low && d < high; }},
    {"distance >= ?2 AND ?3 > distance",
     [](double d, double low, double high) { return d >= low && d < high; }},
    {"distance > ?2 AND distance <= ?3",
     [](double d, double low, double high) { return d > low && d <= high; }},
    {"distance BETWEEN ?2 AND ?3", [](double d, double low, double high) { return d >= low && d <= high; }},
    {"distance = ?2", [](double d, double low, double) { return d == low; }},
    {"?2 IS distance", [](double d, double low, double) { return d == low; }},
};

std::vector<std::string> nearest(const Layout& layout, const Range& range, double low, double high, int k,
                                 const std::function<bool(int)>& passes) {
  std::vector<std::pair<double, int>> rows;
  for (int id = 1; id <= kRows; ++id) {
    const double distance = layout.distance(id);
    if (range.holds(distance, low, high) && passes(id)) rows.emplace_back(distance, id);
  }
  std::sort(rows.begin(), rows.end());
  rows.resize(std::min<std::size_t>(rows.size(), static_cast<std::size_t>(k)));
  std::vector<std::string> ids;
  for (const auto& [distance, id] : rows) ids.push_back(std::to_string(id));
  return ids;
}

std::vector<std::string> first_column(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::string> ids;
  for (const auto& row : rows) ids.push_back(row[0]);
  return ids;
}

void fill(Connection& db, const Layout& layout) {
  db.run("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e " + std::string(layout.column) +
         ", m integer); BEGIN");
  for (int id = 1; id <= kRows; ++id) {
    db.run("INSERT INTO t(id, e, m) VALUES (" + std::to_string(id) + ", " + layout.vector(id) + ", " +
           std::to_string(id % 4) + ")");
  }
  if (layout.fit != nullptr) db.run("INSERT INTO t(t) VALUES ('fit')");
  db.run("COMMIT");
}

}  // namespace

TEST_CASE("k counts the rows within a range of distances", "[surface][query]") {
  for (const Layout& layout : layouts()) {
    Connection db;
    fill(db, layout);
    std::vector<double> distances;
    for (int id = 1; id <= kRows; ++id) distances.push_back(layout.distance(id));
    std::sort(distances.begin(), distances.end());
    distances.erase(std::unique(distances.begin(), distances.end()), distances.end());
    const double low = distances[distances.size() / 3];
    const double high = distances[distances.size() * 2 / 3];
    for (const Range& range : kRanges) {
      for (const int k : {1, 2, 40, 70, kRows}) {
        for (const bool filtered : {false, true}) {
          const std::string sql = "SELECT id FROM t WHERE e MATCH " + std::string(layout.query) +
                                  " AND k = ?1 AND ?2 IS NOT NULL AND ?3 IS NOT NULL AND " + range.condition +
                                  (filtered ? " AND m <> 1" : "");
          CAPTURE(layout.column, sql, k, low, high);
          const auto passes = [&](int id) { return !filtered || id % 4 != 1; };
          CHECK(first_column(db.rows(sql, k, low, high)) == nearest(layout, range, low, high, k, passes));
        }
      }
    }
  }
}

TEST_CASE("a search is read page after page by the distance of the last row", "[surface][query]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[2] distance_metric=l2);"
      "INSERT INTO t(id, e) VALUES (1, '[1,0]'), (2, '[2,0]'), (3, '[3,0]'), (4, '[4,0]'), (5, '[0.5,0]')");
  std::vector<std::string> ids;
  double last = -1;
  for (int page = 0; page < 9; ++page) {
    const auto rows =
        db.rows("SELECT id, distance FROM t WHERE e MATCH '[0,0]' AND k = 2 AND distance > ?", last);
    if (rows.empty()) break;
    for (const auto& row : rows) ids.push_back(row[0]);
    last = std::stod(rows.back()[1]);
  }
  CHECK(ids == std::vector<std::string>{"5", "1", "2", "3", "4"});
}

TEST_CASE("an end of a range may be any value", "[surface][query]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[1] distance_metric=l1);"
      "INSERT INTO t(id, e) VALUES (1, '[0]'), (2, '[2]'), (3, '[9007199254740992]'), (4, "
      "'[9007200328482816]')");
  const auto found = [&](const std::string& condition) {
    std::string text;
    for (const auto& row : db.rows("SELECT id FROM t WHERE e MATCH '[0]' AND k = 2 AND " + condition))
      text += row[0];
    return text;
  };
  CHECK(found("distance > 0.0") == "23");
  CHECK(found("distance >= -0.0") == "12");
  CHECK(found("distance < 0") == "");
  CHECK(found("distance <= 0") == "1");
  CHECK(found("distance > '0'") == "23");  // the column is REAL: text that is a number is one
  CHECK(found("distance < 'x'") == "12");
  CHECK(found("distance > 'x'") == "");
  CHECK(found("distance > NULL") == "");
  CHECK(found("distance IS NULL") == "");
  CHECK(found("distance < 1e999") == "12");
  CHECK(found("distance > -1e999") == "12");
  // 2^53 + 1 lies between two doubles, and nearest to that of row 3.
  CHECK(found("distance < 9007199254740993 AND distance > 2") == "3");
  CHECK(found("distance <= 9007199254740993 AND distance > 2") == "3");
  CHECK(found("distance > 9007199254740993") == "4");
  CHECK(found("distance >= 9007199254740993") == "4");
  CHECK(found("distance = 9007199254740993") == "");
  CHECK(found("distance = 9007200328482816") == "4");
  CHECK(found("distance > 9223372036854775807") == "");
  CHECK(found("distance < -9223372036854775807") == "");
}
