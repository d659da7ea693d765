#include "codec/vector_convert.hpp"

#include <cmath>
#include <cstring>

#include "codec/json_writer.hpp"
#include "core/kernels.hpp"

namespace isovec::codec {

namespace {

[[noreturn]] void throw_unfit(std::size_t index, float value, const std::string& reason) {
  std::string message = "element " + std::to_string(index) + " is ";
  append_number(message, value);
  throw Error(Code::invalid_argument, message + ", " + reason);
}

void narrow(std::span<const float> values, ElementType type, std::span<std::byte> out) {
  const core::KernelTable& kernels = core::kernels();
  const core::HalfKernels& half = type == ElementType::float16 ? kernels.float16 : kernels.bfloat16;
  half.from_float(values.data(), values.size(), reinterpret_cast<std::uint16_t*>(out.data()));
  const std::size_t overflow = first_nonfinite({type, values.size(), out.data()});
  if (overflow == values.size()) return;
  throw_unfit(overflow, values[overflow],
              type == ElementType::float16 ? "beyond float16, whose largest number is 65504"
                                           : "beyond bfloat16, whose largest number is 3.3895314e38");
}

void round_to_int8(std::span<const float> values, std::span<std::byte> out) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float value = values[i];
    if (!(value >= -128.0F && value <= 127.0F) || value != std::trunc(value)) {
      throw_unfit(i, value, "no integer of -128 to 127; vec_quantize_int8(v, 'unit') makes int8 of float32");
    }
    out[i] = static_cast<std::byte>(static_cast<std::int8_t>(value));
  }
}

void pack_bits(std::span<const float> values, std::span<std::byte> out) {
  require_whole_bytes(ElementType::bit, values.size());
  std::memset(out.data(), 0, out.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != 0.0F && values[i] != 1.0F) {
      throw_unfit(i, values[i], "neither 0 nor 1; vec_quantize_binary(v) makes bits of float32");
    }
    if (values[i] == 1.0F) out[i / 8] |= static_cast<std::byte>(1U << (i % 8));
  }
}

}  // namespace

void to_float32(const VectorView& vector, std::span<float> out) noexcept {
  const core::KernelTable& kernels = core::kernels();
  switch (vector.type) {
    case ElementType::float32:
      std::memcpy(out.data(), vector.data, vector.size());
      return;
    case ElementType::float16:
      kernels.float16.to_float(vector.half(), vector.dimension, out.data());
      return;
    case ElementType::bfloat16:
      kernels.bfloat16.to_float(vector.half(), vector.dimension, out.data());
      return;
    case ElementType::int8:
      for (std::size_t i = 0; i < vector.dimension; ++i) out[i] = vector.int8()[i];
      return;
    case ElementType::bit:
      for (std::size_t i = 0; i < vector.dimension; ++i) out[i] = element(vector, i);
      return;
  }
}

void require_whole_bytes(ElementType type, std::size_t dimension) {
  if (type != ElementType::bit || dimension % 8 == 0) return;
  throw Error(Code::invalid_argument,
              "a bit vector has a multiple of 8 elements, and this has " + std::to_string(dimension));
}

void from_float32(std::span<const float> values, ElementType type, std::span<std::byte> out) {
  switch (type) {
    case ElementType::float32:
      std::memcpy(out.data(), values.data(), values.size_bytes());
      return;
    case ElementType::float16:
    case ElementType::bfloat16:
      return narrow(values, type, out);
    case ElementType::int8:
      return round_to_int8(values, out);
    case ElementType::bit:
      return pack_bits(values, out);
  }
}

}  // namespace isovec::codec
