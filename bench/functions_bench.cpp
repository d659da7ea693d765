// Every vector function through SQL: nanoseconds a row over a plain table whose rows stay in cache, so that
// what is seen is the function and not the memory. "fetch" is the same statement with vec_length, which reads
// no element.
//     functions_bench [dimension...]

#include <isovec/isovec.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr int kRows = 500;
constexpr int kRounds = 21;

const std::vector<std::pair<const char*, const char*>> kExpressions = {
    {"fetch", "sum(vec_length(v))"},
    {"vec_dot", "sum(vec_dot(v, :q))"},
    {"vec_cosine", "sum(vec_cosine(v, :q))"},
    {"vec_cosine, both columns", "sum(vec_cosine(v, w))"},
    {"vec_cosine, JSON query", "sum(vec_cosine(v, :json))"},
    {"vec_angle", "sum(vec_angle(v, :q))"},
    {"vec_distance_l2", "sum(vec_distance_l2(v, :q))"},
    {"vec_distance_l1", "sum(vec_distance_l1(v, :q))"},
    {"vec_norm", "sum(vec_norm(v))"},
    {"vec_f32", "sum(length(vec_f32(v)))"},
    {"vec_f32 of JSON", "sum(length(vec_f32(json)))"},
    {"vec_to_json", "sum(length(vec_to_json(v)))"},
    {"vec_f16", "sum(length(vec_f16(vec_f32(v))))"},
    {"vec_cosine of float16", "sum(vec_cosine(vec_f16(half), vec_f16(:half)))"},
    {"vec_cosine of int8", "sum(vec_cosine(vec_int8(bytes), vec_int8(:bytes)))"},
    {"vec_distance_hamming", "sum(vec_distance_hamming(vec_bit(bits), vec_bit(:bits)))"},
    {"vec_add", "sum(length(vec_add(v, w)))"},
    {"vec_normalize", "sum(length(vec_normalize(v)))"},
    {"vec_quantize_int8", "sum(length(vec_quantize_int8(v, 'unit')))"},
    {"vec_quantize_binary", "sum(length(vec_quantize_binary(v)))"},
    {"vec_cosine_gradient", "sum(length(vec_cosine_gradient(v, w)))"},
    {"vec_mean", "length(vec_mean(v))"},
    {"vec_mean of a sliding window", "sum(length(m)) FROM (SELECT vec_mean(v) OVER (ROWS 9 PRECEDING) AS m"},
};

void check(sqlite3* db, int rc) {
  if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE) return;
  std::fprintf(stderr, "%s\n", sqlite3_errmsg(db));
  std::exit(1);
}

using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

Statement prepare(sqlite3* db, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  check(db, sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr));
  return Statement(statement, sqlite3_finalize);
}

void fill(sqlite3* db, int dimension) {
  const std::string d = std::to_string(dimension);
  const std::string script =
      "DROP TABLE IF EXISTS t; CREATE TABLE t(v, w, half, bytes, bits, json);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
      std::to_string(kRows) + ") INSERT INTO t(v, w) SELECT vec_normalize(vec_random(" + d +
      ", i)), vec_random(" + d +
      ", -i) FROM n; UPDATE t SET half = vec_f16(vec_f32(v)), bytes = vec_quantize_int8(v, 'unit'), "
      "bits = vec_quantize_binary(v), json = vec_to_json(v)";
  check(db, sqlite3_exec(db, script.c_str(), nullptr, nullptr, nullptr));
}

// Binds to each of :q, :json, :half, :bytes and :bits what the last row has there.
void bind_query(sqlite3* db, sqlite3_stmt* statement) {
  for (const char* name : {"q", "json", "half", "bytes", "bits"}) {
    const int index = sqlite3_bind_parameter_index(statement, (std::string(":") + name).c_str());
    if (index == 0) continue;
    const std::string column = name[0] == 'q' ? "w" : name;
    const Statement query = prepare(db, "SELECT " + column + " FROM t ORDER BY rowid DESC LIMIT 1");
    check(db, sqlite3_step(query.get()));
    check(db, sqlite3_bind_value(statement, index, sqlite3_column_value(query.get(), 0)));
  }
}

double median_nanoseconds(sqlite3* db, const std::string& expression) {
  const bool has_from = expression.find(" FROM ") != std::string::npos;
  const Statement statement = prepare(db, "SELECT " + expression + " FROM t" + (has_from ? ")" : ""));
  bind_query(db, statement.get());
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    check(db, sqlite3_step(statement.get()));
    times.push_back(
        std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / kRows);
    check(db, sqlite3_reset(statement.get()));
  }
  std::nth_element(times.begin(), times.begin() + kRounds / 2, times.end());
  return times[kRounds / 2];
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<int> dimensions;
  for (int i = 1; i < count; ++i) dimensions.push_back(std::atoi(arguments[i]));
  if (dimensions.empty()) dimensions = {384, 768, 1536};
  sqlite3* db = nullptr;
  check(db, sqlite3_open(":memory:", &db));
  check(db, sqlite3_isovec_init(db, nullptr, nullptr));
  std::printf("%-32s", "ns a row");
  for (const int dimension : dimensions) std::printf("%10d", dimension);
  std::vector<std::string> lines(kExpressions.size());
  for (const int dimension : dimensions) {
    fill(db, dimension);
    for (std::size_t i = 0; i < kExpressions.size(); ++i) {
      char cell[32];
      std::snprintf(cell, sizeof(cell), "%10.0f", median_nanoseconds(db, kExpressions[i].second));
      lines[i] += cell;
    }
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::printf("\n%-32s%s", kExpressions[i].first, lines[i].c_str());
  }
  std::printf("\n");
  return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
