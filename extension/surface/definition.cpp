#include "surface/definition.hpp"

#include <array>
#include <charconv>
#include <isovec/error.hpp>
#include <isovec/fit.hpp>

#include "db/statement.hpp"
#include "surface/definition_tokens.hpp"
#include "surface/value_definition.hpp"

namespace isovec::surface {
namespace {

using storage::ColumnKind;
using storage::TableShape;

constexpr std::array<const char*, kHiddenColumns - 1> kHiddenNames = {"distance", "similarity", "k",
                                                                      "transform", "query_mean"};
constexpr std::size_t kMostPartitions = 4;
constexpr std::size_t kMostVectors = 16;
constexpr std::size_t kMostValues = 256;  // metadata, and auxiliary columns

struct VectorType {
  std::string_view word;
  codec::ElementType type;
};
constexpr VectorType kVectorTypes[] = {
    {"float", codec::ElementType::float32},   {"f32", codec::ElementType::float32},
    {"float32", codec::ElementType::float32}, {"float16", codec::ElementType::float16},
    {"f16", codec::ElementType::float16},     {"bfloat16", codec::ElementType::bfloat16},
    {"bf16", codec::ElementType::bfloat16},   {"int8", codec::ElementType::int8},
    {"i8", codec::ElementType::int8},         {"bit", codec::ElementType::bit},
};
std::size_t parse_dimension(TokenReader& reader, codec::ElementType type) {
  const Token token = reader.take();
  std::size_t dimension = 0;
  const char* end = token.value.data() + token.value.size();
  const auto [stop, error] = std::from_chars(token.value.data(), end, dimension);
  const bool number = token.kind == Token::Kind::number && stop == end;
  if (!number || error != std::errc() || dimension == 0 || dimension > kMaximumTableDimension) {
    reader.fail("the dimension must be a number from 1 to " + std::to_string(kMaximumTableDimension) +
                ", got '" + token.value + "'");
  }
  if (type == codec::ElementType::bit && dimension % 8 != 0) {
    reader.fail("the dimension of a bit vector must be a multiple of 8, got " + token.value);
  }
  if (!reader.take_sign(']')) reader.fail("expected ']' after the dimension, found " + reader.found());
  return dimension;
}

index::Metric parse_metric(TokenReader& reader, codec::ElementType type) {
  using index::Metric;
  if (type == codec::ElementType::bit) {
    for (const Metric metric : {Metric::hamming, Metric::jaccard}) {
      if (reader.take_word(name_of(metric))) return metric;
    }
    reader.fail("distance_metric of a bit column must be hamming or jaccard, found " + reader.found());
  }
  for (const Metric metric : {Metric::cosine, Metric::l2, Metric::dot, Metric::l1}) {
    if (reader.take_word(name_of(metric))) return metric;
  }
  const std::string found = reader.found();
  const bool of_bits =
      reader.take_word(name_of(Metric::hamming)) || reader.take_word(name_of(Metric::jaccard));
  reader.fail("distance_metric must be cosine, l2, dot or l1, found " + found +
              (of_bits ? ", which is of bit columns" : ""));
}

// Calls read(); its errors are said of the argument.
template <typename Read>
auto in_argument(const TokenReader& reader, Read&& read) {
  try {
    return read();
  } catch (const Error& error) {
    reader.fail(error.what());
  }
}

std::string parse_transform(TokenReader& reader) {
  const Token token = reader.take();
  if (token.kind != Token::Kind::text)
    reader.fail("transform= needs a spec in single quotes, such as 'whiten eps=1'");
  return in_argument(reader, [&] { return to_text(parse_spec(token.value)); });
}

void parse_vector_options(TokenReader& reader, storage::VectorColumn& column) {
  Buffer<std::string> given;
  while (!reader.at_end()) {
    if (take_not_null(reader)) {
      column.not_null = true;
      continue;
    }
    const Token option = reader.take();
    if (option.kind != Token::Kind::name || !reader.take_sign('=')) {
      reader.fail("expected distance_metric=, transform=, codes= or NOT NULL, found '" + option.value + "'");
    }
    for (const std::string& earlier : given) {
      if (same_word(option.value, earlier)) reader.fail("option '" + option.value + "' is given twice");
    }
    given.push_back(option.value);
    if (same_word(option.value, "distance_metric")) {
      column.metric = parse_metric(reader, column.type);
    } else if (same_word(option.value, "transform")) {
      column.transform = parse_transform(reader);
    } else if (same_word(option.value, "codes")) {
      if (!reader.take_word("none")) reader.fail("codes= must be none, found " + reader.found());
      column.coded = false;
    } else {
      reader.fail("unknown option '" + option.value +
                  "': a vector column takes distance_metric=, transform=, codes= and NOT NULL");
    }
  }
}

void parse_vector(TokenReader& reader, TableShape& shape, std::string name, codec::ElementType type) {
  storage::VectorColumn column;
  column.name = std::move(name);
  column.type = type;
  column.dimension = parse_dimension(reader, type);
  if (type == codec::ElementType::bit) column.metric = index::Metric::hamming;
  parse_vector_options(reader, column);
  if (!column.transform.empty()) in_argument(reader, [&] { storage::require_transformable(column); });
  column.coded = column.coded && codec::is_floating(type) && index::is_of_products(column.metric);
  if (shape.vectors.size() == kMostVectors) reader.fail("a table has at most 16 vector columns");
  shape.columns.push_back({ColumnKind::vector, shape.vectors.size()});
  shape.vectors.push_back(std::move(column));
}

// Refuses what a column of this kind cannot have.
void refuse(const TokenReader& reader, bool has, const char* what, const char* kind) {
  if (has) reader.fail(std::string(kind) + " has no " + what);
}

void parse_key(TokenReader& reader, TableShape& shape, std::string name, const ValueDefinition& value) {
  if (shape.key != storage::Key::rowid) reader.fail("the table has a primary key already: " + shape.key_name);
  constexpr const char* kKind = "a primary key";
  refuse(reader, value.partition, "PARTITION KEY beside it", kKind);
  refuse(reader, value.indexed, "INDEXED, since it is looked up as it is", kKind);
  refuse(reader, !value.default_value.empty(), "DEFAULT", kKind);
  refuse(reader, !value.collation.empty(), "COLLATE but BINARY", kKind);
  const auto affinity = storage::affinity_of(value.type);
  const bool text = affinity == storage::Affinity::text;
  if (!text && affinity != storage::Affinity::integer) {
    reader.fail("a primary key is INTEGER or TEXT, not " +
                (value.type.empty() ? "without type" : value.type));
  }
  shape.key = text ? storage::Key::text : storage::Key::integer;
  shape.key_name = std::move(name);
  shape.columns.push_back({ColumnKind::key, 0});
}

storage::ValueColumn column_of(std::string name, ValueDefinition value) {
  return {std::move(name), std::move(value.type),          value.indexed,
          value.not_null,  std::move(value.default_value), std::move(value.collation)};
}

void parse_partition(TokenReader& reader, TableShape& shape, std::string name, ValueDefinition value) {
  refuse(reader, value.indexed, "INDEXED, since it has an index always", "a partition key");
  const auto affinity = storage::affinity_of(value.type);
  if (affinity != storage::Affinity::text && affinity != storage::Affinity::integer) {
    reader.fail("a partition key is INTEGER or TEXT, not " +
                (value.type.empty() ? "without type" : value.type));
  }
  if (shape.partitions.size() == kMostPartitions) reader.fail("a table has at most 4 partition keys");
  shape.columns.push_back({ColumnKind::partition, shape.partitions.size()});
  value.indexed = true;
  shape.partitions.push_back(column_of(std::move(name), std::move(value)));
}

void append_value(TokenReader& reader, TableShape& shape, ColumnKind kind, storage::ValueColumn column) {
  auto& list = kind == ColumnKind::metadata ? shape.metadata : shape.auxiliary;
  if (list.size() == kMostValues) reader.fail("a table has at most 256 such columns");
  shape.columns.push_back({kind, list.size()});
  list.push_back(std::move(column));
}

void parse_auxiliary(TokenReader& reader, TableShape& shape) {
  const Token name = reader.take();
  if (name.kind != Token::Kind::name) reader.fail("expected the name of an auxiliary column after '+'");
  ValueDefinition value = parse_value_definition(reader);
  constexpr const char* kKind = "an auxiliary column";
  refuse(reader, value.primary, "PRIMARY KEY", kKind);
  refuse(reader, value.partition, "PARTITION KEY: leave out the '+'", kKind);
  refuse(reader, value.indexed, "INDEXED: leave out the '+' to search by it", kKind);
  append_value(reader, shape, ColumnKind::auxiliary, column_of(name.value, std::move(value)));
}

// A column of ordinary values: the name has been read, its type stands next.
void parse_value(TokenReader& reader, TableShape& shape, std::string name) {
  const std::string found = reader.found();
  ValueDefinition value = parse_value_definition(reader);
  if (value.type.empty()) {
    reader.fail("expected a type after the name, found " + found +
                ": a vector such as float[768], or a type of SQLite's such as text, integer or real");
  }
  if (value.primary) return parse_key(reader, shape, std::move(name), value);
  if (value.partition) return parse_partition(reader, shape, std::move(name), std::move(value));
  append_value(reader, shape, ColumnKind::metadata, column_of(std::move(name), std::move(value)));
}

void parse_argument(const char* text, TableShape& shape) {
  TokenReader reader(text);
  if (reader.take_sign('+')) return parse_auxiliary(reader, shape);
  const Token name = reader.take();
  if (name.kind != Token::Kind::name)
    reader.fail("expected the name of a column, found '" + name.value + "'");
  if (reader.take_sign('=')) {
    const bool number = reader.peek().kind == Token::Kind::number;
    if (!same_word(name.value, "chunk_size") || !number) {
      reader.fail("unknown table option '" + name.value +
                  "': there is only chunk_size=<number>, which changes nothing");
    }
    return;
  }
  TokenReader ahead = reader;  // "float" alone is a value's type, "float[" a vector's
  const Token type = ahead.take();
  if (ahead.take_sign('[')) {
    for (const VectorType& known : kVectorTypes) {
      if (same_word(type.value, known.word)) return parse_vector(ahead, shape, name.value, known.type);
    }
    reader.fail("unknown vector type '" + type.value + "': float, float16, bfloat16, int8, bit");
  }
  parse_value(reader, shape, name.value);
}

std::string declaration_of(const storage::ValueColumn& column) {
  std::string text = " " + column.type;
  if (column.not_null) text += " NOT NULL";
  if (!column.default_value.empty()) text += " DEFAULT " + column.default_value;
  if (!column.collation.empty()) text += " COLLATE " + column.collation;
  return text;
}

void require_distinct_names(const TableShape& shape) {
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    const std::string& name = shape.name_of(shape.columns[i]);
    for (const char* hidden : kHiddenNames) {
      if (same_word(name, hidden)) {
        throw Error(Code::invalid_argument, "a column cannot be named " + name +
                                                ": every isovec table has a hidden column of that name");
      }
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (same_word(name, shape.name_of(shape.columns[j]))) {
        throw Error(Code::invalid_argument, "two columns are named " + name);
      }
    }
  }
}

}  // namespace

void require_table_name(const TableShape& shape, const std::string& name) {
  const auto refuse = [&](const char* what) {
    throw Error(Code::invalid_argument, "the table cannot be named " + name + ", since " + what +
                                            " has that name and commands go to a column named as the table");
  };
  for (const char* hidden : kHiddenNames) {
    if (same_word(name, hidden)) refuse("a hidden column");
  }
  for (const storage::ColumnRole& role : shape.columns) {
    if (same_word(name, shape.name_of(role))) refuse("one of its columns");
  }
}

TableShape parse_definition(const std::string& schema, const std::string& name,
                            std::span<const char* const> arguments) {
  TableShape shape;
  shape.schema = schema;
  shape.name = name;
  for (const char* argument : arguments) parse_argument(argument, shape);
  if (shape.vectors.empty()) {
    throw Error(Code::invalid_argument, "a table needs a vector column, such as embedding float[768]");
  }
  require_distinct_names(shape);
  require_table_name(shape, name);
  return shape;
}

std::string declaration_of(const TableShape& shape) {
  std::string text = "CREATE TABLE x(";
  for (const storage::ColumnRole& role : shape.columns) {
    text += db::quoted(shape.name_of(role));
    switch (role.kind) {
      case ColumnKind::key:
        text += shape.key == storage::Key::text ? " TEXT" : " INTEGER";
        break;
      case ColumnKind::vector:
        text += shape.vectors[role.index].not_null ? " BLOB NOT NULL" : " BLOB";
        break;
      case ColumnKind::partition:
        text += declaration_of(shape.partitions[role.index]);
        break;
      case ColumnKind::metadata:
        text += declaration_of(shape.metadata[role.index]);
        break;
      case ColumnKind::auxiliary:
        text += declaration_of(shape.auxiliary[role.index]);
        break;
    }
    text += ", ";
  }
  return text +
         "distance REAL HIDDEN, similarity REAL HIDDEN, k HIDDEN, transform HIDDEN, query_mean HIDDEN, " +
         db::quoted(shape.name) + " HIDDEN)";
}

}  // namespace isovec::surface
