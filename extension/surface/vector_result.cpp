#include "surface/vector_result.hpp"

#include <cstring>

#include "codec/vector_convert.hpp"

namespace isovec::surface {

VectorResult::VectorResult(codec::ElementType type, std::size_t dimension)
    : type_(type), size_(codec::bytes_of(type, dimension)) {
  codec::require_whole_bytes(type, dimension);
  memory_ = db::allocate_bytes(size_);
  std::memset(memory_.get(), 0, size_);
}

void VectorResult::set(sqlite3_context* context) && noexcept {
  sqlite3_result_blob64(context, memory_.release(), size_, sqlite3_free);
  sqlite3_result_subtype(context, codec::subtype_of(type_));
}

void set_vector(sqlite3_context* context, std::span<const float> values, codec::ElementType type) {
  VectorResult result(type, values.size());
  codec::from_float32(values, type, result.bytes());
  std::move(result).set(context);
}

}  // namespace isovec::surface
