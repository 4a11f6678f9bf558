// A record of __consumer_offsets: length of the key (2 bytes, big-endian; the top bit: a
// tombstone), key, value. It is refused, or is the same once it is written as we write it and read
// again.
#include <algorithm>
#include <optional>
#include <span>
#include <variant>

#include "base/check.h"
#include "base/endian.h"
#include "groups/records.h"

namespace {

void check_again(const groups::OffsetRecord& record) {
    const auto written =
        record.value ? groups::to_record(record.key, *record.value) : groups::tombstone(record.key);
    const auto again = groups::parse(written.key, written.value);
    CHECK(again.ok()) << again.status();
    CHECK(std::get<groups::OffsetRecord>(*again).key == record.key);
    CHECK(std::get<groups::OffsetRecord>(*again).value.has_value() == record.value.has_value());
}

void check_again(const groups::GroupRecord& record) {
    const auto written = record.value ? groups::to_record(record.key.group, *record.value)
                                      : groups::tombstone(record.key.group);
    const auto again = groups::parse(written.key, written.value);
    CHECK(again.ok()) << again.status();
    CHECK(std::get<groups::GroupRecord>(*again).key == record.key);
    CHECK(std::get<groups::GroupRecord>(*again).value == record.value);
    if (record.value)
        for (const auto& member : record.value->members)
            groups::subscribed_topics(member.subscription);
}

void check_again(const groups::ForeignRecord&) {}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    base::View bytes = std::as_bytes(std::span(data, size));
    groups::subscribed_topics(bytes);
    if (bytes.size() < 2) return 0;
    const auto head = base::load_be<uint16_t>(bytes.data());
    bytes = bytes.subspan(2);
    const base::View key = bytes.first(std::min<size_t>(head & 0x7fff, bytes.size()));
    std::optional<base::View> value;
    if ((head & 0x8000) == 0) value = bytes.subspan(key.size());
    const auto record = groups::parse(key, value);
    if (!record.ok()) {
        CHECK(!base::message(record.status()).empty());
        return 0;
    }
    std::visit([](const auto& r) { check_again(r); }, *record);
    return 0;
}
