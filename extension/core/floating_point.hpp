#pragma once
// The host may have set flush-to-zero or another rounding mode. Everything isovec computes runs under the
// default floating-point environment, so that the same bytes give the same result in every host.

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace isovec::core {

/// While it lives the thread has IEEE defaults (round to nearest, denormals kept, no traps); then the host's
/// settings come back. Costs a register read where nothing has to change.
class FloatingPointScope {
 public:
  FloatingPointScope() noexcept : host_(read()) {
    if (control_bits(host_) != kDefault) write(kDefault);
  }
  ~FloatingPointScope() {
    if (control_bits(host_) != kDefault) write(host_);
  }
  FloatingPointScope(const FloatingPointScope&) = delete;
  FloatingPointScope& operator=(const FloatingPointScope&) = delete;

 private:
#if defined(__x86_64__)
  using Register = std::uint32_t;
  static constexpr Register kDefault = 0x1F80;  // all exceptions masked, round to nearest, no FTZ, no DAZ
  static Register control_bits(Register value) noexcept { return value & ~Register{0x3F}; }  // drop sticky flags
  static Register read() noexcept { return _mm_getcsr(); }
  static void write(Register value) noexcept { _mm_setcsr(value); }
#elif defined(__aarch64__)
  using Register = std::uint64_t;
  static constexpr Register kDefault = 0;
  static Register control_bits(Register value) noexcept { return value; }
  static Register read() noexcept {
    Register value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void write(Register value) noexcept { asm volatile("msr fpcr, %0" : : "r"(value)); }
#else
  using Register = int;
  static constexpr Register kDefault = 0;
  static Register control_bits(Register value) noexcept { return value; }
  static Register read() noexcept { return kDefault; }
  static void write(Register) noexcept {}
#endif

  Register host_;
};

}  // namespace isovec::core
