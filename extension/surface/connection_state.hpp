#pragma once
// What the functions of one connection share: transforms that were decoded lately, so that a BLOB which
// arrives anew for every row (from a subquery or a join) is parsed and verified once; and fitters of the
// statistics used last, so that several specs share their eigendecompositions.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <isovec/fit.hpp>
#include <isovec/transform.hpp>
#include <memory>
#include <span>

#include "codec/statistics_blob.hpp"
#include "codec/transform_blob.hpp"

namespace isovec::surface {

/// The objects decoded last from BLOBs that carry the hash of their content in their header. By that hash an
/// entry is found, but a BLOB may claim any: what is found must have every byte of it. Comparing takes a
/// small part of the time of decoding.
template <typename Object>
class DecodedCache {
 public:
  /// The object of a BLOB that claims this hash, or null.
  [[nodiscard]] std::shared_ptr<const Object> find(std::uint64_t hash, std::span<const std::byte> blob) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].hash != hash || !codec::has_body_of(blob, *entries_[i].object)) continue;
      const Entry entry = entries_[i];
      entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
      entries_.push_back(entry);
      return entry.object;
    }
    return nullptr;
  }
  /// Keeps the object of a BLOB with this hash, verified, and size; the one that was asked for longest ago
  /// goes when there are too many or they grow too large.
  void keep(std::uint64_t hash, std::size_t size, std::shared_ptr<const Object> object) {
    std::size_t bytes = size;
    for (const Entry& entry : entries_) bytes += entry.size;
    while (!entries_.empty() && (entries_.size() >= kEntries || bytes > kBytes)) {
      bytes -= entries_.front().size;
      entries_.erase(entries_.begin());
    }
    entries_.push_back({hash, size, std::move(object)});
    ++decoded_;
  }
  /// How many objects were decoded since the connection was opened.
  [[nodiscard]] std::uint64_t decoded() const noexcept { return decoded_; }

 private:
  static constexpr std::size_t kEntries = 8;
  static constexpr std::size_t kBytes = std::size_t{64} << 20;
  struct Entry {
    std::uint64_t hash;
    std::size_t size;
    std::shared_ptr<const Object> object;
  };
  Buffer<Entry> entries_;  // the one used last at the end
  std::uint64_t decoded_ = 0;
};

/// The fitters of the statistics used last, found and compared as above.
class FitterCache {
 public:
  /// The fitter of a BLOB that claims this hash, or null.
  [[nodiscard]] std::shared_ptr<Fitter> find(std::uint64_t hash, std::span<const std::byte> blob) const {
    for (const Entry& entry : entries_) {
      if (entry.hash == hash && codec::has_body_of(blob, entry.fitter->statistics())) return entry.fitter;
    }
    return nullptr;
  }
  /// Keeps a fitter that is about to be used, as the newest. The hash of its BLOB must have been verified.
  void keep(std::uint64_t hash, std::shared_ptr<Fitter> fitter) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.fitter == fitter; });
    entries_.push_back({hash, std::move(fitter)});
  }
  /// To be called after each use, which makes fitters grow: what is then too much goes, the oldest first.
  void trim() noexcept {
    std::size_t bytes = 0;
    for (const Entry& entry : entries_) bytes += entry.fitter->bytes();
    while (!entries_.empty() && (entries_.size() > kEntries || bytes > kBytes)) {
      bytes -= entries_.front().fitter->bytes();
      entries_.erase(entries_.begin());
    }
  }

 private:
  static constexpr std::size_t kEntries = 2;
  // Two decompositions and the statistics take 20 d^2 bytes: this is enough up to some 3,600 dimensions.
  static constexpr std::size_t kBytes = std::size_t{256} << 20;
  struct Entry {
    std::uint64_t hash;
    std::shared_ptr<Fitter> fitter;
  };
  Buffer<Entry> entries_;  // the one used last at the end
};

class ConnectionState {
 public:
  DecodedCache<Transform> transforms;
  FitterCache fitters;
  std::uint64_t decompositions = 0;  ///< Eigendecompositions of statistics since the connection was opened.
};

}  // namespace isovec::surface
