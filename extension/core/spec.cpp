#include <array>
#include <cmath>
#include <isovec/error.hpp>
#include <isovec/fit.hpp>

#include "core/key_values.hpp"

namespace isovec {
namespace {

using core::KeyValue;

constexpr std::array<std::string_view, 7> kMethods = {"none",       "center", "standardize", "project_mean",
                                                      "remove_top", "pca",    "whiten"};
constexpr std::array<std::string_view, 5> kBases = {"zca", "pca", "cholesky", "zca-cor", "pca-cor"};
constexpr std::array<std::string_view, 4> kNormalize = {"none", "before", "after", "both"};
constexpr std::array<std::string_view, 2> kWeights = {"importance", "frequency"};
constexpr std::array<std::string_view, 2> kPrecision = {"double", "float"};
constexpr std::array<std::string_view, 4> kCommonKeys = {"slice", "normalize", "weights", "precision"};

std::string_view name(Method method) {
  return kMethods[static_cast<std::size_t>(method)];
}
std::string_view name(Basis basis) {
  return kBases[static_cast<std::size_t>(basis)];
}
bool is_correlation(Basis basis) {
  return basis == Basis::zca_cor || basis == Basis::pca_cor;
}

// The keys of a method's own.
Buffer<std::string_view> own_keys(Method method) {
  switch (method) {
    case Method::remove_top:
      return {"drop"};
    case Method::pca:
      return {"k", "variance"};
    case Method::whiten:
      return {"basis", "k", "variance", "eps", "shrinkage", "power"};
    default:
      return {};
  }
}

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::invalid_argument, message);
}

double number_within(const KeyValue& part, double low, double high) {
  const double number = core::number_of(part);
  if (!(number >= low && number <= high)) {
    refuse(std::string(part.key) + "= takes a number from " + core::shortest(low) + " to " +
           core::shortest(high) + ", got " + std::string(*part.value));
  }
  return number;
}

void set_shrinkage(Spec& spec, const KeyValue& part) {
  if (part.value == "oas") {
    spec.shrinkage = Shrinkage::oas;
  } else if (part.value == "lw") {
    spec.shrinkage = Shrinkage::ledoit_wolf;
  } else if (!part.value->empty() &&
             std::string_view("0123456789.").find(part.value->front()) != std::string_view::npos) {
    spec.shrinkage = Shrinkage::fixed;
    spec.shrinkage_share = number_within(part, 0, 1);
  } else {
    refuse("shrinkage= takes oas, lw or a number from 0 to 1, got '" + std::string(*part.value) + "'");
  }
}

void set_common(Spec& spec, const KeyValue& part) {
  if (part.key == "slice") {
    spec.slice = core::count_of(part);
  } else if (part.key == "normalize") {
    spec.normalize = static_cast<Normalize>(core::choice("normalize=", *part.value, kNormalize));
  } else if (part.key == "weights") {
    spec.weights = static_cast<Weights>(core::choice("weights=", *part.value, kWeights));
  } else {
    spec.precision = static_cast<Precision>(core::choice("precision=", *part.value, kPrecision));
  }
}

void set_own(Spec& spec, const KeyValue& part) {
  if (part.key == "basis") {
    spec.basis = static_cast<Basis>(core::choice("basis=", *part.value, kBases));
  } else if (part.key == "drop") {
    spec.drop = core::count_of(part);
  } else if (part.key == "k") {
    spec.k = core::count_of(part);
  } else if (part.key == "variance") {
    spec.variance = number_within(part, 0, 1);
    if (spec.variance == 0) refuse("variance= takes a share above 0 and up to 1, got 0");
  } else if (part.key == "eps") {
    spec.eps = core::number_of(part);
    if (spec.eps < 0) refuse("eps= takes a number that is not negative, got " + std::string(*part.value));
  } else if (part.key == "shrinkage") {
    set_shrinkage(spec, part);
  } else {
    spec.power = number_within(part, 0, 1);
  }
}

bool contains(std::span<const std::string_view> words, std::string_view word) {
  for (const std::string_view candidate : words) {
    if (candidate == word) return true;
  }
  return false;
}

[[noreturn]] void refuse_key(Method method, std::string_view key) {
  Buffer<std::string_view> keys = own_keys(method);
  keys.insert(keys.end(), kCommonKeys.begin(), kCommonKeys.end());
  refuse("the key '" + std::string(key) + "' does not apply to " + std::string(name(method)) +
         ": what applies is " + core::join(keys));
}

// Pairs of keys that exclude each other.
void check_combination(const Spec& spec, const Buffer<KeyValue>& parts) {
  const auto given = [&](std::string_view key) {
    for (const KeyValue& part : parts) {
      if (part.value && part.key == key) return true;
    }
    return false;
  };
  if (given("k") && given("variance")) refuse("k= and variance= both say how much to keep: give one");
  if (given("eps") && given("shrinkage")) {
    refuse("eps= and shrinkage= are the same ridge (eps = rho / (1 - rho)): give one");
  }
  const bool correlation = spec.method == Method::whiten && is_correlation(spec.basis);
  if (correlation && spec.shrinkage == Shrinkage::ledoit_wolf) {
    refuse("shrinkage=lw needs fourth moments of the standardized rows, which basis=" +
           std::string(name(spec.basis)) + " does not have: give shrinkage=oas, a number, or eps=");
  }
  if (spec.method == Method::whiten && spec.basis == Basis::cholesky) {
    for (const std::string_view key : {"k", "variance", "power"}) {
      if (given(key)) {
        refuse("basis=cholesky has no leading directions, so " + std::string(key) +
               "= does not apply: give basis=zca or basis=pca");
      }
    }
  }
}

}  // namespace

Spec parse_spec(std::string_view text) {
  const Buffer<KeyValue> parts = core::split_key_values(text);
  if (parts.empty() || parts.front().value) {
    refuse("expected a method and then key=value, got '" + std::string(text) + "': the methods are " +
           core::join(kMethods));
  }
  Spec spec;
  spec.method = static_cast<Method>(core::choice("the method", parts.front().key, kMethods));
  const Buffer<std::string_view> own = own_keys(spec.method);
  bool has_basis = false;
  for (const KeyValue& part : std::span(parts).subspan(1)) {
    if (!part.value) {
      refuse("expected key=value after the method " + std::string(name(spec.method)) + ", got '" +
             std::string(part.key) + "'");
    }
    if (contains(kCommonKeys, part.key)) {
      set_common(spec, part);
    } else if (contains(own, part.key)) {
      set_own(spec, part);
    } else {
      refuse_key(spec.method, part.key);
    }
    has_basis = has_basis || part.key == "basis";
  }
  if (spec.method == Method::whiten && !has_basis && (spec.k != 0 || spec.variance != 0)) {
    spec.basis = Basis::pca;
  }
  check_combination(spec, parts);
  return spec;
}

std::string to_text(const Spec& spec) {
  std::string text(name(spec.method));
  const auto append = [&](std::string_view key, std::string_view value) {
    text.append(" ").append(key).append("=").append(value);
  };
  const bool truncates = spec.k != 0 || spec.variance != 0;
  if (spec.method == Method::remove_top && spec.drop != 1) append("drop", std::to_string(spec.drop));
  if (spec.method == Method::whiten && spec.basis != (truncates ? Basis::pca : Basis::zca)) {
    append("basis", name(spec.basis));
  }
  if (spec.k != 0) append("k", std::to_string(spec.k));
  if (spec.variance != 0) append("variance", core::shortest(spec.variance));
  if (spec.eps != 0) append("eps", core::shortest(spec.eps));
  if (spec.shrinkage == Shrinkage::oas) append("shrinkage", "oas");
  if (spec.shrinkage == Shrinkage::ledoit_wolf) append("shrinkage", "lw");
  if (spec.shrinkage == Shrinkage::fixed) append("shrinkage", core::shortest(spec.shrinkage_share));
  if (spec.method == Method::whiten && spec.power != 0.5) append("power", core::shortest(spec.power));
  if (spec.slice != 0) append("slice", std::to_string(spec.slice));
  if (spec.normalize && *spec.normalize != Normalize::none) {
    append("normalize", kNormalize[static_cast<std::size_t>(*spec.normalize)]);
  }
  if (spec.weights == Weights::frequency) append("weights", "frequency");
  if (spec.precision == Precision::float32) append("precision", "float");
  return text;
}

StatisticsOptions required_statistics(const Spec& spec) {
  StatisticsOptions options;
  options.weights = spec.weights.value_or(Weights::importance);
  options.normalize = before(spec.normalize.value_or(Normalize::none));
  options.precision = spec.precision.value_or(Precision::float64);
  options.slice = spec.slice;
  const bool needs_products =
      spec.method == Method::remove_top || spec.method == Method::pca || spec.method == Method::whiten;
  options.moments = needs_products ? Moments::second : Moments::first;
  return options;
}

}  // namespace isovec
