#include "kafka/records/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/varint.h"
#include "kafka/records/samples.h"

namespace kafka {
namespace {

using testing::HasSubstr;

/// A batch's header over hand-made records.
base::Bytes around(const base::Bytes& records, int32_t count, int32_t last_delta) {
    auto out = std::move(BatchBuilder()).build();
    BatchEditor(out).set_base_timestamp(1000);
    out.insert(out.end(), records.begin(), records.end());
    base::store_be(out.data() + batch_field::length, static_cast<int32_t>(out.size() - 12));
    base::store_be(out.data() + batch_field::count, count);
    base::store_be(out.data() + batch_field::last_offset_delta, last_delta);
    return out;
}

/// A record's fields as zigzag numbers, with its length in front.
base::Bytes record_of(std::initializer_list<int64_t> fields) {
    base::Bytes body{std::byte{0}}, out;
    for (const auto v : fields) base::put_zigzag(body, v);
    base::put_zigzag(out, static_cast<int64_t>(body.size()));
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

std::string fault(const base::Bytes& batch) {
    const BatchView view(batch);
    RecordReader reader(view, view.records());
    while (reader.next()) {
        for (const auto& header : reader.record().headers)
            EXPECT_LE(header.key.size(), batch.size());
    }
    return std::string(reader.error());
}

TEST(Records, ReadBackWhatWasBuilt) {
    const RecordHeader headers[] = {
        {"h1", base::as_bytes("x")}, {"", std::nullopt}, {"h1", base::View()}};
    BatchBuilder builder({.base_offset = 100});
    builder.add(
        {.timestamp = 50, .key = base::as_bytes("k"), .value = std::nullopt, .headers = headers});
    builder.add({.timestamp = 40, .key = std::nullopt, .value = base::View()});
    EXPECT_EQ(builder.count(), 2);
    const auto bytes = std::move(builder).build();
    const BatchView batch(bytes);
    EXPECT_EQ(batch.max_timestamp(), 50);
    RecordReader reader(batch, batch.records());

    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.record().offset, 100);
    EXPECT_EQ(reader.record().timestamp, 50);
    EXPECT_EQ(base::as_text(*reader.record().key), "k");
    EXPECT_FALSE(reader.record().value);
    EXPECT_EQ(reader.record().headers.count(), 3);
    auto header = reader.record().headers.begin();
    EXPECT_EQ(header->key, "h1");
    EXPECT_EQ(base::as_text(*header->value), "x");
    ++header;
    EXPECT_EQ(header->key, "");
    EXPECT_FALSE(header->value);
    ++header;
    EXPECT_TRUE(header->value && header->value->empty());
    ++header;
    EXPECT_EQ(header, reader.record().headers.end());

    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.record().offset, 101);
    EXPECT_EQ(reader.record().timestamp, 40);
    EXPECT_FALSE(reader.record().key);
    EXPECT_TRUE(reader.record().value && reader.record().value->empty());
    EXPECT_TRUE(reader.record().headers.empty());
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.ok()) << reader.error();
}

TEST(Records, LogAppendTimeIsTheTimeOfEveryRecord) {
    auto bytes = sample_batch(3);
    BatchEditor editor(bytes);
    editor.set_timestamp_type(TimestampType::log_append_time);
    editor.set_max_timestamp(77);
    RecordReader reader(editor.view(), editor.view().records());
    while (reader.next()) EXPECT_EQ(reader.record().timestamp, 77);
    EXPECT_TRUE(reader.ok());
}

TEST(Records, AnEmptyBatchHasNone) {
    const auto bytes = std::move(BatchBuilder({.compression = {Codec::gzip}})).build();
    EXPECT_FALSE(BatchView(bytes).compressed());
    EXPECT_EQ(fault(bytes), "");
}

TEST(Records, GapsThatCompactionLeavesAreFine) {
    auto records = record_of({0, 2, -1, -1, 0});
    const auto second = record_of({0, 7, -1, -1, 0});
    records.insert(records.end(), second.begin(), second.end());
    EXPECT_EQ(fault(around(records, 2, 9)), "");
}

TEST(Records, EveryLieIsFound) {
    const auto good = record_of({0, 0, -1, -1, 0});
    EXPECT_EQ(fault(around(good, 1, 0)), "");
    EXPECT_THAT(fault(around(good, 2, 1)), HasSubstr("length is cut short"));
    EXPECT_THAT(fault(around(good, 0, 0)), HasSubstr("left over after the last"));
    EXPECT_THAT(fault(around(good, -1, 0)), HasSubstr("count is negative"));
    EXPECT_THAT(fault(around(record_of({0, 1, -1, -1, 0}), 1, 0)),
                HasSubstr("past the batch's last"));
    EXPECT_THAT(fault(around(record_of({0, -1, -1, -1, 0}), 1, 0)), HasSubstr("do not grow"));
    EXPECT_THAT(fault(around(record_of({0, 0, -2, -1, 0}), 1, 0)), HasSubstr("key"));
    EXPECT_THAT(fault(around(record_of({0, 0, 9, -1, 0}), 1, 0)), HasSubstr("key"));
    EXPECT_THAT(fault(around(record_of({0, 0, -1, -2, 0}), 1, 0)), HasSubstr("value"));
    EXPECT_THAT(fault(around(record_of({0, 0, -1, 5, 0}), 1, 0)), HasSubstr("value"));
    EXPECT_THAT(fault(around(record_of({0, 0, -1, -1}), 1, 0)), HasSubstr("header count"));
    EXPECT_THAT(fault(around(record_of({0, 0, -1, -1, -1}), 1, 0)), HasSubstr("header count"));
    EXPECT_THAT(fault(around(record_of({0, 0, -1, -1, 1}), 1, 0)), HasSubstr("a header is"));
    EXPECT_THAT(fault(around(record_of({0, 0, -1, -1, 1, -1, -1}), 1, 0)),
                HasSubstr("a header is"));
    EXPECT_THAT(fault(around(record_of({0, 0, -1, -1, 1, 0, -2}), 1, 0)), HasSubstr("a header is"));
    EXPECT_THAT(fault(around(record_of({0, 0, -1, -1, 0x7fffffff}), 1, 0)),
                HasSubstr("a header is"));
    EXPECT_THAT(fault(around(record_of({0, 0, -1, -1, 0, 0}), 1, 0)), HasSubstr("bytes left over"));
    EXPECT_THAT(fault(around(record_of({std::numeric_limits<int64_t>::max(), 0, -1, -1, 0}), 1, 0)),
                HasSubstr("timestamp is out of range"));
    base::Bytes bare;
    base::put_zigzag(bare, 0);
    EXPECT_THAT(fault(around(bare, 1, 0)), HasSubstr("a record is empty"));
    bare.clear();
    base::put_zigzag(bare, -1);
    EXPECT_THAT(fault(around(bare, 1, 0)), HasSubstr("length is negative"));
    bare.clear();
    base::put_zigzag(bare, 4);
    EXPECT_THAT(fault(around(bare, 1, 0)), HasSubstr("a record is cut short"));
    EXPECT_THAT(fault(around(base::Bytes(6, std::byte{0xff}), 1, 0)), HasSubstr("length is cut"));
}

TEST(Records, EveryTruncatedPrefixIsRefused) {
    const auto bytes = sample_batch(5);
    const BatchView batch(bytes);
    for (size_t size = 0; size < batch.records().size(); ++size) {
        RecordReader reader(batch, batch.records().first(size));
        while (reader.next()) {
        }
        EXPECT_FALSE(reader.ok()) << size;
        EXPECT_FALSE(reader.next()) << "a fault stays";
    }
}

}  // namespace
}  // namespace kafka
