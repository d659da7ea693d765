#include <cmath>
#include <isovec/error.hpp>
#include <isovec/fit.hpp>
#include <map>
#include <utility>

#include "core/eigen.hpp"
#include "core/fit_parts.hpp"
#include "core/moment_sums.hpp"

namespace isovec {
namespace {

core::Directions covariance_directions(const Statistics& statistics, const core::FitInput& input) {
  const core::Variances& variances = input.variances;
  core::Directions directions;
  directions.trace = variances.trace;
  directions.eigen = core::decompose_symmetric(core::covariance_of(statistics, variances.columns),
                                               variances.columns, input.checkpoint);
  core::set_rank(directions, variances.noise, variances.columns);
  return directions;
}

core::Directions correlation_directions(const Statistics& statistics, const core::FitInput& input) {
  const core::Variances& variances = input.variances;
  core::Directions directions;
  directions.trace = static_cast<double>(variances.columns - variances.dead_count);
  directions.standardizer.resize(variances.columns);
  for (std::size_t j = 0; j < variances.columns; ++j) {
    directions.standardizer[j] = variances.dead[j] ? 0 : 1 / std::sqrt(variances.variances[j]);
  }
  Buffer<double> correlation =
      core::correlation_of(core::covariance_of(statistics, variances.columns), variances);
  directions.eigen = core::decompose_symmetric(std::move(correlation), variances.columns, input.checkpoint);
  core::set_rank(directions, core::correlation_noise(statistics, variances), variances.columns);
  return directions;
}

}  // namespace

struct Fitter::State {
  Statistics statistics;
  std::size_t columns;  // that the statistics sum
  // Directions of the covariance (false) or correlation (true) of so many columns.
  std::map<std::pair<bool, std::size_t>, core::Directions> directions;

  explicit State(Statistics taken) : statistics(std::move(taken)), columns(statistics.sums().columns()) {}

  const core::Directions& directions_for(const core::FitInput& input) {
    const bool correlation = core::uses_correlation(input.spec);
    const std::pair key(correlation, input.variances.columns);
    const auto found = directions.find(key);
    if (found != directions.end()) return found->second;
    return directions
        .emplace(key, correlation ? correlation_directions(statistics, input)
                                  : covariance_directions(statistics, input))
        .first->second;
  }

  core::SecondMoments second_moments(const core::FitInput& input) {
    core::SecondMoments moments;
    moments.covariance = [this, &input] { return core::covariance_of(statistics, input.variances.columns); };
    moments.duplicates = [moments, &input] {
      return core::find_duplicates(moments.covariance(), input.variances);
    };
    moments.ledoit_wolf = [this](double squared_norm, double trace) {
      return core::ledoit_wolf_shrinkage(statistics, squared_norm, trace);
    };
    return moments;
  }
};

Fitter::Fitter(Statistics statistics) : state_(std::make_unique<State>(std::move(statistics))) {}
Fitter::~Fitter() = default;
Fitter::Fitter(Fitter&&) noexcept = default;
Fitter& Fitter::operator=(Fitter&&) noexcept = default;

Transform Fitter::fit(const Spec& spec, const Checkpoint& checkpoint) {
  if (required_statistics(spec).moments == Moments::second &&
      state_->statistics.options().moments == Moments::first) {
    throw Error(
        Code::invalid_argument,
        "the statistics were taken with moments=first, which are enough for none, center, standardize "
        "and project_mean only: take them with moments=second");
  }
  state_->statistics.settle(checkpoint);
  const core::FitInput input = core::make_input(spec, state_->statistics, checkpoint);
  switch (spec.method) {
    case Method::remove_top:
      return Transform(core::fit_remove_top(input, state_->directions_for(input)));
    case Method::pca:
      return Transform(core::fit_pca(input, state_->directions_for(input)));
    case Method::whiten:
      return Transform(core::fit_whiten(input, state_->directions_for(input), state_->second_moments(input)));
    default:
      return Transform(core::fit_first_moments(input));
  }
}

const Statistics& Fitter::statistics() const noexcept {
  return state_->statistics;
}

std::size_t Fitter::decompositions() const noexcept {
  return state_->directions.size();
}

std::size_t Fitter::bytes() const noexcept {
  const std::size_t columns = state_->columns;
  std::size_t numbers = core::second_size(state_->statistics.options().moments, columns) + 3 * columns;
  for (const auto& [key, directions] : state_->directions) {
    numbers += directions.eigen.vectors.size() + directions.eigen.values.size();
  }
  return numbers * sizeof(double);
}

Transform fit(const Statistics& statistics, const Spec& spec, const Checkpoint& checkpoint) {
  return Fitter(statistics).fit(spec, checkpoint);
}

}  // namespace isovec
