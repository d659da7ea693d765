// Every runnable kernel table: time per vector and bytes per second, of vectors in the first-level cache and
// of vectors that come from memory. Names are kernel/table/dimension/where.
//     kernels_bench --benchmark_filter='dot/.*/768'

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/kernels.hpp"

namespace {

using isovec::core::KernelTable;

constexpr std::size_t kCacheBytes = 16 << 10;    // half of a first-level cache
constexpr std::size_t kMemoryBytes = 128 << 20;  // more than any cache here

/// Numbers of type Element, more or less normal, seeded.
template <class Element>
std::vector<Element> random_elements(std::size_t count) {
  std::mt19937 random(1);
  std::vector<Element> elements(count);
  if constexpr (std::is_same_v<Element, float>) {
    for (float& x : elements) x = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
  } else {
    // As float16 0.5 to 1, as bfloat16 near 2^-14: no product underflows. As bytes, anything.
    for (Element& x : elements) x = static_cast<Element>(0x3800 + random() % 0x400);
  }
  return elements;
}

/// Rows to run over, shared by all benchmarks of an element type.
template <class Element>
const std::vector<Element>& all_elements() {
  static const std::vector<Element> elements = random_elements<Element>(kMemoryBytes / sizeof(Element));
  return elements;
}

/// Calls score(rows, row_count, stride) again and again and reports the time per row.
template <class Element, class Score>
void run(benchmark::State& state, std::size_t row_elements, std::size_t bytes, Score score) {
  const std::size_t row_count = std::max<std::size_t>(1, bytes / sizeof(Element) / row_elements);
  const Element* rows = all_elements<Element>().data();
  for (auto _ : state) score(rows, row_count, row_elements);
  const auto scored = static_cast<double>(state.iterations()) * static_cast<double>(row_count);
  state.counters["per_vector"] =
      benchmark::Counter(scored, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetBytesProcessed(
      static_cast<std::int64_t>(scored * static_cast<double>(row_elements * sizeof(Element))));
}

/// Registers one kernel in cache and out of it. make(q, d) gives the function that scores rows against q.
template <class Element, class Make>
void add(const std::string& name, std::size_t d, std::size_t row_elements, Make make) {
  for (const auto& [where, bytes] : {std::pair{"cache", kCacheBytes}, std::pair{"memory", kMemoryBytes}}) {
    benchmark::RegisterBenchmark((name + "/" + std::to_string(d) + "/" + where).c_str(),
                                 [=, bytes = bytes](benchmark::State& state) {
                                   const std::vector<Element> q = random_elements<Element>(row_elements);
                                   run<Element>(state, row_elements, bytes, make(q.data(), row_elements));
                                 });
  }
}

/// A kernel of one row at a time, as a function over rows.
template <class Element, class Kernel>
auto row_by_row(Kernel kernel) {
  return [kernel](const Element* q, std::size_t size) {
    return [=](const Element* rows, std::size_t row_count, std::size_t stride) {
      for (std::size_t r = 0; r < row_count; ++r)
        benchmark::DoNotOptimize(kernel(q, rows + r * stride, size));
    };
  };
}

void add_float32(const KernelTable& table, std::size_t d) {
  const std::string isa = table.name;
  add<float>("dot/" + isa, d, d, row_by_row<float>(table.dot));
  add<float>("dot_and_squared_norm/" + isa, d, d, row_by_row<float>(table.dot_and_squared_norm));
  add<float>("squared_l2/" + isa, d, d, row_by_row<float>(table.squared_l2));
  add<float>("l1/" + isa, d, d, row_by_row<float>(table.l1));
  add<float>("dot_rows/" + isa, d, d, [&table](const float* q, std::size_t size) {
    return [=, &table, out = std::vector<float>(kMemoryBytes / size / 4)](
               const float* rows, std::size_t row_count, std::size_t stride) mutable {
      table.dot_rows(q, rows, row_count, stride, size, out.data());
      benchmark::ClobberMemory();
    };
  });
  add<float>("dot_and_squared_norm_rows/" + isa, d, d, [&table](const float* q, std::size_t size) {
    return [=, &table, dots = std::vector<float>(kMemoryBytes / size / 4),
            norms = std::vector<float>(kMemoryBytes / size / 4)](const float* rows, std::size_t row_count,
                                                                 std::size_t stride) mutable {
      table.dot_and_squared_norm_rows(q, rows, row_count, stride, size, dots.data(), norms.data());
      benchmark::ClobberMemory();
    };
  });
}

void add_small_elements(const KernelTable& table, std::size_t d) {
  const std::string isa = table.name;
  add<std::uint16_t>("float16.dot/" + isa, d, d, row_by_row<std::uint16_t>(table.float16.dot));
  add<std::uint16_t>("float16.dot_and_squared_norm/" + isa, d, d,
                     row_by_row<std::uint16_t>(table.float16.dot_and_squared_norm));
  add<std::uint16_t>("bfloat16.dot/" + isa, d, d, row_by_row<std::uint16_t>(table.bfloat16.dot));
  add<std::int8_t>("int8.dot/" + isa, d, d, row_by_row<std::int8_t>(table.int8.dot));
  add<std::int8_t>("int8.dot_and_squared_norm/" + isa, d, d,
                   row_by_row<std::int8_t>(table.int8.dot_and_squared_norm));
  add<std::int8_t>("int8.squared_l2/" + isa, d, d, row_by_row<std::int8_t>(table.int8.squared_l2));
  add<std::uint8_t>("bit.hamming/" + isa, d, d / 8, row_by_row<std::uint8_t>(table.bit.hamming));
}

}  // namespace

int main(int argc, char** argv) {
  for (const KernelTable* table : isovec::core::runnable_kernels()) {
    for (const std::size_t d : {384, 768, 1536}) {
      add_float32(*table, d);
      add_small_elements(*table, d);
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
