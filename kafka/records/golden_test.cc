// Batches as real clients build them, from tests/golden/batches/CLIENT-CODEC.hex. Each holds the
// same four records.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "kafka/records/records.h"
#include "kafka/records/samples.h"
#include "kafka/records/validate.h"

namespace kafka {
namespace {

constexpr base::TimestampMs sent_at = 1'700'000'000'000;

base::Bytes read_hex(const std::filesystem::path& path) {
    std::ifstream file(path);
    base::Bytes out;
    for (std::string line; std::getline(file, line);) {
        for (size_t i = 0; i + 1 < line.size(); i += 2) {
            out.push_back(static_cast<std::byte>(std::stoi(line.substr(i, 2), nullptr, 16)));
        }
    }
    return out;
}

std::string text(const std::optional<base::View>& bytes) {
    return bytes ? std::string(base::as_text(*bytes)) : "(null)";
}

void expect_records(const BatchView& batch, base::View records) {
    const std::string values[] = {"value one", "v2", "(null)", std::string(2000, 'a')};
    const std::string keys[] = {"k1", "(null)", "k3", "k4"};
    const int times[] = {0, 5, 10, 7};
    RecordReader reader(batch, records);
    for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(reader.next()) << reader.error();
        EXPECT_EQ(reader.record().offset, i);
        EXPECT_EQ(reader.record().timestamp, sent_at + times[i]);
        EXPECT_EQ(text(reader.record().key), keys[i]);
        EXPECT_EQ(text(reader.record().value), values[i]);
        if (i > 0) continue;
        ASSERT_EQ(reader.record().headers.count(), 2);
        auto header = reader.record().headers.begin();
        EXPECT_EQ(header->key, "h1");
        EXPECT_EQ(text(header->value), "x");
        ++header;
        EXPECT_EQ(header->key, "h2");
        EXPECT_EQ(text(header->value), "(null)");
    }
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.ok()) << reader.error();
}

class GoldenBatch : public testing::TestWithParam<const char*> {};

TEST_P(GoldenBatch, IsAcceptedAsItIsAndReadsBack) {
    for (const auto codec : all_codecs) {
        SCOPED_TRACE(name(codec));
        const auto path = std::filesystem::path(MOLDAU_GOLDEN_DIR) /
                          (std::string(GetParam()) + "-" + std::string(name(codec)) + ".hex");
        auto bytes = read_hex(path);
        ASSERT_FALSE(bytes.empty()) << path;
        const auto sent = bytes;
        const auto outcome = validate_batch(bytes, {}, sent_at + 1000);
        ASSERT_TRUE(outcome.ok()) << outcome.error().message;
        EXPECT_EQ(bytes, sent);
        const BatchView batch(bytes);
        EXPECT_EQ(batch.codec(), codec);
        EXPECT_EQ(batch.max_timestamp(), sent_at + 10);
        const auto plain = decompress(codec, batch.records(), 1 << 20);
        ASSERT_TRUE(plain.ok()) << plain.status();
        expect_records(batch, plain->bytes());
    }
}

INSTANTIATE_TEST_SUITE_P(Clients, GoldenBatch,
                         testing::Values("java", "librdkafka", "kafka-python", "aiokafka"),
                         [](const auto& info) {
                             std::string out(info.param);
                             std::erase(out, '-');
                             return out;
                         });

TEST(GoldenBatch, BuiltHereItIsTheSameBytesAsJavas) {
    const RecordHeader headers[] = {{"h1", base::as_bytes("x")}, {"h2", std::nullopt}};
    const std::string large(2000, 'a');
    BatchBuilder builder;
    builder.add({.timestamp = sent_at,
                 .key = base::as_bytes("k1"),
                 .value = base::as_bytes("value one"),
                 .headers = headers});
    builder.add({.timestamp = sent_at + 5, .value = base::as_bytes("v2")});
    builder.add({.timestamp = sent_at + 10, .key = base::as_bytes("k3")});
    builder.add(
        {.timestamp = sent_at + 7, .key = base::as_bytes("k4"), .value = base::as_bytes(large)});
    EXPECT_EQ(std::move(builder).build(),
              read_hex(std::filesystem::path(MOLDAU_GOLDEN_DIR) / "java-none.hex"));
}

}  // namespace
}  // namespace kafka
