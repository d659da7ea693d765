#include "surface/vector_argument.hpp"

#include <cmath>

#include "codec/vector_convert.hpp"
#include "codec/vector_json.hpp"
#include "core/kernels.hpp"
#include "core/key_values.hpp"
#include "db/cached_argument.hpp"

namespace isovec::surface {

namespace {

[[noreturn]] void throw_no_vector(db::Value value) {
  throw Error(Code::invalid_argument,
              std::string("a vector is a BLOB or a JSON array, and this is ") + value.type_name());
}

codec::VectorView view_of_blob(db::Value value) {
  return codec::view_vector(value.blob(), codec::type_of_subtype(value.subtype()));
}

codec::VectorView view_of_floats(const Buffer<float>& values) noexcept {
  return {codec::ElementType::float32, values.size(), reinterpret_cast<const std::byte*>(values.data())};
}

Buffer<float> widened(const codec::VectorView& view) {
  Buffer<float> values(view.dimension);
  codec::to_float32(view, values);
  return values;
}

// A number as it is, "TEXT" for a text: for messages.
std::string describe(db::Value value) {
  if (!value.is_number()) return value.type_name();
  if (value.type() == SQLITE_INTEGER) return std::to_string(value.integer());
  if (!std::isfinite(value.real())) return value.real() > 0 ? "infinity" : "-infinity";
  return core::shortest(value.real());
}

double squared_norm_of(const codec::VectorView& view) noexcept {
  const core::KernelTable& kernels = core::kernels();
  switch (view.type) {
    case codec::ElementType::float32:
      return kernels.squared_norm(view.float32(), view.dimension);
    case codec::ElementType::float16:
      return kernels.float16.squared_norm(view.half(), view.dimension);
    case codec::ElementType::bfloat16:
      return kernels.bfloat16.squared_norm(view.half(), view.dimension);
    case codec::ElementType::int8:
      return static_cast<double>(kernels.int8.squared_norm(view.int8(), view.dimension));
    case codec::ElementType::bit:
      return static_cast<double>(kernels.bit.count(view.bits(), view.size()));
  }
  return 0;
}

}  // namespace

/// What was worked out for one argument. The pointer to it may be shared by calls of one statement, which run
/// one after the other, so what is missing may be added.
struct VectorArgument::Kept {
  Buffer<float> values;  // of a JSON text, or widened from another type
  std::optional<double> squared_norm;
  bool finite = false;
};

VectorArgument::VectorArgument(sqlite3_context* context, const Arguments& arguments, std::size_t index,
                               Look look)
    : context_(context), value_(arguments[index]), index_(static_cast<int>(index)) {
  const int type = value_.type();
  if (type == SQLITE_BLOB) {
    subtype_ = value_.subtype();
    view_ = codec::view_vector(value_.blob(), codec::type_of_subtype(subtype_));
  } else if (type == SQLITE_TEXT) {
    read_text();
  } else {
    throw_no_vector(value_);
  }
  if (look == Look::at_once) require_finite();
}

VectorArgument::~VectorArgument() {
  if (fresh_ != nullptr && is_kept()) db::cache_argument(context_, index_, std::move(fresh_));
}

void VectorArgument::read_text() {
  look_up();
  Kept& parsed = kept();
  if (parsed.values.empty()) {
    parsed.values = codec::parse_vector_json(value_.text());
    parsed.finite = true;
  }
  view_ = view_of_floats(parsed.values);
}

void VectorArgument::look_up() noexcept {
  keeping_ = Keeping::yes;
  // Ours alone, so it may still be added to.
  known_ = const_cast<Kept*>(db::cached_argument<Kept>(context_, index_));
}

bool VectorArgument::is_kept() noexcept {
  if (keeping_ == Keeping::unasked) {
    keeping_ = Keeping::no;
    if (subtype_ != 0 || sqlite3_value_frombind(value_.handle()) != 0) look_up();
  }
  return keeping_ == Keeping::yes;
}

VectorArgument::Kept& VectorArgument::kept() {
  static_cast<void>(is_kept());
  if (known_ == nullptr) {
    fresh_ = std::make_unique<Kept>();
    known_ = fresh_.get();
  }
  return *known_;
}

const float* VectorArgument::float32() {
  if (view_.type == codec::ElementType::float32) return view_.float32();
  Kept& wide = kept();
  if (wide.values.empty()) wide.values = widened(view_);
  return wide.values.data();
}

void VectorArgument::require_finite() {
  if (!is_kept()) return codec::require_finite(view_);
  Kept& seen = kept();
  if (!seen.finite) codec::require_finite(view_);
  seen.finite = true;
}

double VectorArgument::squared_norm() {
  if (!is_kept()) return squared_norm_of(view_);
  Kept& seen = kept();
  if (!seen.squared_norm) seen.squared_norm = squared_norm_of(view_);
  return *seen.squared_norm;
}

bool VectorArgument::knows_norm() noexcept {
  return is_kept() && known_ != nullptr && known_->squared_norm.has_value();
}

DecodedVector::DecodedVector(db::Value value) {
  if (value.is_blob()) {
    view_ = view_of_blob(value);
    codec::require_finite(view_);
  } else if (value.is_text()) {
    floats_ = codec::parse_vector_json(value.text());
    view_ = view_of_floats(floats_);
  } else {
    throw_no_vector(value);
  }
}

const float* DecodedVector::float32() {
  if (view_.type == codec::ElementType::float32) return view_.float32();
  if (floats_.empty()) floats_ = widened(view_);
  return floats_.data();
}

std::int64_t integer_argument(db::Value value, const char* what, std::int64_t least, std::int64_t most) {
  const std::optional<std::int64_t> integer = value.integral();
  if (!integer || *integer < least || *integer > most) {
    throw Error(Code::invalid_argument, std::string(what) + " must be an integer from " +
                                            std::to_string(least) + " to " + std::to_string(most) +
                                            ", and this is " +
                                            (integer ? std::to_string(*integer) : describe(value)));
  }
  return *integer;
}

double number_argument(db::Value value, const char* what) {
  if (!value.is_number() || !std::isfinite(value.real())) {
    throw Error(Code::invalid_argument,
                std::string(what) + " must be a finite number, and this is " + describe(value));
  }
  return value.real();
}

double number_argument(db::Value value, const char* what, double least, double most) {
  const double number = number_argument(value, what);
  if (number < least || number > most) {
    throw Error(Code::invalid_argument, std::string(what) + " must lie from " + core::shortest(least) +
                                            " to " + core::shortest(most) + ", and this is " +
                                            core::shortest(number));
  }
  return number;
}

double positive_argument(db::Value value, const char* what) {
  const double number = number_argument(value, what);
  if (!(number > 0)) {
    throw Error(Code::invalid_argument,
                std::string(what) + " must be above 0, and this is " + core::shortest(number));
  }
  return number;
}

std::string_view text_argument(db::Value value, const char* what) {
  if (!value.is_text()) {
    throw Error(Code::invalid_argument,
                std::string(what) + " must be a text, and this is " + describe(value));
  }
  return value.text();
}

}  // namespace isovec::surface
