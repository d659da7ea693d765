#pragma once
// Texts of the form `word key=value key=value`, parted by spaces or commas: specs of fits and options.

#include <cstddef>
#include <initializer_list>
#include <isovec/buffer.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace isovec::core {

/// One part of such a text: a bare word has no value.
struct KeyValue {
  std::string_view key;
  std::optional<std::string_view> value;
};

/// The parts of a text in order; views into it. Throws Error on a key given twice, a missing key or value.
[[nodiscard]] Buffer<KeyValue> split_key_values(std::string_view text);

/// The index of `word` among `choices`. Throws Error "<what> 'word' is unknown: one of a, b, c".
[[nodiscard]] std::size_t choice(std::string_view what, std::string_view word,
                                 std::span<const std::string_view> choices);

/// A finite decimal number. Throws Error that names the key.
[[nodiscard]] double number_of(const KeyValue& part);
/// A decimal integer of at least 1. Throws Error that names the key.
[[nodiscard]] std::size_t count_of(const KeyValue& part);

/// "a, b, c"
[[nodiscard]] std::string join(std::span<const std::string_view> words);
/// The shortest decimal that reads back as `value`.
[[nodiscard]] std::string shortest(double value);

}  // namespace isovec::core
