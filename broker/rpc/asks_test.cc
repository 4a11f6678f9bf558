#include "broker/rpc/asks.h"

#include <gtest/gtest.h>

#include "broker/rpc/partitioner.h"
#include "kafka/records/records.h"
#include "proto/broker.pb.h"

namespace broker::rpc {
namespace {

namespace v1 = moldau::broker::v1;

template <class Message>
base::Bytes encoded(const Message& message) {
    base::Bytes out(message.ByteSizeLong());
    message.SerializeToArray(out.data(), static_cast<int>(out.size()));
    return out;
}

v1::ProduceRequest produce_of(const std::vector<std::string>& values) {
    v1::ProduceRequest out;
    out.set_topic("t");
    for (const auto& value : values) out.add_records()->set_value(value);
    return out;
}

bool refused(const v1::ProduceRequest& request) {
    auto bytes = encoded(request);
    return absl::IsInvalidArgument(read_produce(bytes).status());
}

TEST(Asks, AProduceIsReadWithItsDefaults) {
    auto bytes = encoded(produce_of({"a"}));
    const auto ask = read_produce(bytes);
    ASSERT_TRUE(ask.ok()) << ask.status();
    EXPECT_EQ(ask->topic.name, "t");
    EXPECT_FALSE(ask->partition);
    EXPECT_EQ(ask->acks, -1);
    EXPECT_EQ(ask->timeout.count(), 30'000);
    EXPECT_FALSE(ask->has_batch);
}

TEST(Asks, ABatchIsAViewIntoTheMessage) {
    v1::ProduceRequest request;
    request.set_topic_id(std::string(15, '\0') + '\1');
    request.set_partition(7);
    request.set_acks(v1::ACKS_LEADER);
    request.set_timeout_ms(5);
    request.set_batch("batch");
    auto bytes = encoded(request);
    const auto ask = read_produce(bytes);
    ASSERT_TRUE(ask.ok()) << ask.status();
    EXPECT_EQ(ask->topic.id, (base::Uuid{0, 1}));
    EXPECT_EQ(ask->partition, 7);
    EXPECT_EQ(ask->acks, 1);
    EXPECT_EQ(ask->batch.size(), 5);
    EXPECT_GE(ask->batch.data(), bytes.data());
    EXPECT_LT(ask->batch.data(), bytes.data() + bytes.size());
}

TEST(Asks, WhatMakesNoSenseIsRefused) {
    EXPECT_TRUE(refused({})) << "no topic";
    EXPECT_TRUE(refused(produce_of({}))) << "nothing to append";
    auto both_names = produce_of({"a"});
    both_names.set_topic_id(std::string(16, 'x'));
    EXPECT_TRUE(refused(both_names));
    auto short_id = produce_of({"a"});
    short_id.clear_topic();
    short_id.set_topic_id("x");
    EXPECT_TRUE(refused(short_id));
    auto both = produce_of({"a"});
    both.set_batch("b");
    EXPECT_TRUE(refused(both));
    auto nowhere = produce_of({});
    nowhere.set_batch("b");
    EXPECT_TRUE(refused(nowhere)) << "a batch without a partition";
    auto in_the_past = produce_of({"a"});
    in_the_past.set_timeout_ms(-1);
    EXPECT_TRUE(refused(in_the_past));
    auto long_name = produce_of({"a"});
    long_name.set_topic(std::string(2000, 'x'));
    EXPECT_TRUE(refused(long_name));
    auto acks = encoded(produce_of({"a"}));
    put_field(acks, v1::ProduceRequest::kAcksFieldNumber, uint64_t{17});
    EXPECT_FALSE(read_produce(acks).ok());
}

TEST(Asks, UnknownFieldsAreSkipped) {
    auto bytes = encoded(produce_of({"a"}));
    put_field(bytes, 1000, base::as_bytes("whatever"));
    put_field(bytes, 1001, uint64_t{1} << 63);
    EXPECT_TRUE(read_produce(bytes).ok());
}

TEST(Asks, EveryCutOfAMessageIsHarmless) {
    auto request = produce_of({"a", "b"});
    request.mutable_records(0)->set_key("k");
    request.mutable_records(0)->add_headers()->set_key("h");
    const auto whole = encoded(request);
    for (size_t size = 0; size < whole.size(); ++size) {
        base::Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
        if (const auto ask = read_produce(cut); ask.ok()) (void)batch_of(ask->message, 0);
    }
}

TEST(Asks, PlainRecordsBecomeABatch) {
    auto request = produce_of({"one", "two"});
    request.mutable_records(0)->set_key("k");
    request.mutable_records(0)->set_timestamp_ms(17);
    auto& header = *request.mutable_records(0)->add_headers();
    header.set_key("h");
    header.set_value("v");
    request.mutable_records(1)->clear_value();
    const auto bytes = encoded(request);
    const auto built = batch_of(bytes, 99);
    ASSERT_TRUE(built.ok());
    const kafka::BatchView batch(*built);
    EXPECT_TRUE(batch.crc_ok());
    kafka::RecordReader reader(batch, batch.records());
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.record().timestamp, 17);
    EXPECT_EQ(reader.record().key->size(), 1);
    EXPECT_EQ(reader.record().headers.begin()->key, "h");
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.record().timestamp, 99);
    EXPECT_FALSE(reader.record().key);
    EXPECT_FALSE(reader.record().value) << "a tombstone";
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.ok());
}

TEST(Asks, AHeaderWithoutATextForAKeyIsRefused) {
    auto message = encoded(produce_of({}));
    base::Bytes header, record;
    put_field(header, v1::Header::kKeyFieldNumber, base::as_bytes("\xff"));
    put_field(record, v1::Record::kHeadersFieldNumber, header);
    put_field(message, v1::ProduceRequest::kRecordsFieldNumber, record);
    EXPECT_FALSE(batch_of(message, 0).ok());
}

TEST(Asks, KeysLeadToOnePartitionOrAreRefused) {
    auto request = produce_of({"a", "b"});
    EXPECT_EQ(*partition_of(encoded(request), 10), std::nullopt);
    request.mutable_records(0)->set_key("k");
    EXPECT_FALSE(partition_of(encoded(request), 10).ok()) << "one has no key";
    request.mutable_records(1)->set_key("k");
    EXPECT_EQ(*partition_of(encoded(request), 10), partition_of_key(base::as_bytes("k"), 10));
    EXPECT_EQ(*partition_of(encoded(request), 1), 0);
}

TEST(Asks, AFetchIsReadWithItsDefaults) {
    v1::FetchRequest request;
    request.set_topic("t");
    const auto ask = read_fetch(encoded(request));
    ASSERT_TRUE(ask.ok());
    EXPECT_EQ(ask->max_bytes, 1u << 20);
    EXPECT_EQ(ask->min_bytes, 1);
    EXPECT_EQ(ask->form, Form::records);
}

TEST(Asks, AFetchThatMakesNoSenseIsRefused) {
    const auto with = [](auto change) {
        v1::FetchRequest request;
        request.set_topic("t");
        change(request);
        return read_fetch(encoded(request)).ok();
    };
    EXPECT_FALSE(with([](auto& r) { r.set_offset(-3); }));
    EXPECT_FALSE(with([](auto& r) { r.set_max_bytes(-1); }));
    EXPECT_FALSE(with([](auto& r) { r.set_min_bytes(-1); }));
    EXPECT_FALSE(with([](auto& r) { r.set_max_wait_ms(-1); }));
    EXPECT_FALSE(with([](auto& r) { r.clear_topic(); }));
    EXPECT_FALSE(with([](auto& r) { r.set_form(static_cast<v1::Form>(9)); }));
    EXPECT_FALSE(with([](auto& r) { r.set_isolation(static_cast<v1::Isolation>(9)); }));
    EXPECT_FALSE(with([](auto& r) { r.set_topic(std::string(100'000, 'x')); }));
    EXPECT_TRUE(with([](auto& r) { r.set_partition(-5); })) << "answered with Kafka's error";
}

TEST(Asks, WhatIsPassedOnIsReadAsItWasMeant) {
    FetchAsk ask;
    ask.topic.id = {1, 2};
    ask.partition = 3;
    ask.offset = FetchAsk::oldest;
    ask.max_bytes = 5;
    ask.min_bytes = 6;
    ask.max_wait = std::chrono::milliseconds(7);
    ask.isolation = 1;
    ask.form = Form::batches;
    const auto got = read_fetch(encode(ask));
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->topic.id, ask.topic.id);
    EXPECT_EQ(got->offset, FetchAsk::oldest);
    EXPECT_EQ(got->max_wait.count(), 7);
    EXPECT_EQ(got->form, Form::batches);
    EXPECT_TRUE(got->forwarded) << "so that it goes no further";

    base::Bytes batch = {std::byte{1}, std::byte{2}};
    ProduceAsk put;
    put.topic.id = {1, 2};
    put.partition = 3;
    put.acks = 1;
    put.timeout = std::chrono::milliseconds(9);
    put.batch = batch;
    auto bytes = encode_head(put);
    bytes.insert(bytes.end(), batch.begin(), batch.end());
    const auto read = read_produce(bytes);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->partition, 3);
    EXPECT_EQ(read->acks, 1);
    EXPECT_EQ(read->timeout.count(), 9);
    EXPECT_EQ(read->batch.size(), 2);
    EXPECT_TRUE(read->forwarded);
}

}  // namespace
}  // namespace broker::rpc
