#pragma once
// Writes JSON text: objects and arrays of numbers, strings and truth values, locale-free.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isovec::codec {

/// Appends the shortest decimal that reads back as `value`; null for NaN and infinity, which JSON lacks.
void append_number(std::string& out, double value);
void append_number(std::string& out, float value);
/// Appends `text` in quotes, escaped.
void append_string(std::string& out, std::string_view text);

/// Builds one JSON text from nested calls: each value in an object follows its key. Commas are its work.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(double number);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  template <std::same_as<bool> Bool>
  JsonWriter& value(Bool truth) {
    return raw(truth ? "true" : "false");
  }
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool>) JsonWriter& value(Integer number) {
    return raw(std::to_string(number));
  }
  template <class Value>
  JsonWriter& field(std::string_view name, const Value& v) {
    return key(name).value(v);
  }

  /// The text so far; complete when every object and array is closed.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  JsonWriter& raw(std::string_view token);
  void separate();

  std::string text_;
  bool first_ = true;  // nothing stands yet in the innermost object or array, or a key was just written
};

}  // namespace isovec::codec
