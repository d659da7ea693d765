// Blocks of codes: what encoding a row, reading a block and a search cost, and how many rows a search scores.
//     code_block_bench [vectors.npy]
// Without a file: seeded clustered rows whose spread differs between directions. The .npy holds n x d float32
// or float16; its last 100 rows are the queries.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "codec/code_block.hpp"
#include "codec/code_encoder.hpp"
#include "core/code_kernels.hpp"
#include "core/floating_point.hpp"
#include "core/kernels.hpp"
#include "core/similarity.hpp"
#include "index/bounded_search.hpp"

namespace {

using namespace isovec;
using codec::kBlockRows;
using index::Hit;
using index::Metric;

using Blocks = std::vector<std::vector<std::byte>>;

struct Vectors {
  std::size_t d = 0;
  std::vector<float> rows;
  [[nodiscard]] std::size_t size() const { return rows.size() / d; }
  [[nodiscard]] std::span<const float> row(std::size_t r) const { return {rows.data() + r * d, d}; }
};

/// 40 clusters; direction i has a standard deviation falling as 1 / sqrt(1 + i / 16).
Vectors clustered(std::size_t n, std::size_t d) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> centers(40 * d);
  for (float& x : centers) x = normal(random);
  Vectors vectors{d, std::vector<float>(n * d)};
  for (std::size_t r = 0; r < n; ++r) {
    const float* const center = centers.data() + random() % 40 * d;
    for (std::size_t i = 0; i < d; ++i) {
      const float spread = 1 / std::sqrt(1 + static_cast<float>(i) / 16);
      vectors.rows[r * d + i] = spread * (0.7F * center[i] + normal(random) + 0.5F);
    }
  }
  return vectors;
}

/// An .npy file of format 1.0, little-endian, C order.
Vectors read_npy(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (all.size() < 10) return {};
  const std::size_t start =
      10 + static_cast<unsigned char>(all[8]) + 256 * static_cast<unsigned char>(all[9]);
  const std::string header = all.substr(10, start - 10);
  Vectors vectors;
  const std::size_t comma = header.find(',', header.find('('));
  vectors.d = std::stoul(header.substr(comma + 1));
  const bool half = header.find("<f2") != std::string::npos;
  const std::size_t count = (all.size() - start) / (half ? 2 : 4);
  vectors.rows.resize(count);
  if (half) {
    std::vector<std::uint16_t> bits(count);
    std::memcpy(bits.data(), all.data() + start, 2 * count);
    core::kernels().float16.to_float(bits.data(), count, vectors.rows.data());
  } else {
    std::memcpy(vectors.rows.data(), all.data() + start, 4 * count);
  }
  return vectors;
}

/// Seconds of the fastest of a few runs.
template <class F>
double fastest(F f, int runs = 5) {
  double best = 1e9;
  for (int run = 0; run < runs; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    f();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

std::vector<std::byte> encode(const Vectors& vectors, Metric metric, std::size_t begin) {
  std::vector<std::int64_t> slots(kBlockRows);
  for (std::size_t r = 0; r < kBlockRows; ++r) slots[r] = static_cast<std::int64_t>(begin + r);
  return codec::encode_block({static_cast<codec::CodeMetric>(metric), vectors.d, slots, 0},
                             std::span(vectors.rows).subspan(begin * vectors.d, kBlockRows * vectors.d));
}

void bench_kernels(std::size_t d) {
  const Vectors vectors = clustered(2 * kBlockRows, d);
  std::vector<std::byte> block;
  const double encoding = fastest([&] { block = encode(vectors, Metric::cosine, 0); }, 20);
  std::printf("d %zu: block %zu bytes, %.2f a row; encode %.2f us a row\n", d, block.size(),
              static_cast<double>(block.size()) / kBlockRows, encoding * 1e6 / kBlockRows);
  const auto query = index::QueryCode::raw(Metric::cosine, vectors.row(300));
  const std::size_t copies = (std::size_t{256} << 20) / block.size();
  std::vector<std::byte> memory;
  for (std::size_t c = 0; c < copies; ++c) memory.insert(memory.end(), block.begin(), block.end());
  const auto gigabytes = [&](double seconds, std::size_t blocks) {
    return static_cast<double>(blocks * block.size()) / seconds * 1e-9;
  };
  std::vector<double> out(kBlockRows);
  for (const core::CodeKernels* kernels : core::runnable_code_kernels()) {
    const auto score = [&](const std::byte* at) {
      const auto view = codec::CodeBlockView::parse({at, block.size()});
      kernels->dot_rows(query.code(), view.codes(), kBlockRows, d, out.data());
    };
    const double cached = fastest([&] {
      for (int i = 0; i < 100; ++i) score(memory.data());
    });
    const double streamed = fastest(
        [&] {
          for (std::size_t c = 0; c < copies; ++c) score(memory.data() + c * block.size());
        },
        3);
    std::printf("  %-10s products %6.1f GB/s in cache, %5.1f from memory\n", kernels->name,
                gigabytes(cached, 100), gigabytes(streamed, copies));
  }
  index::DistanceBounds bounds;
  const double whole = fastest([&] {
    for (int i = 0; i < 100; ++i) {
      index::bound_distances(codec::CodeBlockView::parse({memory.data(), block.size()}), query, bounds);
    }
  });
  const double streamed = fastest(
      [&] {
        for (std::size_t c = 0; c < copies; ++c) {
          index::bound_distances(
              codec::CodeBlockView::parse({memory.data() + c * block.size(), block.size()}), query, bounds);
        }
      },
      3);
  std::printf("  %-10s bounds   %6.1f GB/s in cache, %5.1f from memory\n", "in use", gigabytes(whole, 100),
              gigabytes(streamed, copies));
  const double parsing = fastest([&] {
    for (int i = 0; i < 100; ++i) (void)codec::CodeBlockView::parse({memory.data(), block.size()});
  });
  const double verifying = fastest([&] {
    for (int i = 0; i < 100; ++i) codec::CodeBlockView::parse({memory.data(), block.size()}).verify(0);
  });
  std::printf("  parse %.2f us a block, checksum %.1f GB/s\n", parsing * 1e4, gigabytes(verifying, 100));
  const double floats = fastest(
      [&] {
        const auto* rows = reinterpret_cast<const float*>(memory.data());
        const std::size_t count = memory.size() / (4 * d);
        out.resize(count);
        core::kernels().dot_rows(vectors.row(0).data(), rows, count, d, d,
                                 reinterpret_cast<float*>(out.data()));
      },
      3);
  std::printf("  float32 rows from memory %.1f GB/s\n", static_cast<double>(memory.size()) / floats * 1e-9);
}

class Rows final : public index::RowFetcher {
 public:
  Rows(const Vectors& vectors, Metric metric, std::span<const float> query)
      : vectors_(vectors), metric_(metric), query_(query) {}
  void fetch(std::span<const std::uint32_t> slots, std::span<Hit> hits) override {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const auto row = vectors_.row(slots[i]);
      const double score = metric_ == Metric::cosine ? core::cosine(query_, row).value_or(NAN)
                           : metric_ == Metric::l2   ? core::distance_l2(query_, row)
                                                     : core::distance_dot(query_, row);
      hits[i] = {score, slots[i]};
    }
  }

 private:
  const Vectors& vectors_;
  Metric metric_;
  std::span<const float> query_;
};

struct Cost {
  std::vector<double> milliseconds;
  std::vector<double> fetched;
};

double at_share(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

void search_once(const Blocks& blocks, const Vectors& vectors, Metric metric, std::span<const float> q,
                 const index::SearchLimits& limits, std::size_t hits, Cost& cost) {
  Rows rows(vectors, metric, q);
  const auto begin = std::chrono::steady_clock::now();
  const auto query = index::QueryCode::raw(metric, q);
  index::BoundedSearch search(query, limits);
  for (const auto& block : blocks) {
    search.add_block(codec::CodeBlockView::parse(block), codec::RowMask(), codec::RowMask::first(kBlockRows));
  }
  while (hits > 0 && search.next(rows)) --hits;
  const auto end = std::chrono::steady_clock::now();
  cost.milliseconds.push_back(std::chrono::duration<double, std::milli>(end - begin).count());
  cost.fetched.push_back(static_cast<double>(search.fetched()));
}

void bench_search(const Vectors& vectors) {
  constexpr std::size_t kQueries = 100;
  const std::size_t block_count = (vectors.size() - kQueries) / kBlockRows;
  std::printf("search of %zu x %zu, %zu queries\n", block_count * kBlockRows, vectors.d, kQueries);
  for (const auto& [name, metric] :
       {std::pair{"cosine", Metric::cosine}, {"l2", Metric::l2}, {"dot", Metric::dot}}) {
    Blocks blocks;
    for (std::size_t b = 0; b < block_count; ++b) blocks.push_back(encode(vectors, metric, b * kBlockRows));
    for (const std::size_t k : {1, 10, 100}) {
      Cost limited;
      Cost stream;
      for (std::size_t i = 0; i < kQueries; ++i) {
        const auto q = vectors.row(vectors.size() - 1 - i);
        search_once(blocks, vectors, metric, q, {k, 10, 0, {}, {}, false}, k, limited);
        search_once(blocks, vectors, metric, q, {std::nullopt, k, blocks.size() * kBlockRows, {}, {}, false},
                    k, stream);
      }
      std::printf(
          "  %-6s k %3zu: scored per k: mean %.2f, most %.2f; median %.2f ms, first %zu of a stream %.2f "
          "ms\n",
          name, k,
          std::accumulate(limited.fetched.begin(), limited.fetched.end(), 0.0) / kQueries /
              static_cast<double>(k),
          at_share(limited.fetched, 1) / static_cast<double>(k), at_share(limited.milliseconds, 0.5), k,
          at_share(stream.milliseconds, 0.5));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const core::FloatingPointScope scope;
  if (argc > 1) {
    const Vectors vectors = read_npy(argv[1]);
    if (vectors.d == 0 || vectors.size() < 1000) {
      std::fprintf(stderr, "%s holds no 1000 vectors\n", argv[1]);
      return 1;
    }
    bench_search(vectors);
    return 0;
  }
  std::printf("kernels in use: %s\n", core::kernels().name);
  for (const std::size_t d : {384, 768, 1536}) bench_kernels(d);
  bench_search(clustered(20'580, 768));
}
