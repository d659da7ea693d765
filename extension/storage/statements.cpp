#include "storage/statements.hpp"

#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

// "?1, ?2, ?3"
std::string parameters(std::size_t count) {
  std::string text;
  for (std::size_t i = 1; i <= count; ++i) text += (i == 1 ? "?" : ", ?") + std::to_string(i);
  return text;
}

Buffer<std::string> auxiliary_names(const TableShape& shape) {
  Buffer<std::string> names;
  for (std::size_t i = 0; i < shape.auxiliary.size(); ++i) names.push_back("a" + std::to_string(i));
  return names;
}

// "id = ?1, slot = ?2, ..., hash = ?n WHERE id = ?n+1"
std::string assignments(const Buffer<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : ", ") + names[i] + " = ?" + std::to_string(i + 1);
  }
  return text + " WHERE id = ?" + std::to_string(names.size() + 1);
}

Buffer<std::string> row_names(const TableShape& shape) {
  Buffer<std::string> names = {"id", "slot"};
  for (const RowColumn& column : row_columns(shape)) names.push_back(column.name);
  names.emplace_back("hash");
  return names;
}

Buffer<std::string> auxiliary_row_names(const TableShape& shape) {
  Buffer<std::string> names = {"id"};
  for (std::string& name : auxiliary_names(shape)) names.push_back(std::move(name));
  names.emplace_back("hash");
  return names;
}

std::string joined(const Buffer<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string upsert(const std::string& table, const char* key, const char* value) {
  return "INSERT INTO " + table + "(" + key + ", " + value + ") VALUES (?1, ?2) ON CONFLICT(" + key +
         ") DO UPDATE SET " + value + " = excluded." + value;
}

// The defaults are literals: the definition takes nothing else.
std::string defaults(const TableShape& shape) {
  std::string text;
  for (const auto* list : {&shape.partitions, &shape.metadata, &shape.auxiliary}) {
    for (const ValueColumn& column : *list) {
      text += (text.empty() ? "" : ", ") + (column.default_value.empty() ? "NULL" : column.default_value);
    }
  }
  return "SELECT " + (text.empty() ? "NULL" : text);
}

}  // namespace

std::string row_select(const TableShape& shape) {
  return joined(row_names(shape));
}

std::string Statements::text(Sql which) const {
  const auto table = [&](const char* suffix) { return shadow(shape_, suffix); };
  const auto erase = [&](const char* suffix, const char* key) {
    return "DELETE FROM " + table(suffix) + " WHERE " + key + " >= ?1 AND " + key + " < ?2";
  };
  switch (which) {
    case Sql::defaults:
      return defaults(shape_);
    case Sql::read_state:
      return "SELECT value FROM " + table("config") + " WHERE key = 'state'";
    case Sql::write_state:
      return "UPDATE " + table("config") + " SET value = ?1 WHERE key = 'state'";
    case Sql::write_format:
      return "UPDATE " + table("config") + " SET value = ?1 WHERE key = 'format'";
    case Sql::claim:
      return "DELETE FROM " + table("config") + " WHERE 0";
    case Sql::read_row:
      return "SELECT " + row_select(shape_) + " FROM " + table("rows") + " WHERE id = ?1";
    case Sql::find_key:
      return "SELECT id FROM " + table("rows") + " WHERE key = ?1";
    case Sql::greatest_id:
      return "SELECT max(id) FROM " + table("rows");
    case Sql::insert_row:
      return "INSERT INTO " + table("rows") + " VALUES (" + parameters(row_names(shape_).size()) + ")";
    case Sql::update_row:
      return "UPDATE " + table("rows") + " SET " + assignments(row_names(shape_));
    case Sql::delete_row:
      return "DELETE FROM " + table("rows") + " WHERE id = ?1";
    case Sql::read_auxiliary:
      return "SELECT " + joined(auxiliary_row_names(shape_)) + " FROM " + table("aux") + " WHERE id = ?1";
    case Sql::insert_auxiliary:
      return "INSERT INTO " + table("aux") + " VALUES (" + parameters(auxiliary_row_names(shape_).size()) +
             ")";
    case Sql::update_auxiliary:
      return "UPDATE " + table("aux") + " SET " + assignments(auxiliary_row_names(shape_));
    case Sql::delete_auxiliary:
      return "DELETE FROM " + table("aux") + " WHERE id = ?1";
    case Sql::read_slots:
      return "SELECT map FROM " + table("slots") + " WHERE page = ?1";
    case Sql::write_slots:
      return upsert(table("slots"), "page", "map");
    case Sql::lowest_room:
      return "SELECT page FROM " + table("room") + " ORDER BY page LIMIT 1";
    case Sql::insert_room:
      return "INSERT OR IGNORE INTO " + table("room") + "(page) VALUES (?1)";
    case Sql::delete_room:
      return "DELETE FROM " + table("room") + " WHERE page = ?1";
    case Sql::erase_slots:
      return erase("slots", "page");
    case Sql::erase_room:
      return erase("room", "page");
    case Sql::scan_chunks:
      return "SELECT id, data FROM " + table("chunks") + " WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
    case Sql::cut_chunk:
      return "UPDATE " + table("chunks") +
             " SET data = substr(data, 1, ?2) WHERE id = ?1 AND length(data) > ?2";
    case Sql::erase_chunks:
      return erase("chunks", "id");
    case Sql::erase_norms:
      return erase("norms", "id");
    case Sql::erase_marks:
      return erase("marks", "id");
    case Sql::erase_codes:
      return erase("codes", "id");
    case Sql::erase_transforms:
      return erase("transforms", "id");
    case Sql::delete_stray_auxiliary:
      return "DELETE FROM " + table("aux") + " WHERE id NOT IN (SELECT id FROM " + table("rows") + ")";
    case Sql::chunk_shape:
      return "SELECT typeof(data), length(data) FROM " + table("chunks") + " WHERE id = ?1";
    case Sql::read_chunk:
      return "SELECT data FROM " + table("chunks") + " WHERE id = ?1";
    case Sql::write_chunk:
      return upsert(table("chunks"), "id", "data");
    case Sql::read_norms:
      return "SELECT data FROM " + table("norms") + " WHERE id = ?1";
    case Sql::write_norms:
      return upsert(table("norms"), "id", "data");
    case Sql::read_marks:
      return "SELECT data FROM " + table("marks") + " WHERE id = ?1";
    case Sql::write_marks:
      return upsert(table("marks"), "id", "data");
    case Sql::delete_marks:
      return "DELETE FROM " + table("marks") + " WHERE id = ?1";
    case Sql::scan_marks:
      return "SELECT id, data FROM " + table("marks") + " WHERE id >= ?1 AND id < ?2 ORDER BY id";
    case Sql::scan_codes:
      return "SELECT id, data FROM " + table("codes") + " WHERE id >= ?1 AND id < ?2 ORDER BY id";
    case Sql::write_codes:
      return upsert(table("codes"), "id", "data");
    case Sql::delete_codes:
      return "DELETE FROM " + table("codes") + " WHERE id = ?1";
    case Sql::read_transform:
      return "SELECT spec, transform, statistics, rows, hash FROM " + table("transforms") + " WHERE id = ?1";
    case Sql::write_transform:
      return "INSERT OR REPLACE INTO " + table("transforms") + " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    case Sql::delete_transform:
      return "DELETE FROM " + table("transforms") + " WHERE id = ?1";
    case Sql::count:
      break;
  }
  throw Error(Code::invalid_argument, "no such statement");
}

db::Statement& Statements::operator[](Sql which) {
  db::Statement& statement = statements_[static_cast<std::size_t>(which)];
  if (!statement.prepared()) statement = db::Statement(db_, text(which), true);
  return statement;
}

void Statements::prepare_writes() {
  for (std::size_t i = 0; i < statements_.size(); ++i) {
    const Sql which = static_cast<Sql>(i);
    const bool of_auxiliary = which >= Sql::read_auxiliary && which <= Sql::delete_stray_auxiliary;
    if (of_auxiliary && !has_auxiliary(shape_)) continue;
    if (which == Sql::find_key && shape_.key != Key::text) continue;
    static_cast<void>((*this)[which]);
  }
  (*this)[Sql::claim].run();
}

void Statements::erase(Sql which, std::int64_t first, std::int64_t end) {
  (*this)[which].bind(1, first).bind(2, end).run();
}

void Statements::clear() noexcept {
  for (db::Statement& statement : statements_) statement = db::Statement();
}

}  // namespace isovec::storage
