#include "core/key_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <isovec/error.hpp>

namespace isovec::core {
namespace {

constexpr std::string_view kSeparators = " ,\t\r\n";

KeyValue split_part(std::string_view part) {
  const std::size_t equals = part.find('=');
  if (equals == std::string_view::npos) return {part, std::nullopt};
  const std::string_view key = part.substr(0, equals), value = part.substr(equals + 1);
  if (key.empty() || value.empty()) {
    throw Error(Code::invalid_argument,
                "expected key=value without spaces around '=', got '" + std::string(part) + "'");
  }
  return {key, value};
}

[[noreturn]] void refuse_value(const KeyValue& part, std::string_view expected) {
  throw Error(Code::invalid_argument, std::string(part.key) + "= takes " + std::string(expected) + ", got '" +
                                          std::string(part.value.value_or("")) + "'");
}

}  // namespace

Buffer<KeyValue> split_key_values(std::string_view text) {
  if (const std::size_t zero = text.find('\0');
      zero != std::string_view::npos) {  // a message would end there
    throw Error(Code::invalid_argument, "expected words and key=value, got a zero byte at byte " +
                                            std::to_string(zero) + " of the text");
  }
  Buffer<KeyValue> parts;
  for (std::size_t begin = text.find_first_not_of(kSeparators); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSeparators, begin), text.size());
    const KeyValue part = split_part(text.substr(begin, end - begin));
    const bool repeated = std::any_of(parts.begin(), parts.end(), [&](const KeyValue& earlier) {
      return part.value && earlier.value && earlier.key == part.key;
    });
    if (repeated) {
      throw Error(Code::invalid_argument, "the key " + std::string(part.key) + "= is given twice");
    }
    parts.push_back(part);
    begin = text.find_first_not_of(kSeparators, end);
  }
  return parts;
}

std::size_t choice(std::string_view what, std::string_view word, std::span<const std::string_view> choices) {
  const auto found = std::find(choices.begin(), choices.end(), word);
  if (found == choices.end()) {
    throw Error(Code::invalid_argument, std::string(what) + " '" + std::string(word) +
                                            "' is unknown: expected one of " + join(choices));
  }
  return static_cast<std::size_t>(found - choices.begin());
}

double number_of(const KeyValue& part) {
  const std::string_view text = part.value.value_or("");
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
    refuse_value(part, "a number");
  }
  return number;
}

std::size_t count_of(const KeyValue& part) {
  const std::string_view text = part.value.value_or("");
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || count == 0) {
    refuse_value(part, "a whole number from 1");
  }
  return count;
}

std::string join(std::span<const std::string_view> words) {
  std::string joined;
  for (const std::string_view word : words) {
    if (!joined.empty()) joined += ", ";
    joined += word;
  }
  return joined;
}

std::string shortest(double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return std::string(digits.data(), end);
}

}  // namespace isovec::core
