#include "storage/shape.hpp"

#include <algorithm>
#include <cctype>

#include "storage/checksum.hpp"

namespace isovec::storage {

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
    }
    ++kind;
  }
  return sum.value();
}

}  // namespace isovec::storage
