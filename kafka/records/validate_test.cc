#include "kafka/records/validate.h"

#include <gtest/gtest.h>

#include "kafka/records/records.h"
#include "kafka/records/samples.h"

namespace kafka {
namespace {

constexpr base::TimestampMs now = 1'700'000'001'000;

/// The code with which `bytes` are refused; `none` if they are not. Refused bytes stay as they are.
ErrorCode refusal(base::Bytes bytes, const BatchRules& rules = {}) {
    const auto before = bytes;
    const auto outcome = validate_batch(bytes, rules, now);
    if (outcome.ok()) return ErrorCode::none;
    EXPECT_EQ(bytes, before);
    EXPECT_FALSE(outcome.error().message.empty());
    return outcome.error().code;
}

/// A good batch, changed by `change` and with its checksum made right again.
template <class Change>
base::Bytes changed(Change change, BatchBuilder::Options options = {}) {
    auto bytes = sample_batch(3, 20, options);
    change(bytes);
    BatchEditor(bytes).update_crc();
    return bytes;
}
template <class I>
auto setting(size_t at, I value) {
    return [=](base::Bytes& bytes) { base::store_be<I>(bytes.data() + at, value); };
}

TEST(Validate, AGoodBatchStaysAsItIs) {
    for (const auto codec : all_codecs) {
        auto bytes = sample_batch(3, 200, {.compression = {codec}});
        const auto before = bytes;
        const auto outcome = validate_batch(bytes, {}, now);
        ASSERT_TRUE(outcome.ok()) << name(codec) << outcome.error().message;
        EXPECT_EQ(bytes, before) << name(codec);
        EXPECT_FALSE(outcome.value().rebuilt);
        EXPECT_EQ(outcome.value().count, 3);
        EXPECT_EQ(outcome.value().max_timestamp, 1'700'000'000'002);
    }
}

TEST(Validate, ExactlyOneBatch) {
    const auto good = sample_batch(2);
    EXPECT_EQ(refusal({}), ErrorCode::invalid_record);
    auto two = good;
    two.insert(two.end(), good.begin(), good.end());
    EXPECT_EQ(refusal(two), ErrorCode::invalid_record);
    auto more = good;
    more.push_back(std::byte{0});
    EXPECT_EQ(refusal(more), ErrorCode::corrupt_message);
    for (size_t size = 1; size < good.size(); ++size) {
        EXPECT_EQ(refusal({good.begin(), good.begin() + static_cast<long>(size)}),
                  ErrorCode::corrupt_message);
    }
}

TEST(Validate, FormatAndLength) {
    for (const int8_t magic : {0, 1}) {
        EXPECT_EQ(refusal(changed(setting(batch_field::magic, magic))),
                  ErrorCode::unsupported_for_message_format);
    }
    EXPECT_EQ(refusal(changed(setting<int8_t>(batch_field::magic, 3))), ErrorCode::invalid_record);
    EXPECT_EQ(refusal(changed(setting<int8_t>(batch_field::magic, -1))), ErrorCode::invalid_record);
    EXPECT_EQ(refusal(changed(setting<int32_t>(batch_field::length, 40))),
              ErrorCode::corrupt_message);
    EXPECT_EQ(refusal(changed(setting<int32_t>(batch_field::length, -5))),
              ErrorCode::corrupt_message);
}

TEST(Validate, EveryFlippedBitBehindTheChecksumIsFound) {
    const auto good = sample_batch(1, 4);
    for (size_t bit = batch_field::crc * 8; bit < good.size() * 8; ++bit) {
        auto bad = good;
        bad[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        const auto code = refusal(bad);
        EXPECT_TRUE(code == ErrorCode::corrupt_message ||
                    code == ErrorCode::unsupported_compression_type)
            << bit;
    }
}

TEST(Validate, Sizes) {
    const auto good = sample_batch(3);
    EXPECT_EQ(refusal(good, {.max_message_bytes = static_cast<uint32_t>(good.size())}),
              ErrorCode::none);
    EXPECT_EQ(refusal(good, {.max_message_bytes = static_cast<uint32_t>(good.size()) - 1}),
              ErrorCode::message_too_large);
    for (const auto codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
        BatchBuilder bomb({.compression = {codec}});
        bomb.add({.timestamp = now, .value = base::Bytes(3 << 20)});
        EXPECT_EQ(refusal(std::move(bomb).build(), {.decompressed_max_bytes = 1 << 20}),
                  ErrorCode::message_too_large)
            << name(codec);
    }
}

TEST(Validate, CountsAndOffsets) {
    EXPECT_EQ(refusal(changed(setting<int64_t>(batch_field::base_offset, 1))),
              ErrorCode::invalid_record);
    EXPECT_EQ(refusal(changed(setting<int32_t>(batch_field::count, 0))), ErrorCode::invalid_record);
    EXPECT_EQ(refusal(changed(setting<int32_t>(batch_field::count, -3))),
              ErrorCode::invalid_record);
    EXPECT_EQ(refusal(changed(setting<int32_t>(batch_field::count, 4))), ErrorCode::invalid_record);
    EXPECT_EQ(refusal(changed(setting<int32_t>(batch_field::last_offset_delta, 5))),
              ErrorCode::invalid_record);
    // Both agree, and the records do not.
    for (const int32_t count : {2, 4, 0x7fffffff}) {
        EXPECT_EQ(refusal(changed([&](base::Bytes& bytes) {
                      setting(batch_field::count, count)(bytes);
                      setting(batch_field::last_offset_delta, count - 1)(bytes);
                  })),
                  ErrorCode::invalid_record);
    }
    EXPECT_EQ(refusal(std::move(BatchBuilder()).build()), ErrorCode::invalid_record);
}

TEST(Validate, AttributesThatOnlyBrokersSet) {
    EXPECT_EQ(refusal(sample_batch(1, 5, {.control = true})), ErrorCode::invalid_record);
    EXPECT_EQ(refusal(changed(setting(batch_field::attributes, batch_attribute::delete_horizon))),
              ErrorCode::invalid_record);
}

TEST(Validate, ProducerFields) {
    EXPECT_EQ(
        refusal(sample_batch(1, 5, {.producer_id = {7}, .producer_epoch = 0, .base_sequence = 0})),
        ErrorCode::none);
    EXPECT_EQ(refusal(sample_batch(1, 5, {.producer_id = {7}, .producer_epoch = 0})),
              ErrorCode::invalid_record);
    EXPECT_EQ(refusal(sample_batch(1, 5, {.producer_id = {7}, .base_sequence = 0})),
              ErrorCode::invalid_record);
    EXPECT_EQ(refusal(sample_batch(1, 5, {.transactional = true})), ErrorCode::invalid_record);
}

TEST(Validate, Codecs) {
    for (int16_t bits = 5; bits < 8; ++bits) {
        EXPECT_EQ(refusal(changed(setting(batch_field::attributes, bits))),
                  ErrorCode::unsupported_compression_type);
    }
    const auto zstd = sample_batch(3, 20, {.compression = {Codec::zstd}});
    EXPECT_EQ(refusal(zstd, {.zstd_allowed = false}), ErrorCode::unsupported_compression_type);
    EXPECT_EQ(refusal(zstd), ErrorCode::none);
    // Plain records that claim to be compressed.
    for (int16_t bits = 1; bits < 5; ++bits) {
        EXPECT_EQ(refusal(changed(setting(batch_field::attributes, bits))),
                  ErrorCode::corrupt_message);
    }
}

TEST(Validate, TheTimestampWindow) {
    const auto at = [](base::TimestampMs t) { return sample_batch(1, 5, {}, t); };
    const BatchRules rules{.timestamp_before_max_ms = 1000, .timestamp_after_max_ms = 500};
    EXPECT_EQ(refusal(at(now - 1000), rules), ErrorCode::none);
    EXPECT_EQ(refusal(at(now - 1001), rules), ErrorCode::invalid_timestamp);
    EXPECT_EQ(refusal(at(now + 500), rules), ErrorCode::none);
    EXPECT_EQ(refusal(at(now + 501), rules), ErrorCode::invalid_timestamp);
    EXPECT_EQ(refusal(at(-1), rules), ErrorCode::none);
    EXPECT_EQ(refusal(at(-2)), ErrorCode::invalid_timestamp);
    EXPECT_EQ(refusal(at(0)), ErrorCode::none);
    EXPECT_EQ(refusal(at(std::numeric_limits<int64_t>::max())), ErrorCode::invalid_timestamp);
}

TEST(Validate, TheBrokerSetsTheLargestTimestamp) {
    auto bytes = changed(setting<int64_t>(batch_field::max_timestamp, 5));
    const auto outcome = validate_batch(bytes, {}, now);
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(BatchView(bytes).max_timestamp(), 1'700'000'000'002);
    EXPECT_TRUE(BatchView(bytes).crc_ok());
}

TEST(Validate, LogAppendTimeIsStampedOnTheBatch) {
    for (const auto codec : all_codecs) {
        auto bytes = sample_batch(3, 20, {.compression = {codec}}, 12);
        const BatchRules rules{.timestamp_type = TimestampType::log_append_time,
                               .timestamp_before_max_ms = 1};
        const auto outcome = validate_batch(bytes, rules, now);
        ASSERT_TRUE(outcome.ok()) << outcome.error().message;
        EXPECT_EQ(outcome.value().max_timestamp, now);
        const BatchView batch(bytes);
        EXPECT_EQ(batch.timestamp_type(), TimestampType::log_append_time);
        EXPECT_EQ(batch.max_timestamp(), now);
        EXPECT_EQ(batch.codec(), codec);
        EXPECT_TRUE(batch.crc_ok());
    }
    EXPECT_EQ(refusal(sample_batch(1, 5, {.timestamp_type = TimestampType::log_append_time})),
              ErrorCode::invalid_timestamp);
}

TEST(Validate, CompactedTopicsNeedKeys) {
    BatchBuilder builder({.compression = {Codec::lz4}});
    builder.add(now, "k", "v");
    builder.add({.timestamp = now, .value = base::as_bytes("v")});
    builder.add({.timestamp = now, .key = base::View()});
    builder.add({.timestamp = now, .value = base::as_bytes("w")});
    auto bytes = std::move(builder).build();
    EXPECT_EQ(refusal(bytes), ErrorCode::none);
    const auto outcome = validate_batch(bytes, {.keys_required = true}, now);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code, ErrorCode::invalid_record);
    ASSERT_EQ(outcome.error().records.size(), 2u);
    EXPECT_EQ(outcome.error().records[0].index, 1);
    EXPECT_EQ(outcome.error().records[1].index, 3);
}

TEST(Validate, RecordErrorsAreBounded) {
    BatchBuilder builder;
    for (int i = 0; i < 10'000; ++i) builder.add({.timestamp = now, .value = base::View()});
    auto bytes = std::move(builder).build();
    const auto outcome = validate_batch(bytes, {.keys_required = true}, now);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().records.size(), 64u);
}

TEST(Validate, ABadTimestampOutweighsAMissingKey) {
    BatchBuilder builder;
    builder.add({.timestamp = now, .value = base::as_bytes("v")});
    builder.add(-7, "k", "v");
    auto bytes = std::move(builder).build();
    const auto outcome = validate_batch(bytes, {.keys_required = true}, now);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code, ErrorCode::invalid_timestamp);
    EXPECT_EQ(outcome.error().records.size(), 2u);
}

TEST(Validate, AMalformedRecordIsNamed) {
    auto bytes = changed([](base::Bytes& b) { b.back() = std::byte{6}; });  // its header count
    const auto outcome = validate_batch(bytes, {}, now);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code, ErrorCode::invalid_record);
    ASSERT_EQ(outcome.error().records.size(), 1u);
    EXPECT_EQ(outcome.error().records[0].index, 2);
}

TEST(Validate, TheTopicsCodecReplacesTheProducers) {
    const BatchBuilder::Options producer{
        .producer_id = {7}, .producer_epoch = 1, .base_sequence = 4};
    for (const auto from : all_codecs) {
        for (const auto to : all_codecs) {
            auto options = producer;
            options.compression = {from};
            auto bytes = sample_batch(50, 100, options);
            const auto outcome = validate_batch(bytes, {.compression = Compression{to}}, now);
            ASSERT_TRUE(outcome.ok());
            ASSERT_EQ(outcome.value().rebuilt.has_value(), from != to);
            if (from == to) continue;
            auto rebuilt = *outcome.value().rebuilt;
            base::View in(rebuilt);
            const auto batch = take_batch(in);
            ASSERT_TRUE(batch && in.empty());
            EXPECT_EQ(batch->codec(), to);
            EXPECT_EQ(batch->producer_id().value, 7);
            EXPECT_EQ(batch->last_sequence(), 53);
            EXPECT_EQ(refusal(rebuilt), ErrorCode::none);
            options.compression = {to};
            EXPECT_EQ(rebuilt, sample_batch(50, 100, options));
        }
    }
}

TEST(Validate, ARebuiltBatchCarriesLogAppendTime) {
    auto bytes = sample_batch(5, 100);
    const auto outcome = validate_batch(bytes,
                                        {.timestamp_type = TimestampType::log_append_time,
                                         .compression = Compression{Codec::zstd, 5}},
                                        now);
    ASSERT_TRUE(outcome.ok() && outcome.value().rebuilt);
    const BatchView batch(*outcome.value().rebuilt);
    EXPECT_TRUE(batch.crc_ok());
    EXPECT_EQ(batch.timestamp_type(), TimestampType::log_append_time);
    EXPECT_EQ(batch.max_timestamp(), now);
    EXPECT_EQ(BatchView(bytes).codec(), Codec::none) << "the client's bytes are left alone";
}

}  // namespace
}  // namespace kafka
