#pragma once
// What a change of rows means for the groups of one column: norms under its transform, marks and blocks of
// codes (code_groups.hpp). Prepared with the change, written with it.

#include <functional>
#include <isovec/buffer.hpp>
#include <map>
#include <optional>
#include <span>

#include "storage/block_edit.hpp"
#include "storage/code_groups.hpp"
#include "storage/norm_store.hpp"
#include "storage/store.hpp"

namespace isovec::storage {

class GroupChange {
 public:
  /// `state` is the table's before the change.
  GroupChange(Store& store, std::size_t column, const State& state)
      : store_(store), column_(column), before_(state) {}

  /// The free slot receives a vector; the row in the slot gets another vector; the row leaves the slot. An
  /// empty vector is NULL, and `was_null` tells of the one before.
  void put(std::int64_t slot, std::span<const std::byte> vector) { touch({slot, Event::put, {}}, vector); }
  void replace(std::int64_t slot, std::span<const std::byte> vector, bool was_null) {
    touch({slot, Event::replace, {}, was_null}, vector);
  }
  void erase(std::int64_t slot, bool was_null) { touch({slot, Event::erase, {}, was_null}, {}); }

  /// Works out all that is to be written. `row_in` gives the row of a slot after the change.
  using RowInSlot = std::function<std::optional<std::int64_t>(std::int64_t slot)>;
  void prepare(const State& after, const RowInSlot& row_in);
  void write();

 private:
  enum class Event { put, replace, erase };
  struct Touch {
    std::int64_t slot;
    Event event;
    Buffer<std::byte> vector;  // none where it is NULL, or erased
    bool was_null = false;
    [[nodiscard]] bool had_vector() const noexcept { return event != Event::put && !was_null; }
    [[nodiscard]] bool has_vector() const noexcept { return !vector.empty(); }
  };
  struct Block {
    std::int64_t group;
    Buffer<std::byte> bytes;  // none where the block goes
  };
  void touch(Touch touch, std::span<const std::byte> vector);
  [[nodiscard]] bool coded() const noexcept { return store_.shape().vectors[column_].coded; }
  [[nodiscard]] std::shared_ptr<const Transform> transform() { return store_.transform(column_, before_); }
  void mark(const Touch& touch);
  void set_norm_of(const Touch& touch);
  void set_norm(std::int64_t slot, double norm);
  void set_norms(std::int64_t group, std::span<const std::int64_t> slots, std::span<const double> norms);
  [[nodiscard]] MarkPage& page_of_group(std::int64_t group);
  [[nodiscard]] GroupMarks marks_of(std::int64_t group);
  void set_marks(std::int64_t group, const GroupMarks& marks);
  void update_block(std::int64_t group, std::uint32_t written_before, const RowInSlot& row_in);
  void add_group(std::int64_t group, const RowInSlot& row_in);
  struct Rows {
    Buffer<std::int64_t> slots;
    Buffer<float> vectors;
  };
  void code_group(std::int64_t group, const Rows& rows, Buffer<double>* norms = nullptr);
  void code_in_place(std::int64_t group, const RowInSlot& row_in);
  [[nodiscard]] Rows rows_of(std::int64_t group, const codec::RowMask& places, const RowInSlot& row_in) const;
  [[nodiscard]] const Buffer<std::byte>* pending(std::int64_t slot) const;

  Store& store_;
  std::size_t column_;
  State before_;
  Buffer<Touch> touches_;
  std::map<std::int64_t, MarkPage> marks_;  // by page
  std::map<std::int64_t, NormPage> norms_;  // by page
  Buffer<BlockEdit> edits_;
  Buffer<Block> blocks_;
};

}  // namespace isovec::storage
