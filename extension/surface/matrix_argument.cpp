#include "surface/matrix_argument.hpp"

#include <isovec/error.hpp>
#include <string>
#include <string_view>

#include "codec/npy.hpp"
#include "codec/vector_json.hpp"
#include "core/work.hpp"
#include "db/interrupt.hpp"
#include "surface/result.hpp"
#include "surface/transform_argument.hpp"

namespace isovec::surface {

namespace {

constexpr std::string_view kBlank = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool is_nested(std::string_view text) {
  return text.size() > 1 && text.front() == '[' && trimmed(text.substr(1)).substr(0, 1) == "[";
}

void append_row(sqlite3_context* context, Matrix& matrix, std::string_view text) {
  const auto row = codec::parse_vector_json(text);
  if (matrix.rows > 0 && row.size() != matrix.columns) {
    throw Error(Code::invalid_argument,
                "rows of the matrix differ in length: " + std::to_string(matrix.columns) + " and " +
                    std::to_string(row.size()));
  }
  require_room(context, (matrix.values.size() + row.size()) * sizeof(double));
  matrix.columns = row.size();
  matrix.rows += 1;
  matrix.values.insert(matrix.values.end(), row.begin(), row.end());
}

// An array of arrays: the rows between the outer brackets, parted by commas.
Matrix nested_json(sqlite3_context* context, std::string_view text) {
  const Checkpoint checkpoint = db::checkpoint_of(context);
  core::Work work(checkpoint);
  Matrix matrix;
  std::string_view rest = trimmed(text.substr(1));
  while (true) {
    const auto end = rest.find(']');
    if (rest.empty() || rest.front() != '[' || end == std::string_view::npos) break;
    append_row(context, matrix, rest.substr(0, end + 1));
    work.done(16 * (end + 1));
    rest = trimmed(rest.substr(end + 1));
    if (rest == "]") return matrix;
    if (rest.empty() || rest.front() != ',') break;
    rest = trimmed(rest.substr(1));
  }
  throw Error(Code::invalid_argument, "expected a JSON array of arrays of numbers, as in [[1,0],[0,1]]");
}

}  // namespace

Matrix matrix_argument(sqlite3_context* context, db::Value value) {
  if (value.is_blob() && codec::is_npy(value.blob())) {
    const auto array = codec::parse_npy(value.blob());
    require_room(context, std::uint64_t{array.rows} * array.columns * sizeof(double));
    return {array.rows, array.columns, codec::read_npy(array, db::checkpoint_of(context))};
  }
  if (value.is_text()) {
    const std::string_view text = trimmed(value.text());
    if (is_nested(text)) return nested_json(context, text);
  }
  const FloatVector vector(value);
  const auto values = vector.values();
  return {1, values.size(), {values.begin(), values.end()}};
}

}  // namespace isovec::surface
