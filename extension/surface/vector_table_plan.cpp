#include "surface/vector_table_plan.hpp"

#include <algorithm>
#include <charconv>

namespace isovec::surface {
namespace {

// The machine's part of idxStr stands behind the last '{', which none of its characters is:
//   plan = ["W"] ["S"] hex-of-reads ";" { kind comparison column [":" hex-of-collation] ";" } "}"
constexpr char kHex[] = "0123456789abcdef";

int digit_of(char c) {
  const auto* found = std::find(std::begin(kHex), std::end(kHex) - 1, c);
  return found == std::end(kHex) - 1 ? -1 : static_cast<int>(found - std::begin(kHex));
}

[[noreturn]] void refuse() {
  throw Error(Code::invalid_argument, "SQLite handed over a query plan that isovec did not make");
}

PlanTerm decode_term(std::string_view text) {
  if (text.size() < 3) refuse();
  PlanTerm term;
  term.kind = static_cast<TermKind>(text[0]);
  term.comparison = static_cast<storage::Comparison>(text[1]);
  const std::size_t colon = text.find(':');
  const std::string_view number = text.substr(2, colon == std::string_view::npos ? colon : colon - 2);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), term.column);
  if (error != std::errc() || end != number.data() + number.size()) refuse();
  if (colon == std::string_view::npos) return term;
  const std::string_view hex = text.substr(colon + 1);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    term.collation += static_cast<char>(digit_of(hex[i]) * 16 + digit_of(hex[i + 1]));
  }
  return term;
}

}  // namespace

const PlanTerm* Plan::find(TermKind kind) const noexcept {
  const auto found =
      std::find_if(terms.begin(), terms.end(), [&](const PlanTerm& term) { return term.kind == kind; });
  return found == terms.end() ? nullptr : &*found;
}

std::string encode_plan(const Plan& plan, std::string_view readable) {
  std::string text = std::string(readable) + " {";
  if (plan.whole_rows) text += 'W';
  if (plan.by_similarity) text += 'S';
  for (int shift = 60; shift >= 0; shift -= 4) {
    if (plan.reads >> shift != 0) text += kHex[plan.reads >> shift & 15];
  }
  text += ';';
  for (const PlanTerm& term : plan.terms) {
    text += static_cast<char>(term.kind);
    text += static_cast<char>(term.comparison);
    text += std::to_string(term.column);
    if (!term.collation.empty()) text += ':';
    for (const char c : term.collation) {
      text += kHex[static_cast<unsigned char>(c) / 16];
      text += kHex[static_cast<unsigned char>(c) % 16];
    }
    text += ';';
  }
  return text + "}";
}

Plan decode_plan(std::string_view text) {
  const std::size_t begin = text.rfind('{');
  if (begin == std::string_view::npos || text.back() != '}') refuse();
  std::string_view machine = text.substr(begin + 1, text.size() - begin - 2);
  Plan plan;
  const auto starts_with = [&machine](char flag) {
    const bool found = machine.starts_with(flag);
    if (found) machine.remove_prefix(1);
    return found;
  };
  plan.whole_rows = starts_with('W');
  plan.by_similarity = starts_with('S');
  const auto next = [&machine] {
    const std::size_t end = machine.find(';');
    if (end == std::string_view::npos) refuse();
    const std::string_view part = machine.substr(0, end);
    machine.remove_prefix(end + 1);
    return part;
  };
  for (const char digit : next()) plan.reads = plan.reads << 4 | static_cast<std::uint64_t>(digit_of(digit));
  while (!machine.empty()) plan.terms.push_back(decode_term(next()));
  return plan;
}

}  // namespace isovec::surface
