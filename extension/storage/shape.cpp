#include "storage/shape.hpp"

#include <algorithm>
#include <cctype>
#include <isovec/error.hpp>

#include "storage/checksum.hpp"

namespace isovec::storage {

void require_transformable(const VectorColumn& column) {
  if (column.type == codec::ElementType::bit) {
    throw Error(Code::invalid_argument,
                "column " + column.name +
                    " holds bits, and a transform is of numbers: transform a float or int8 column, or the "
                    "vectors before they become bits");
  }
  if (!index::is_of_products(column.metric)) {
    throw Error(Code::invalid_argument, "column " + column.name + " is searched by " +
                                            std::string(index::name_of(column.metric)) +
                                            ", which has no form under a transform: cosine, l2 and dot have");
  }
}

Affinity affinity_of(const std::string& declared_type) {
  std::string type = declared_type;
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto has = [&](const char* part) { return type.find(part) != std::string::npos; };
  // The order of the rules in https://sqlite.org/datatype3.html, 3.1.
  if (has("INT")) return Affinity::integer;
  if (has("CHAR") || has("CLOB") || has("TEXT")) return Affinity::text;
  if (has("BLOB") || type.empty()) return Affinity::blob;
  if (has("REAL") || has("FLOA") || has("DOUB")) return Affinity::real;
  return Affinity::numeric;
}

const char* name_of(Affinity affinity) noexcept {
  switch (affinity) {
    case Affinity::text:
      return "text";
    case Affinity::numeric:
      return "numeric";
    case Affinity::integer:
      return "integer";
    case Affinity::real:
      return "real";
    case Affinity::blob:
      break;
  }
  return "";
}

const std::string& TableShape::name_of(const ColumnRole& role) const {
  switch (role.kind) {
    case ColumnKind::vector:
      return vectors[role.index].name;
    case ColumnKind::partition:
      return partitions[role.index].name;
    case ColumnKind::metadata:
      return metadata[role.index].name;
    case ColumnKind::auxiliary:
      return auxiliary[role.index].name;
    case ColumnKind::key:
      break;
  }
  return key_name;
}

std::uint64_t TableShape::fingerprint() const {
  RecordChecksum sum(static_cast<std::uint64_t>(key));
  for (const VectorColumn& column : vectors) {
    sum.add(std::int64_t{1});
    sum.add(static_cast<std::int64_t>(column.type));
    sum.add(static_cast<std::int64_t>(column.dimension));
    sum.add(static_cast<std::int64_t>(column.metric));
    sum.add(static_cast<std::int64_t>(column.coded));
  }
  std::int64_t kind = 2;
  for (const auto* list : {&partitions, &metadata, &auxiliary}) {
    for (const ValueColumn& column : *list) {
      sum.add(kind);
      sum.add(static_cast<std::int64_t>(affinity_of(column.type)));
      sum.add(static_cast<std::int64_t>(column.indexed));
      if (!column.collation.empty()) sum.add(std::string_view(column.collation));
    }
    ++kind;
  }
  return sum.value();
}

}  // namespace isovec::storage
