// A client's batch, as the leader validates it. The first byte chooses the rules; unless its top
// bit is set, length and checksum are made right first, so that the fuzzer gets past them.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "kafka/records/records.h"
#include "kafka/records/validate.h"

namespace {

constexpr base::TimestampMs now = 1'700'000'001'000;

kafka::BatchRules rules_of(uint8_t choice) {
    kafka::BatchRules rules;
    rules.decompressed_max_bytes = 1 << 20;
    rules.keys_required = (choice & 1) != 0;
    if (choice & 2) rules.timestamp_type = kafka::TimestampType::log_append_time;
    if (choice & 4) rules.timestamp_before_max_ms = 1000;
    const int codec = (choice >> 3) & 7;
    if (codec < 5) rules.compression = kafka::Compression{static_cast<kafka::Codec>(codec), {}};
    return rules;
}

void make_right(base::Bytes& bytes) {
    if (bytes.size() < kafka::batch_header_size) return;
    base::store_be(bytes.data() + kafka::batch_field::length,
                   static_cast<int32_t>(bytes.size() - kafka::batch_frame_size));
    bytes[kafka::batch_field::magic] = std::byte{2};
    kafka::BatchEditor(bytes).update_crc();
}

/// What was accepted is one batch that reads through to its end.
void check_accepted(const base::Bytes& bytes, int32_t count) {
    base::View rest(bytes);
    const auto batch = kafka::take_batch(rest);
    CHECK(batch && rest.empty());
    CHECK(batch->crc_ok());
    CHECK(batch->count() == count);
    const auto plain = kafka::decompress(*batch->codec(), batch->records(), 1 << 20);
    CHECK(plain.ok()) << plain.status();
    kafka::RecordReader reader(*batch, plain->bytes());
    int32_t seen = 0;
    while (reader.next()) {
        ++seen;
        int32_t headers = 0;
        for (const auto& header : reader.record().headers) headers += header.key.data() != nullptr;
        CHECK(headers == reader.record().headers.count());
    }
    CHECK(reader.ok() && seen == count);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const auto* bytes_begin = reinterpret_cast<const std::byte*>(data);
    base::Bytes bytes(bytes_begin + 1, bytes_begin + size);
    if ((data[0] & 0x80) == 0) make_right(bytes);
    const auto before = bytes;
    const auto outcome = kafka::validate_batch(bytes, rules_of(data[0]), now);
    if (!outcome.ok()) {
        CHECK(bytes == before);
        CHECK(outcome.error().code != kafka::ErrorCode::none);
        return 0;
    }
    CHECK(!outcome.value().rebuilt || bytes == before);
    check_accepted(outcome.value().rebuilt.value_or(bytes), outcome.value().count);
    return 0;
}
