// Statistics and transforms as bytes: exact round trips, and damage of every kind refused.

#include <cstring>
#include <isovec/buffer.hpp>
#include <isovec/error.hpp>

#include "catch.hpp"
#include "codec/blob_header.hpp"
#include "codec/statistics_blob.hpp"
#include "codec/transform_blob.hpp"
#include "fit_inputs.hpp"

using namespace isovec;
using namespace isovec::test;

namespace {

using Bytes = isovec::Buffer<std::byte>;

const isovec::Buffer<std::string> kSpecs = {"none",
                                            "center",
                                            "standardize",
                                            "project_mean",
                                            "remove_top drop=2",
                                            "pca k=3",
                                            "whiten",
                                            "whiten k=3",
                                            "whiten basis=cholesky",
                                            "whiten basis=zca-cor",
                                            "whiten eps=1 normalize=both",
                                            "whiten slice=4"};

const Rows& rows_6() {
  static const Rows rows = normal_rows(40, 6, 70);
  return rows;
}

void check_same(const TransformParts& a, const TransformParts& b) {
  CHECK(a.spec == b.spec);
  CHECK(a.input_dimensions == b.input_dimensions);
  CHECK(a.columns == b.columns);
  CHECK(a.output_dimensions == b.output_dimensions);
  CHECK(a.normalize == b.normalize);
  CHECK(a.kind == b.kind);
  CHECK(a.mean == b.mean);
  CHECK(a.linear == b.linear);
  CHECK(a.eigenvalues == b.eigenvalues);
  CHECK(a.standardizer == b.standardizer);
  CHECK(a.not_invertible == b.not_invertible);
  CHECK(a.summary.rows == b.summary.rows);
  CHECK(a.summary.weight == b.summary.weight);
  CHECK(a.summary.effective_rows == b.summary.effective_rows);
  CHECK(a.summary.rank == b.summary.rank);
  CHECK(a.summary.kept == b.summary.kept);
  CHECK(a.summary.dropped == b.summary.dropped);
  CHECK(a.summary.dead == b.summary.dead);
  CHECK(a.summary.rank_threshold == b.summary.rank_threshold);
  CHECK(a.summary.shrinkage == b.summary.shrinkage);
  CHECK(a.summary.ridge == b.summary.ridge);
  CHECK(a.summary.condition == b.summary.condition);
  CHECK(a.summary.explained == b.summary.explained);
  CHECK(a.summary.warnings == b.summary.warnings);
}

// Every BLOB cut short, with one byte too many, and with one bit of each byte turned must be refused.
void check_damage(const Bytes& blob, const auto& decode) {
  for (std::size_t size = 0; size < blob.size(); ++size) {
    // A copy of its own length, so that the sanitizer sees a read beyond it.
    const Bytes cut(blob.begin(), blob.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_THROWS_AS(decode(cut), Error);
  }
  Bytes longer = blob;
  longer.push_back(std::byte{0});
  CHECK_THROWS_AS(decode(longer), Error);
  for (std::size_t i = 0; i < blob.size(); ++i) {
    Bytes turned = blob;
    turned[i] ^= static_cast<std::byte>(1 << (i % 8));
    CHECK_THROWS_AS(decode(turned), Error);
  }
}

// What a decoded transform is asked for; each may be refused.
void use(const Transform& transform) {
  const auto attempt = [](const auto& action) {
    try {
      action();
    } catch (const Error&) {
    }
  };
  const isovec::Buffer<float> x(transform.input_dimensions(), 1.5F);
  isovec::Buffer<float> z(transform.output_dimensions()), back(x.size());
  attempt([&] { transform.apply(x, z); });
  attempt([&] { transform.inverse(z, back); });
  attempt([&] { static_cast<void>(transform.query_form(x)); });
  attempt([&] { static_cast<void>(transform.row_norm(x)); });
  attempt([&] { static_cast<void>(transform.matrix()); });
  attempt([&] { static_cast<void>(spectrum(transform)); });
  attempt([&] { static_cast<void>(components(transform)); });
  attempt([&] { static_cast<void>(compose(transform, transform)); });
  attempt([&] { static_cast<void>(drift(transform, statistics_of(rows_6()))); });
  attempt([&] { static_cast<void>(to_json(transform)); });
}

// Damage behind a right checksum: every body is either decoded or refused by an Error, never worse.
void check_hostile(const Bytes& blob, const codec::Magic& magic, const auto& decode) {
  const auto survives = [&](const Bytes& body) {
    codec::ByteWriter writer;
    codec::start_blob(writer, magic);
    writer.bytes().insert(writer.bytes().end(), body.begin(), body.end());
    try {
      decode(codec::finish_blob(writer));
    } catch (const Error&) {
    }
  };
  const Bytes body(blob.begin() + codec::kHeaderBytes, blob.end());
  for (std::size_t i = 0; i < body.size(); ++i) {
    for (const int value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      Bytes changed = body;
      changed[i] = static_cast<std::byte>(value);
      survives(changed);
    }
    survives(Bytes(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(i)));
  }
  SUCCEED();
}

}  // namespace

TEST_CASE("a transform comes back from its BLOB to the bit", "[codec][transform]") {
  for (const std::string& spec : kSpecs) {
    CAPTURE(spec);
    const Transform transform = fit_rows(rows_6(), spec);
    const Bytes blob = to_blob(transform);
    const Transform back = transform_from_blob(blob);
    check_same(back.parts(), transform.parts());
    CHECK(to_blob(back) == blob);
    CHECK(codec::peek_transform_hash(blob).has_value());
    CHECK_FALSE(codec::peek_statistics_hash(blob).has_value());
  }
}

TEST_CASE("different transforms have different hashes", "[codec][transform]") {
  const auto hash = [](const char* spec) {
    return codec::peek_transform_hash(to_blob(fit_rows(rows_6(), spec))).value();
  };
  CHECK(hash("whiten") == hash("whiten"));
  CHECK(hash("whiten") != hash("whiten eps=0.001"));
}

TEST_CASE("a symmetric matrix is kept as a triangle", "[codec][transform]") {
  const Rows rows = normal_rows(300, 64, 71);
  CHECK(to_blob(fit_rows(rows, "whiten")).size() < 64 * 65 / 2 * 8 + 64 * 8 * 2 + 512);
  CHECK(to_blob(fit_rows(rows, "center")).size() < 64 * 8 + 512);
}

TEST_CASE("statistics come back from their BLOB to the bit, and go on", "[codec][statistics]") {
  for (const char* options :
       {"", "moments=first", "weights=frequency normalize=before slice=4", "precision=float"}) {
    CAPTURE(options);
    Statistics statistics(parse_statistics_options(options));
    for (std::size_t r = 0; r < 30; ++r) statistics.add(rows_6()[r], static_cast<double>(r % 3));
    const Bytes blob = to_blob(statistics);
    Statistics back = statistics_from_blob(blob);
    CHECK(to_blob(back) == blob);
    for (std::size_t r = 30; r < 40; ++r) {
      statistics.add(rows_6()[r]);
      back.add(rows_6()[r]);
    }
    CHECK(to_blob(back) == to_blob(statistics));
    CHECK(codec::peek_statistics_hash(blob).has_value());
  }
  const Statistics none = statistics_from_blob(to_blob(Statistics()));
  CHECK(none.rows() == 0);
}

TEST_CASE("a damaged BLOB is refused, whatever byte is damaged", "[codec][transform][statistics]") {
  const auto transform = [](const Bytes& blob) { return transform_from_blob(blob); };
  const auto statistics = [](const Bytes& blob) { return statistics_from_blob(blob); };
  for (const char* spec : {"center", "whiten", "remove_top"}) {
    check_damage(to_blob(fit_rows(rows_6(), spec)), transform);
  }
  check_damage(to_blob(statistics_of(rows_6())), statistics);
}

TEST_CASE("a hostile BLOB with a right checksum does no harm, whatever is asked of it",
          "[codec][transform][statistics]") {
  const auto transform = [](const Bytes& blob) { use(transform_from_blob(blob)); };
  const auto statistics = [](const Bytes& blob) {
    const Statistics decoded = statistics_from_blob(blob);
    static_cast<void>(to_json(decoded));
    static_cast<void>(fit(decoded, parse_spec("whiten eps=1")));
  };
  for (const char* spec :
       {"center", "whiten k=2", "whiten", "whiten basis=pca-cor", "remove_top", "standardize"}) {
    check_hostile(to_blob(fit_rows(rows_6(), spec)), codec::kTransformMagic, transform);
  }
  check_hostile(to_blob(statistics_of(rows_6())), codec::kStatisticsMagic, statistics);
}

TEST_CASE("a BLOB of another kind is named", "[codec][transform][statistics]") {
  const auto message_of = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  const Bytes transform = to_blob(fit_rows(rows_6(), "center")),
              statistics = to_blob(statistics_of(rows_6()));
  const Bytes vector(24);
  CHECK(message_of([&] { static_cast<void>(transform_from_blob(statistics)); }).find("got statistics") !=
        std::string::npos);
  CHECK(message_of([&] { static_cast<void>(statistics_from_blob(transform)); }).find("got a transform") !=
        std::string::npos);
  CHECK(message_of([&] { static_cast<void>(transform_from_blob(vector)); }).find("24 bytes") !=
        std::string::npos);
  Bytes newer = transform;
  newer[4] = std::byte{9};
  CHECK(message_of([&] { static_cast<void>(transform_from_blob(newer)); }).find("newer isovec") !=
        std::string::npos);
}

TEST_CASE("BLOBs are little-endian with the header that is documented", "[codec][transform][statistics]") {
  const Bytes blob = to_blob(fit_rows(rows_6(), "center"));
  CHECK(std::memcmp(blob.data(), "isoT\x01\0\0\0", 8) == 0);
  CHECK(std::memcmp(blob.data() + 16, "\x06\0\0\0\x06\0\0\0\x06\0\0\0", 12) == 0);
  CHECK(std::memcmp(to_blob(statistics_of(rows_6())).data(), "isoS\x01\0\0\0", 8) == 0);
}

TEST_CASE("JSON describes statistics, transforms and drifts", "[codec][json]") {
  const Statistics statistics = statistics_of(rows_6());
  const Transform white = fit_rows(rows_6(), "whiten");
  const auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(has(to_json(statistics), "\"n\":40"));
  CHECK(has(to_json(statistics), "\"dimensions\":6"));
  CHECK(has(to_json(white), "\"spec\":\"whiten\""));
  CHECK(has(to_json(white), "\"rank\":6"));
  CHECK(has(to_json(white), "\"invertible\":true"));
  CHECK(has(to_json(white), "eps=1"));
  CHECK_FALSE(has(to_json(fit_rows(rows_6(), "whiten eps=1")), "\"note\""));
  CHECK(has(to_json(fit_rows(rows_6(), "pca k=2")),
            "\"not_invertible_because\":\"it keeps 2 of 6 directions\""));
  CHECK(has(to_json(drift(white, statistics)), "no drift found"));
  CHECK(has(to_json(Statistics()), "\"n\":0"));
}
