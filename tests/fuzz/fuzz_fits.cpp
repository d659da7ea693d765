// Harnesses of transforms and statistics: bodies of their BLOBs behind a header that is right, since no
// mutation would get past the checksum; and the bytes as they are.

#include <cmath>
#include <isovec/buffer.hpp>
#include <isovec/fit.hpp>
#include <isovec/statistics.hpp>
#include <isovec/transform.hpp>

#include "codec/blob_header.hpp"
#include "codec/byte_reader.hpp"
#include "fuzz/harness.hpp"

namespace isovec::fuzz {
namespace {

constexpr std::size_t kLarge = 64;  // dimensions from which work takes long

Bytes with_header(View body, const codec::Magic& magic) {
  codec::ByteWriter writer;
  codec::start_blob(writer, magic);
  writer.bytes().insert(writer.bytes().end(), body.begin(), body.end());
  return codec::finish_blob(writer);
}

View body_of(const Bytes& blob) {
  return View(blob).subspan(codec::kHeaderBytes);
}

Statistics some_statistics(std::size_t dimensions, std::string_view options) {
  Statistics statistics{parse_statistics_options(options)};
  isovec::Buffer<float> row(dimensions);
  for (std::size_t r = 0; r < 3 * dimensions; ++r) {
    for (std::size_t i = 0; i < dimensions; ++i)
      row[i] = static_cast<float>((r * 7 + i * i * 5 + r * i) % 11) - 3.0F;
    statistics.add(row, 1.0 + static_cast<double>(r % 3));
  }
  return statistics;
}

// A number that any change of the input changes: one fit is tried with each input, another with the next.
std::size_t sum_of(View input) {
  std::size_t sum = input.size();
  for (const std::byte byte : input) sum += static_cast<std::size_t>(byte);
  return sum;
}

void use(const Transform& transform) {
  if (transform.input_dimensions() > kLarge || transform.output_dimensions() > kLarge) return;
  isovec::Buffer<float> x(transform.input_dimensions(), 1.5F);
  isovec::Buffer<float> z(transform.output_dimensions());
  isovec::Buffer<double> wide(z.size());
  answered([&] { transform.apply(x, z); });
  answered([&] { transform.apply(x, wide); });
  answered([&] { transform.inverse(z, x); });
  answered([&] { static_cast<void>(transform.query_form(x)); });
  answered([&] { static_cast<void>(transform.query_form(x, x)); });
  answered([&] { static_cast<void>(transform.row_norm(x)); });
  answered([&] { static_cast<void>(transform.mean()); });
  answered([&] { static_cast<void>(transform.matrix()); });
  answered([&] { static_cast<void>(spectrum(transform)); });
  answered([&] { static_cast<void>(components(transform)); });
  answered([&] { static_cast<void>(to_blob(compose(transform, transform))); });
  answered([&] { static_cast<void>(recenter(transform, transform.mean())); });
  answered([&] { static_cast<void>(drift(transform, some_statistics(transform.input_dimensions(), ""))); });
  answered([&] { static_cast<void>(to_json(transform)); });
}

}  // namespace

void fuzz_transform(View input) {
  const Bytes as_is(input.begin(), input.end());
  answered([&] { static_cast<void>(transform_from_blob(as_is)); });
  const Bytes blob = with_header(input, codec::kTransformMagic);
  answered([&] {
    const Transform transform = transform_from_blob(blob);
    const Bytes again = to_blob(transform);
    require(to_blob(transform_from_blob(again)) == again, "a transform comes back from its BLOB");
    use(transform);
  });
}

isovec::Buffer<Bytes> transform_seeds() {
  isovec::Buffer<Bytes> seeds;
  Fitter fitter(some_statistics(5, ""));
  for (const char* spec :
       {"none", "center", "standardize", "project_mean", "remove_top drop=2", "pca k=2", "whiten",
        "whiten basis=cholesky", "whiten basis=pca-cor k=2", "whiten slice=3 eps=1"}) {
    answered([&] {
      const Bytes blob = to_blob(fitter.fit(parse_spec(spec)));
      const View body = body_of(blob);
      seeds.emplace_back(body.begin(), body.end());
    });
  }
  require(seeds.size() > 6, "most specs can be fitted");
  return seeds;
}

void fuzz_statistics(View input) {
  const Bytes as_is(input.begin(), input.end());
  answered([&] { static_cast<void>(statistics_from_blob(as_is)); });
  const Bytes blob = with_header(input, codec::kStatisticsMagic);
  answered([&] {
    const Statistics statistics = statistics_from_blob(blob);
    require(to_blob(statistics) == blob, "statistics are their BLOB");
    answered([&] { static_cast<void>(to_json(statistics)); });
    if (statistics.sums().columns() > kLarge || statistics.dimensions() > kLarge) return;
    answered([&] { static_cast<void>(statistics.mean()); });
    answered([&] {
      Statistics doubled = statistics;
      doubled.merge(statistics);
      doubled.subtract(statistics);
    });
    answered([&] {
      Statistics more = statistics;
      more.add(isovec::Buffer<float>(statistics.dimensions(), 2.0F));
      more.remove(isovec::Buffer<float>(statistics.dimensions(), 2.0F));
    });
    answered([&] { static_cast<void>(spectrum(statistics)); });
    constexpr const char* kSpecs[] = {"center",
                                      "project_mean",
                                      "standardize",
                                      "remove_top",
                                      "pca k=1",
                                      "whiten eps=1",
                                      "whiten shrinkage=lw",
                                      "whiten basis=cholesky",
                                      "whiten basis=zca-cor shrinkage=oas"};
    const char* spec = kSpecs[sum_of(input) % std::size(kSpecs)];
    answered([&] { use(fit(statistics, parse_spec(spec))); });
  });
}

isovec::Buffer<Bytes> statistics_seeds() {
  isovec::Buffer<Bytes> seeds;
  for (const char* options : {"", "moments=first", "normalize=before", "slice=2", "weights=frequency"}) {
    const Bytes blob = to_blob(some_statistics(4, options));
    const View body = body_of(blob);
    seeds.emplace_back(body.begin(), body.end());
  }
  return seeds;
}

}  // namespace isovec::fuzz
