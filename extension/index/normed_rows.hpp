#pragma once
// Rows with their norms under a transform that nothing is stored for: each is computed as the rows pass.

#include <isovec/buffer.hpp>
#include <isovec/transform.hpp>

#include "codec/vector_type.hpp"
#include "index/row_source.hpp"

namespace isovec::index {

class NormedRows final : public RowSource {
 public:
  /// `rows` and `transform` must outlive this.
  NormedRows(RowSource& rows, const Transform& transform, codec::ElementType type)
      : rows_(rows), transform_(transform), type_(type) {}
  std::optional<RowBatch> next() override;
  /// |x| of the batch's rows, by lengths_of().
  [[nodiscard]] std::span<const float> lengths() const noexcept { return lengths_; }

 private:
  RowSource& rows_;
  const Transform& transform_;
  codec::ElementType type_;
  Buffer<float> floats_;
  Buffer<double> norms_;
  Buffer<float> lengths_;
};

}  // namespace isovec::index
