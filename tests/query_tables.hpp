#pragma once
// An isovec table and an ordinary one of the same rows, for tests that ask both the same.

#include <string>
#include <vector>

namespace isovec::test {

// t, and an ordinary table u of the same rows. Coordinates on a coarse grid, so that distances tie.
inline constexpr const char* kSetup =
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[3], b float[2] distance_metric=l2, "
    "  d float[2] distance_metric=dot, p text partition key, y integer, l text indexed, +x text);"
    "CREATE TABLE u(id INTEGER PRIMARY KEY, a, b, d, p text, y integer, l text, x text);"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 90)"
    "INSERT INTO u SELECT i * 3 - 100, vec_f32('[' || (i % 5 - 2) || ',' || (i * 7 % 4 - 1) || ',1]'),"
    "  vec_f32('[' || (i % 9) || ',' || (i * i % 5) || ']'), vec_f32('[' || (i * 3 % 7 - 3) || ',1]'),"
    "  CASE i % 4 WHEN 0 THEN NULL ELSE 'p' || (i % 4) END, CASE WHEN i % 6 THEN 2000 + i % 11 END,"
    "  substr('viendefr', i % 4 * 2 + 1, 2), 'x' || (i % 13) FROM c;"
    "INSERT INTO t(id, a, b, d, p, y, l, x) SELECT * FROM u;"
    "CREATE TABLE q(n INTEGER PRIMARY KEY, v, k); INSERT INTO q VALUES (1, vec_f32('[1,0,0]'), 2), (2, "
    "vec_f32('[0,1,0.5]'), 4), (3, vec_f32('[-1,-1,1]'), 3);";

struct Search {
  std::string column;
  std::string query;
  std::string distance;  // on u
};
inline const std::vector<Search> kSearches = {
    {"a", "vec_f32('[1,0,0.5]')", "vec_distance_cosine(a, vec_f32('[1,0,0.5]'))"},
    {"b", "'[3,2]'", "vec_distance_l2(b, vec_f32('[3,2]'))"},
    {"d", "vec_f32('[1,2]')", "-vec_dot(d, vec_f32('[1,2]'))"}};

}  // namespace isovec::test
