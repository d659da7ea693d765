#pragma once
// A vector that SQL hands to a function: BLOB or JSON text in, a view for kernels out. NaN and infinity are
// refused here, for every function. What a constant argument was decoded to stays with the statement, so that
// a query vector is read once.
//
//   VectorArgument a(context, arguments, 0), b(context, arguments, 1);
//   codec::require_same_shape(a.view(), b.view());
//   ... kernels().dot(a.float32(), b.float32(), a.dimension());

#include <isovec/buffer.hpp>
#include <memory>
#include <optional>
#include <span>

#include "codec/vector_blob.hpp"
#include "surface/function.hpp"

namespace isovec::surface {

/// When the elements of an argument are looked at for NaN and infinity: when it is decoded, or by its user,
/// for whom a sum tells without a look at each: see VectorArgument::require_finite().
enum class Look : std::uint8_t { at_once, later };

/// A decoded vector argument. Views and pointers are valid while it lives and the SQL value does.
class VectorArgument {
 public:
  /// Decodes argument `index`: a BLOB of the type that its subtype says (float32 without one), or JSON text
  /// (float32). Throws where it is no vector, which NULL is not: ask Arguments::any_null() before; and,
  /// unless that is left for later, where an element is NaN or infinite.
  VectorArgument(sqlite3_context* context, const Arguments& arguments, std::size_t index,
                 Look look = Look::at_once);
  /// Leaves what was worked out for a constant argument with the statement.
  ~VectorArgument();
  VectorArgument(const VectorArgument&) = delete;
  VectorArgument& operator=(const VectorArgument&) = delete;

  [[nodiscard]] const codec::VectorView& view() const noexcept { return view_; }
  [[nodiscard]] codec::ElementType type() const noexcept { return view_.type; }
  [[nodiscard]] std::size_t dimension() const noexcept { return view_.dimension; }

  /// The elements as float32, possibly unaligned: the BLOB's own bytes, or widened once. For kernels only.
  [[nodiscard]] const float* float32();
  /// Throws where an element is NaN or infinite. A constant is looked at once. Who looks later calls this
  /// where the result is NULL, NaN or infinite.
  void require_finite();
  /// x.x: of float types the kernel's canonical float32 sum, not checked for overflow; of int8 exact; of
  /// bits the number that is set. A constant's is computed once.
  [[nodiscard]] double squared_norm();
  /// Whether squared_norm() costs nothing, since an earlier row computed it.
  [[nodiscard]] bool knows_norm() noexcept;
  /// Whether what is computed now may be known for the next row.
  ///
  /// SQLite keeps what was made of an argument only where the argument is a constant of the statement, and
  /// throws it away after each call where it is not. Text is dear enough to try always. Of BLOBs, a bound
  /// parameter is a constant for sure, and a BLOB with a subtype is more often a constant than not, since a
  /// column of an ordinary table has none.
  [[nodiscard]] bool is_kept() noexcept;

 private:
  struct Kept;
  enum class Keeping : std::uint8_t { unasked, no, yes };
  void read_text();
  void look_up() noexcept;
  Kept& kept();

  sqlite3_context* context_;
  db::Value value_;
  int index_;
  unsigned subtype_ = 0;
  Keeping keeping_ = Keeping::unasked;
  codec::VectorView view_;
  Kept* known_ = nullptr;        // what the statement keeps, or fresh_
  std::unique_ptr<Kept> fresh_;  // worked out in this call
};

/// A vector of one SQL value outside a scalar function (aggregates, tables, commands): nothing is kept.
class DecodedVector {
 public:
  /// As VectorArgument. Throws where it is no vector or an element is NaN or infinite.
  explicit DecodedVector(db::Value value);
  [[nodiscard]] const codec::VectorView& view() const noexcept { return view_; }
  [[nodiscard]] std::size_t dimension() const noexcept { return view_.dimension; }
  /// The elements as float32, possibly unaligned; for kernels only.
  [[nodiscard]] const float* float32();

 private:
  codec::VectorView view_;
  Buffer<float> floats_;
};

/// Argument `index` as an integer within [least, most]; an integral REAL counts as one. `what` names it in
/// the error: "start".
[[nodiscard]] std::int64_t integer_argument(db::Value value, const char* what, std::int64_t least,
                                            std::int64_t most);
/// Argument as a finite number; `what` names it in the error.
[[nodiscard]] double number_argument(db::Value value, const char* what);
/// Argument as a number within [least, most].
[[nodiscard]] double number_argument(db::Value value, const char* what, double least, double most);
/// Argument as a finite number above 0.
[[nodiscard]] double positive_argument(db::Value value, const char* what);
/// Argument as a text; `what` names it in the error.
[[nodiscard]] std::string_view text_argument(db::Value value, const char* what);

}  // namespace isovec::surface
