#pragma once
// What a MATCH asks for, checked: the query vector and the inputs beside it.

#include <memory>

#include "db/owned_value.hpp"
#include "storage/table_search.hpp"

namespace isovec::surface {

/// The inputs of a search as SQL values; those that were not given are null.
struct SearchRequest {
  std::size_t column = 0;
  const db::OwnedValue* query = nullptr;
  const db::OwnedValue* k = nullptr;
  const db::OwnedValue* transform = nullptr;
  const db::OwnedValue* query_mean = nullptr;
  index::DistanceRange range;
  index::HitOrder order = index::HitOrder::distance;
  Buffer<storage::RowCondition> conditions;
};

/// Begins the search. It has no rows where the query is NULL, or zero under cosine. Throws Error that says
/// what is wrong with an input, or which command to run first.
[[nodiscard]] std::unique_ptr<storage::TableSearch> begin_search(storage::Store& store,
                                                                 const storage::State& state,
                                                                 const SearchRequest& request);

}  // namespace isovec::surface
