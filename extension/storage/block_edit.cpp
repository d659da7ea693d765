#include "storage/block_edit.hpp"

#include <algorithm>

#include "codec/code_encoder.hpp"
#include "storage/code_groups.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {

BlockEdit::BlockEdit(Store& store, std::size_t column, std::int64_t group)
    : seed_(block_seed(column, group)) {
  const TableShape& shape = store.shape();
  blob_ = db::Blob::find(store.connection(), shape.schema.c_str(), shadow_name(shape, "codes").c_str(),
                         "data", block_id(column, group), db::Access::write);
  if (!blob_) refuse_block(column, group, "missing, or no BLOB");
  const codec::CodeBlockShape largest{codec::CodeMetric::l2, true, codec::kLargestBlockDimension,
                                      codec::kBlockRows};
  if (blob_->size() > largest.bytes()) refuse_block(column, group, "longer than any");
  bytes_.resize(blob_->size());
  blob_->read(bytes_, 0);
  const auto block = codec::CodeBlockView::parse(bytes_);
  block.verify(seed_);
  shape_ = block.shape();
  slots_.assign(block.slots().begin(), block.slots().begin() + static_cast<std::ptrdiff_t>(block.rows()));
}

codec::RowMask BlockEdit::code(const index::RowCoder& coder, std::span<const std::int64_t> slots,
                               std::span<const float> rows, const Checkpoint& checkpoint) {
  const std::size_t d = slots.empty() ? 0 : rows.size() / slots.size();
  codec::RowMask places;
  Buffer<std::size_t> which;
  Buffer<float> found;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto at = std::lower_bound(slots_.begin(), slots_.end(), static_cast<std::uint32_t>(slots[i]));
    if (at == slots_.end() || *at != slots[i]) continue;
    which.push_back(static_cast<std::size_t>(at - slots_.begin()));
    const std::span<const float> row = rows.subspan(i * d, d);
    found.insert(found.end(), row.begin(), row.end());
    places.set(place_in_group(slots[i]));
    changed_.set(which.back());
  }
  coder.recode(bytes_, which, found, checkpoint);
  codec::seal_block(bytes_, seed_);
  return places;
}

void BlockEdit::write() {
  codec::for_each_row(changed_, [&](std::size_t row) {
    codec::for_each_part(shape_, row, [&](std::size_t offset, std::size_t bytes) {
      blob_->write(std::span<const std::byte>(bytes_).subspan(offset, bytes), offset);
    });
  });
  blob_.reset();
}

}  // namespace isovec::storage
