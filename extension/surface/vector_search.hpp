#pragma once
// What a MATCH asks for, and its run: the query vector and the inputs beside it checked, the rows chosen and
// ranked.

#include <optional>

#include "db/owned_value.hpp"
#include "index/search.hpp"
#include "storage/row_filter.hpp"
#include "storage/store.hpp"

namespace isovec::surface {

/// The inputs of a search as SQL values; those that were not given are null.
struct SearchRequest {
  std::size_t column = 0;
  const db::OwnedValue* query = nullptr;
  const db::OwnedValue* k = nullptr;
  const db::OwnedValue* transform = nullptr;
  const db::OwnedValue* query_mean = nullptr;
  index::DistanceRange range;
  std::vector<storage::RowCondition> conditions;
};

/// The rows in order. Throws Error that says what is wrong with an input, or which command to run first.
[[nodiscard]] index::Ranking run_search(storage::Store& store, const storage::State& state,
                                        const SearchRequest& request);

}  // namespace isovec::surface
