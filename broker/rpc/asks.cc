#include "broker/rpc/asks.h"

#include <algorithm>
#include <limits>

#include "base/endian.h"
#include "broker/rpc/partitioner.h"
#include "kafka/utf8.h"
#include "proto/broker.pb.h"

namespace broker::rpc {

namespace {

namespace v1 = moldau::broker::v1;
using Produce = v1::ProduceRequest;
using std::chrono::milliseconds;

// A name may have 249 bytes; what is longer is no topic's.
constexpr size_t kMostNameBytes = 1024;
constexpr size_t kUuidBytes = 16;
constexpr size_t kMostHeaders = 10'000;
constexpr milliseconds kMostTimeout{600'000};
// Of a message without records: nothing in it is long.
constexpr size_t kMostFetchBytes = 16 << 10;
constexpr uint32_t kDefaultMaxBytes = 1 << 20;
constexpr milliseconds kDefaultTimeout{30'000};

base::Status unreadable() { return base::invalid("the message can't be read"); }

template <class Message>
base::Result<TopicName> topic_of(const Message& name, const base::View& id) {
    TopicName out;
    if (name.empty() == id.empty()) return base::invalid("one of topic and topic_id is wanted");
    if (name.size() > kMostNameBytes || !kafka::valid_utf8(name))
        return base::invalid("no topic has such a name");
    if (!id.empty() && id.size() != kUuidBytes) return base::invalid("topic_id must have 16 bytes");
    out.name = std::string(name);
    if (!id.empty())
        out.id = {base::load_be<uint64_t>(id.data()), base::load_be<uint64_t>(id.data() + 8)};
    return out;
}

base::Bytes bytes_of(const base::Uuid& id) {
    base::Bytes out(kUuidBytes);
    base::store_be(out.data(), id.hi);
    base::store_be(out.data() + 8, id.lo);
    return out;
}

base::Result<int16_t> acks_of(uint64_t value) {
    switch (value) {
        case v1::ACKS_ALL:
            return int16_t{-1};
        case v1::ACKS_LEADER:
            return int16_t{1};
        case v1::ACKS_NONE:
            return int16_t{0};
        default:
            return base::invalid("acks must be ACKS_ALL, ACKS_LEADER or ACKS_NONE");
    }
}

/// Protocol Buffers write a negative int32 as a negative int64.
int32_t int32_of(uint64_t value) { return static_cast<int32_t>(value); }

milliseconds timeout_of(int32_t ms) { return std::min(kMostTimeout, milliseconds(ms)); }

/// FetchRequest and FetchStreamRequest have most fields in common.
template <class Request>
base::Result<FetchAsk> read(base::View message, Request& in) {
    if (message.size() > kMostFetchBytes ||
        !in.ParseFromArray(message.data(), static_cast<int>(message.size())))
        return unreadable();
    FetchAsk out;
    ASSIGN_OR_RETURN(out.topic, topic_of(in.topic(), base::as_bytes(in.topic_id())));
    out.partition = in.partition();
    out.offset = in.offset();
    if (out.offset < FetchAsk::oldest)
        return base::invalid("offset must be at least -2, the oldest record");
    if (in.max_bytes() < 0) return base::invalid("max_bytes must not be negative");
    out.max_bytes = in.max_bytes() == 0 ? kDefaultMaxBytes : static_cast<uint32_t>(in.max_bytes());
    if (!v1::Isolation_IsValid(in.isolation())) return base::invalid("isolation is unknown");
    out.isolation = static_cast<int8_t>(in.isolation());
    if (!v1::Form_IsValid(in.form())) return base::invalid("form is unknown");
    out.form = in.form() == v1::BATCHES ? Form::batches : Form::records;
    return out;
}

}  // namespace

base::Result<ProduceAsk> read_produce(base::MutableView message) {
    constexpr int topic = Produce::kTopicFieldNumber, topic_id = Produce::kTopicIdFieldNumber,
                  partition = Produce::kPartitionFieldNumber, acks = Produce::kAcksFieldNumber,
                  timeout = Produce::kTimeoutMsFieldNumber, batch = Produce::kBatchFieldNumber,
                  records = Produce::kRecordsFieldNumber,
                  forwarded = Produce::kForwardedFieldNumber;
    if (message.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
        return unreadable();
    ProduceAsk out;
    out.message = message;
    std::string_view name;
    base::View id;
    bool has_records = false;
    Fields fields(message);
    while (fields.next()) {
        switch (fields.tag()) {
            case bytes_tag(topic):
                name = fields.text();
                break;
            case bytes_tag(topic_id):
                id = fields.bytes();
                break;
            case varint_tag(partition):
                out.partition = int32_of(fields.value());
                break;
            case varint_tag(acks): {
                ASSIGN_OR_RETURN(out.acks, acks_of(fields.value()));
                break;
            }
            case varint_tag(timeout):
                out.timeout = timeout_of(int32_of(fields.value()));
                break;
            case bytes_tag(batch): {
                const auto at = static_cast<size_t>(fields.bytes().data() - message.data());
                out.batch = message.subspan(at, fields.bytes().size());
                out.has_batch = true;
                break;
            }
            case bytes_tag(records):
                has_records = true;
                break;
            case varint_tag(forwarded):
                out.forwarded = fields.value() != 0;
                break;
            default:
                break;
        }
    }
    if (!fields.ok()) return unreadable();
    ASSIGN_OR_RETURN(out.topic, topic_of(name, id));
    if (out.partition && *out.partition == -1) out.partition.reset();
    if (out.timeout.count() < 0) return base::invalid("timeout_ms must not be negative");
    if (out.timeout.count() == 0) out.timeout = kDefaultTimeout;
    if (out.has_batch == has_records) return base::invalid("one of batch and records is wanted");
    if (out.has_batch && !out.partition)
        return base::invalid("a batch must name its partition: its keys are not looked at");
    return out;
}

bool RecordsIn::next() {
    while (ok_ && fields_.next())
        if (fields_.tag() == bytes_tag(Produce::kRecordsFieldNumber))
            return ok_ = read(fields_.bytes());
    return false;
}

base::Status RecordsIn::status() const {
    return ok_ && fields_.ok() ? base::ok() : base::invalid("a record can't be read");
}

bool RecordsIn::read(base::View bytes) {
    record_ = {};
    headers_.clear();
    Fields fields(bytes);
    while (fields.next()) {
        switch (fields.tag()) {
            case bytes_tag(v1::Record::kKeyFieldNumber):
                record_.key = fields.bytes();
                break;
            case bytes_tag(v1::Record::kValueFieldNumber):
                record_.value = fields.bytes();
                break;
            case varint_tag(v1::Record::kTimestampMsFieldNumber):
                record_.timestamp = static_cast<int64_t>(fields.value());
                break;
            case bytes_tag(v1::Record::kHeadersFieldNumber):
                if (!read_header(fields.bytes())) return false;
                break;
            default:
                break;
        }
    }
    record_.headers = headers_;
    return fields.ok();
}

bool RecordsIn::read_header(base::View bytes) {
    if (headers_.size() == kMostHeaders) return false;
    auto& header = headers_.emplace_back();
    Fields fields(bytes);
    while (fields.next()) {
        switch (fields.tag()) {
            case bytes_tag(v1::Header::kKeyFieldNumber):
                header.key = fields.text();
                break;
            case bytes_tag(v1::Header::kValueFieldNumber):
                header.value = fields.bytes();
                break;
            default:
                break;
        }
    }
    return fields.ok() && kafka::valid_utf8(header.key);
}

base::Result<base::Bytes> batch_of(base::View message, base::TimestampMs now) {
    kafka::BatchBuilder builder;
    RecordsIn records(message);
    while (records.next()) {
        auto record = records.record();
        if (record.timestamp < 0) record.timestamp = now;
        builder.add(record);
    }
    RETURN_IF_ERROR(records.status());
    return std::move(builder).build();
}

base::Result<std::optional<base::PartitionIndex>> partition_of(base::View message, int32_t count) {
    std::optional<base::PartitionIndex> out;
    RecordsIn records(message);
    for (bool first = true; records.next(); first = false) {
        std::optional<base::PartitionIndex> at;
        if (const auto& key = records.record().key) at = partition_of_key(*key, count);
        if (!first && at != out)
            return base::invalid(
                "the keys of the records lead to several partitions; send those of different keys "
                "in requests of their own");
        out = at;
    }
    RETURN_IF_ERROR(records.status());
    return out;
}

base::Result<FetchAsk> read_fetch(base::View message) {
    v1::FetchRequest in;
    ASSIGN_OR_RETURN(auto out, read(message, in));
    if (in.min_bytes() < 0) return base::invalid("min_bytes must not be negative");
    out.min_bytes = std::max(1, in.min_bytes());
    if (in.max_wait_ms() < 0) return base::invalid("max_wait_ms must not be negative");
    out.max_wait = timeout_of(in.max_wait_ms());
    out.forwarded = in.forwarded();
    out.any_replica = in.any_replica();
    return out;
}

base::Result<FetchAsk> read_fetch_stream(base::View message) {
    v1::FetchStreamRequest in;
    return read(message, in);
}

base::Bytes encode(const FetchAsk& ask) {
    v1::FetchRequest out;
    const auto id = bytes_of(ask.topic.id);
    out.set_topic_id(id.data(), id.size());
    out.set_partition(ask.partition);
    out.set_offset(ask.offset);
    out.set_max_bytes(static_cast<int32_t>(ask.max_bytes));
    out.set_min_bytes(ask.min_bytes);
    out.set_max_wait_ms(static_cast<int32_t>(ask.max_wait.count()));
    out.set_isolation(static_cast<v1::Isolation>(ask.isolation));
    out.set_form(ask.form == Form::batches ? v1::BATCHES : v1::RECORDS);
    out.set_forwarded(true);
    out.set_any_replica(ask.any_replica);
    base::Bytes bytes(out.ByteSizeLong());
    out.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
}

base::Bytes encode_head(const ProduceAsk& ask) {
    base::Bytes out;
    put_field(out, Produce::kTopicIdFieldNumber, bytes_of(ask.topic.id));
    put_field(out, Produce::kPartitionFieldNumber,
              static_cast<uint64_t>(int64_t{ask.partition.value_or(-1)}));
    put_field(out, Produce::kAcksFieldNumber,
              ask.acks == -1  ? v1::ACKS_ALL
              : ask.acks == 1 ? v1::ACKS_LEADER
                              : v1::ACKS_NONE);
    put_field(out, Produce::kTimeoutMsFieldNumber, static_cast<uint64_t>(ask.timeout.count()));
    put_field(out, Produce::kForwardedFieldNumber, 1);
    put_bytes_head(out, Produce::kBatchFieldNumber, ask.batch.size());
    return out;
}

}  // namespace broker::rpc
