#pragma once
// What an isovec table consists of: its columns as declared. Made by the surface from the CREATE statement;
// all of storage works from it.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <string>

#include "codec/vector_type.hpp"
#include "index/metric.hpp"

namespace isovec::storage {

/// A column of vectors.
struct VectorColumn {
  std::string name;
  codec::ElementType type = codec::ElementType::float32;
  std::size_t dimension = 0;
  index::Metric metric = index::Metric::cosine;
  /// Blocks of codes are kept, for fast searches. Never of int8 and bit vectors, nor for l1, hamming and
  /// jaccard: such are scored as they are stored.
  bool coded = true;
  bool not_null = false;  ///< A row must have a vector.
  std::string transform;  ///< The spec that 'fit' fits where it names none; empty where none is declared.

  /// Bytes of one vector.
  [[nodiscard]] std::size_t bytes() const noexcept { return codec::bytes_of(type, dimension); }
};

/// Throws Error unless the column may be searched under a transform: its elements are numbers, and its metric
/// is a function of inner products.
void require_transformable(const VectorColumn& column);

/// How SQLite converts a value that is stored in a column, from its declared type.
enum class Affinity : std::uint8_t { blob, text, numeric, integer, real };
[[nodiscard]] Affinity affinity_of(const std::string& declared_type);
/// A type of this affinity, as SQL; empty for blob.
[[nodiscard]] const char* name_of(Affinity affinity) noexcept;

/// A column of ordinary values.
struct ValueColumn {
  std::string name;
  std::string type;      ///< As declared, in lower case; may be empty.
  bool indexed = false;  ///< A B-tree index answers conditions on it.
  bool not_null = false;
  /// As SQL, a literal; empty where none is declared. Stands in for a NULL of an INSERT, since a virtual
  /// table is not told which columns an INSERT names.
  std::string default_value;
  std::string collation;  ///< Of comparisons and of the index; empty for BINARY.
};

enum class Key : std::uint8_t {
  rowid,    ///< No key column: rowid.
  integer,  ///< A column that is the rowid under another name.
  text,     ///< A column of unique texts.
};

/// What a declared column is; its index counts within its kind.
enum class ColumnKind : std::uint8_t { key, vector, partition, metadata, auxiliary };
struct ColumnRole {
  ColumnKind kind = ColumnKind::key;
  std::size_t index = 0;
};

struct TableShape {
  std::string schema;  ///< "main", "temp" or an attached database
  std::string name;
  Key key = Key::rowid;
  std::string key_name;
  Buffer<VectorColumn> vectors;
  Buffer<ValueColumn> partitions;
  Buffer<ValueColumn> metadata;
  Buffer<ValueColumn> auxiliary;
  Buffer<ColumnRole> columns;  ///< In declared order.

  /// The name of a declared column.
  [[nodiscard]] const std::string& name_of(const ColumnRole& role) const;
  /// A number that changes with whatever decides how rows are stored; recorded in the file.
  [[nodiscard]] std::uint64_t fingerprint() const;
};

}  // namespace isovec::storage
