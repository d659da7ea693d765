#include "codec/cosine_report.hpp"

#include <charconv>
#include <cmath>
#include <isovec/error.hpp>
#include <limits>

#include "codec/json_writer.hpp"

namespace isovec::codec {

namespace {

// Takes one part of the text after another, each of which must be there.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : text_(text) {}

  // A character of the grammar, or nothing.
  bool takes(char c) noexcept {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!takes(c)) refuse(std::string("'") + c + "'");
  }
  // "name":
  void expect_key(std::string_view name) {
    skip_blanks();
    const std::string quoted = '"' + std::string(name) + '"';
    if (!text_.substr(at_).starts_with(quoted)) refuse(quoted);
    at_ += quoted.size();
    expect(':');
  }
  std::uint64_t count() {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    std::uint64_t value = 0;
    if (!read(value, "0123456789") || value > kMost) refuse("a whole number of at most 63 bits");
    return value;
  }
  double number() {
    double value = 0;
    if (!read(value, "-0123456789") || !std::isfinite(value)) refuse("a number");
    return value;
  }
  void expect_end() {
    skip_blanks();
    if (at_ != text_.size()) refuse("the end of the text");
  }
  [[noreturn]] void refuse(const std::string& expected) const {
    throw Error(Code::invalid_argument, "not a report of vec_cosine_histogram: expected " + expected +
                                            " at byte " + std::to_string(at_) +
                                            (at_ == text_.size() ? ", where the text ends" : ""));
  }

 private:
  void skip_blanks() noexcept {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  // from_chars() also reads "inf" and "nan", which start otherwise than a number of JSON.
  template <typename Number>
  bool read(Number& value, std::string_view starts) noexcept {
    skip_blanks();
    if (at_ == text_.size() || starts.find(text_[at_]) == std::string_view::npos) return false;
    const char* const begin = text_.data() + at_;
    const auto [end, failure] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (failure != std::errc{}) return false;
    at_ += static_cast<std::size_t>(end - begin);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::uint64_t count_of(Reader& reader, std::string_view key) {
  reader.expect_key(key);
  return reader.count();
}

double number_of(Reader& reader, std::string_view key) {
  reader.expect_key(key);
  return reader.number();
}

CosineReport::Bin read_bin(Reader& reader) {
  CosineReport::Bin bin;
  reader.expect('{');
  bin.low = number_of(reader, "lo");
  reader.expect(',');
  bin.high = number_of(reader, "hi");
  reader.expect(',');
  bin.count = count_of(reader, "n");
  reader.expect(',');
  bin.expected = number_of(reader, "expected");
  reader.expect('}');
  return bin;
}

}  // namespace

std::string to_json(const CosineReport& report) {
  JsonWriter json;
  json.begin_object()
      .field("rows", report.rows)
      .field("sampled", report.sampled)
      .field("dimension", report.dimension)
      .field("pairs", report.pairs);
  json.key("bins").begin_array();
  for (const CosineReport::Bin& bin : report.bins) {
    json.begin_object()
        .field("lo", bin.low)
        .field("hi", bin.high)
        .field("n", bin.count)
        .field("expected", bin.expected)
        .end_object();
  }
  return json.end_array().end_object().text();
}

CosineReport parse_cosine_report(std::string_view text) {
  Reader reader(text);
  CosineReport report;
  reader.expect('{');
  for (const auto& [key, value] :
       {std::pair{"rows", &report.rows}, std::pair{"sampled", &report.sampled},
        std::pair{"dimension", &report.dimension}, std::pair{"pairs", &report.pairs}}) {
    *value = count_of(reader, key);
    reader.expect(',');
  }
  reader.expect_key("bins");
  reader.expect('[');
  do {
    if (report.bins.size() == kMostBins) reader.refuse("at most " + std::to_string(kMostBins) + " bins");
    report.bins.push_back(read_bin(reader));
  } while (reader.takes(','));
  reader.expect(']');
  reader.expect('}');
  reader.expect_end();
  return report;
}

}  // namespace isovec::codec
