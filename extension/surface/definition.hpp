#pragma once
// The arguments of CREATE VIRTUAL TABLE t USING isovec(...), read into a TableShape; and what SQLite is told
// the columns are. The grammar, types and keywords in any case, names quoted or not:
//
// clang-format off
//   argument   = vector | key | partition | metadata | auxiliary | "chunk_size" "=" number
//   vector     = name type "[" number "]" { option }
//   type       = "float" | "f32" | "float32" | "float16" | "f16" | "bfloat16" | "bf16" | "int8" | "i8" | "bit"
//   option     = "distance_metric" "=" metric | "transform" "=" 'spec' | "codes" "=" "none" | "not" "null"
//   metric     = "cosine" | "l2" | "dot" | "l1", of bit columns "hamming" | "jaccard"
//   key, partition, metadata = name value, with "primary" "key", "partition" "key" or neither
//   auxiliary  = "+" name value
// clang-format on
//
// value_definition.hpp has the grammar of a value. A key and a partition are of integers or texts.
// A bit vector has a multiple of 8 elements. Transforms are of columns with metric cosine, l2 or dot.

#include <span>
#include <string>

#include "storage/shape.hpp"

namespace isovec::surface {

/// The columns that every isovec table has behind those it declares, in this order; the last is named as the
/// table.
enum class HiddenColumn : int { distance, similarity, k, transform, query_mean, command };
inline constexpr int kHiddenColumns = 6;

/// Vectors of a table have at most this many dimensions.
inline constexpr std::size_t kMaximumTableDimension = 8'192;

/// Reads the arguments. Throws Error that names the argument, what is wrong with it and what is allowed.
[[nodiscard]] storage::TableShape parse_definition(const std::string& schema, const std::string& name,
                                                   std::span<const char* const> arguments);

/// The CREATE TABLE text for sqlite3_declare_vtab().
[[nodiscard]] std::string declaration_of(const storage::TableShape& shape);

/// Throws Error where a table of this name would hide one of its own columns.
void require_table_name(const storage::TableShape& shape, const std::string& name);

}  // namespace isovec::surface
