#include "index/normed_rows.hpp"

#include "codec/vector_convert.hpp"
#include "index/mapped_query.hpp"

namespace isovec::index {

std::optional<RowBatch> NormedRows::next() {
  std::optional<RowBatch> batch = rows_.next();
  if (!batch) return batch;
  const std::size_t count = batch->rowids.size();
  const std::size_t d = transform_.input_dimensions();
  floats_.resize(count * d);
  norms_.resize(count);
  for (std::size_t r = 0; r < count; ++r) {
    codec::to_float32({type_, d, batch->vectors + r * batch->stride}, std::span(floats_).subspan(r * d, d));
  }
  transform_.row_norms(floats_.data(), d, norms_);
  batch->norms = norms_;
  lengths_.resize(count);
  lengths_of(floats_, d, lengths_);
  return batch;
}

}  // namespace isovec::index
