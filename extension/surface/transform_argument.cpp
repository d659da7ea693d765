#include "surface/transform_argument.hpp"

#include <cstdint>
#include <cstring>
#include <string>

#include "codec/transform_blob.hpp"
#include "core/work.hpp"
#include "db/cached_argument.hpp"
#include "db/interrupt.hpp"
#include "surface/connection_state.hpp"
#include "surface/result.hpp"

namespace isovec::surface {

namespace {

using SharedTransform = std::shared_ptr<const Transform>;

std::span<const std::byte> blob_of(db::Value value, const char* what, const char* maker) {
  if (value.is_blob()) return value.blob();
  throw Error(Code::invalid_argument, std::string("expected ") + what + ", the BLOB that " + maker +
                                          " makes, got " + value.type_name());
}

std::span<const std::byte> transform_bytes(db::Value value) {
  return blob_of(value, "a transform", "vec_fit()");
}

SharedTransform decode_transform(sqlite3_context* context, db::Value value) {
  const auto bytes = transform_bytes(value);
  const auto hash = codec::peek_transform_hash(bytes);
  auto& cache = state_of(context).transforms;
  if (hash) {
    if (SharedTransform known = cache.find(*hash, bytes)) return known;
  }
  auto transform = std::make_shared<const Transform>(transform_from_blob(bytes));
  if (hash) cache.keep(*hash, bytes.size(), transform);
  return transform;
}

double rounding_of(codec::ElementType type) noexcept {
  switch (type) {
    case codec::ElementType::float32:
      return kFloat32Rounding;
    case codec::ElementType::float16:
      return kFloat16Rounding;
    case codec::ElementType::bfloat16:
      return kBfloat16Rounding;
    case codec::ElementType::int8:
    case codec::ElementType::bit:
      return 0;
  }
  return 0;
}

bool aligned(const float* data) noexcept {
  return reinterpret_cast<std::uintptr_t>(data) % alignof(float) == 0;
}

}  // namespace

SharedTransform transform_argument(sqlite3_context* context, const Arguments& arguments, std::size_t index) {
  const int slot = static_cast<int>(index);
  if (const auto* known = db::cached_argument<SharedTransform>(context, slot)) return *known;
  SharedTransform transform = decode_transform(context, arguments[index]);
  db::cache_argument(context, slot, std::make_unique<SharedTransform>(transform));
  return transform;
}

Transform transform_value(db::Value value) {
  return transform_from_blob(transform_bytes(value));
}

std::span<const std::byte> statistics_bytes(db::Value value) {
  return blob_of(value, "statistics", "vec_stats()");
}

Statistics statistics_argument(db::Value value) {
  return statistics_from_blob(statistics_bytes(value));
}

FloatVector::FloatVector(db::Value value) : decoded_(value) {
  const float* data = decoded_.float32();
  const std::size_t dimension = decoded_.dimension();
  if (!aligned(data)) {
    copy_.resize(dimension);
    std::memcpy(copy_.data(), data, dimension * sizeof(float));
    data = copy_.data();
  }
  values_ = {data, dimension};
}

double FloatVector::rounding() const noexcept {
  return rounding_of(decoded_.view().type);
}

void require_input_of(const Transform& transform, std::span<const float> vector) {
  if (vector.size() == transform.input_dimensions()) return;
  throw Error(Code::invalid_argument, "dimensions differ: the transform takes " +
                                          std::to_string(transform.input_dimensions()) +
                                          " and the vector has " + std::to_string(vector.size()));
}

TransformedArgument::TransformedArgument(sqlite3_context* context, const Arguments& arguments,
                                         std::size_t index, const SharedTransform& transform) {
  const int slot = static_cast<int>(index);
  const auto* kept = db::cached_argument<std::shared_ptr<const Kept>>(context, slot);
  if (kept != nullptr && (*kept)->transform == transform) {
    known_ = *kept;
    return;
  }
  const FloatVector vector(arguments[index]);
  require_input_of(*transform, vector.values());
  auto made = std::make_shared<Kept>(Kept{transform, Buffer<float>(transform->output_dimensions())});
  transform->apply(vector.values(), std::span<float>(made->z));
  known_ = std::move(made);
  db::cache_argument(context, slot, std::make_unique<std::shared_ptr<const Kept>>(known_));
}

double weight_argument(const Arguments& arguments, std::size_t index) {
  if (!arguments.has(index)) return 1.0;
  const double weight = number_argument(arguments[index], "weight");
  if (weight < 0)
    throw Error(Code::invalid_argument, "expected a weight of 0 or more, got a negative number");
  return weight;
}

// Between the passes over what may be hundreds of megabytes it asks whether to stop.
void set_transform(sqlite3_context* context, const Transform& transform) {
  const std::uint64_t bytes = codec::blob_bytes(transform.parts());
  require_room(context, bytes);
  const Checkpoint checkpoint = db::checkpoint_of(context);
  core::Work work(checkpoint);
  work.done(static_cast<std::size_t>(bytes));
  const Buffer<std::byte> blob = to_blob(transform);
  work.done(static_cast<std::size_t>(bytes));
  set_blob(context, blob);
}

}  // namespace isovec::surface
