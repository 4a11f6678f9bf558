#include "broker/rpc/replies.h"

#include <optional>
#include <utility>

#include "io/disk.h"
#include "kafka/records/batch.h"
#include "kafka/records/compression.h"
#include "kafka/records/records.h"
#include "kafka/utf8.h"
#include "proto/broker.pb.h"

namespace broker::rpc {

namespace {

namespace v1 = moldau::broker::v1;
using kafka::ErrorCode;

// Of one batch; as large as one that may be produced.
constexpr size_t kMostDecompressedBytes = size_t{64} << 20;

template <class Reply>
void put_common(Reply& out, const kafka::Error& error, base::Offset log_start,
                base::BrokerId leader, base::LeaderEpoch epoch) {
    out.set_error_code(static_cast<int32_t>(error.code));
    if (error.code != ErrorCode::none)
        out.set_error_message(error.message.empty() ? std::string(kafka::name(error.code))
                                                    : error.message);
    out.set_log_start_offset(log_start);
    out.mutable_leader()->set_id(leader.value);
    out.mutable_leader()->set_epoch(epoch);
}

template <class Reply>
base::Bytes bytes_of(const Reply& reply) {
    base::Bytes out(reply.ByteSizeLong());
    reply.SerializeToArray(out.data(), static_cast<int>(out.size()));
    return out;
}

/// Kafka's clients may put any bytes into a header's key; here it is a text.
std::string text_of(std::string_view key) {
    std::string out(key);
    if (!kafka::valid_utf8(out))
        for (char& c : out)
            if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    return out;
}

void put_record(base::Bytes& out, base::Bytes& scratch, const kafka::Record& record) {
    using Record = v1::Record;
    scratch.clear();
    if (record.key) put_field(scratch, Record::kKeyFieldNumber, *record.key);
    if (record.value) put_field(scratch, Record::kValueFieldNumber, *record.value);
    for (const auto& header : record.headers) {
        base::Bytes one;
        put_field(one, v1::Header::kKeyFieldNumber, base::as_bytes(text_of(header.key)));
        if (header.value) put_field(one, v1::Header::kValueFieldNumber, *header.value);
        put_field(scratch, Record::kHeadersFieldNumber, one);
    }
    put_field(scratch, Record::kTimestampMsFieldNumber, static_cast<uint64_t>(record.timestamp));
    put_field(scratch, Record::kOffsetFieldNumber, static_cast<uint64_t>(record.offset));
    put_field(out, v1::FetchReply::kRecordsFieldNumber, scratch);
}

/// Decodes records from batches into a reply, from an offset on, until there is no more room.
class Decoder {
  public:
    Decoder(base::Offset from, size_t most_bytes) : from_(from), most_(most_bytes) {}

    /// Whether to go on with the next batch.
    base::Result<bool> add(const kafka::BatchView& batch) {
        if (!batch.control()) {
            const auto codec = batch.codec();
            if (!codec) return base::data_loss("a batch has no known codec");
            if (*codec == kafka::Codec::none) {
                ASSIGN_OR_RETURN(const bool all, add(batch, batch.records()));
                if (!all) return false;
            } else {
                ASSIGN_OR_RETURN(const auto records, kafka::decompress(*codec, batch.records(),
                                                                       kMostDecompressedBytes));
                ASSIGN_OR_RETURN(const bool all, add(batch, records.bytes()));
                if (!all) return false;
            }
        }
        next_ = batch.next_offset();
        return out_.size() < most_;
    }

    base::Offset next() const { return next_.value_or(from_); }
    base::Bytes take() { return std::move(out_); }

  private:
    base::Result<bool> add(const kafka::BatchView& batch, base::View records) {
        kafka::RecordReader reader(batch, records);
        while (reader.next()) {
            const auto& record = reader.record();
            if (record.offset < from_) continue;
            if (!out_.empty() && out_.size() >= most_) {
                next_ = record.offset;
                return false;
            }
            put_record(out_, scratch_, record);
        }
        if (!reader.ok()) return base::data_loss(std::string(reader.error()));
        return true;
    }

    const base::Offset from_;
    const size_t most_;
    base::Bytes out_;
    base::Bytes scratch_;  // of the record that is being written
    std::optional<base::Offset> next_;
};

struct Buffer {
    std::unique_ptr<std::byte[]> memory;
    base::View bytes;
};

base::Result<Buffer> read(const std::vector<storage::FileSlice>& slices) {
    size_t size = 0;
    for (const auto& slice : slices) size += slice.size;
    Buffer out{std::make_unique_for_overwrite<std::byte[]>(size), {}};
    size_t at = 0;
    for (const auto& slice : slices) {
        ASSIGN_OR_RETURN(const size_t n,
                         slice.file->read_at(slice.position, {out.memory.get() + at, slice.size}));
        if (n != slice.size) return base::data_loss("a segment is shorter than it was");
        at += n;
    }
    out.bytes = {out.memory.get(), size};
    return out;
}

FetchBytes batches_of(FetchHead told, Buffer buffer) {
    base::View rest = buffer.bytes;
    while (const auto batch = kafka::take_batch(rest)) told.next = batch->next_offset();
    auto out = encode(told);
    const auto bytes = buffer.bytes;
    put_bytes_head(out.head, v1::FetchReply::kBatchesFieldNumber, bytes.size());
    out.payload = base::Slice(std::shared_ptr<std::byte[]>(std::move(buffer.memory)), bytes);
    return out;
}

base::Result<FetchBytes> records_of(const FetchAsk& ask, FetchHead told, const Buffer& buffer) {
    Decoder decoder(ask.offset, ask.max_bytes);
    base::View rest = buffer.bytes;
    while (const auto batch = kafka::take_batch(rest)) {
        ASSIGN_OR_RETURN(const bool more, decoder.add(*batch));
        if (!more) break;
    }
    told.next = decoder.next();
    auto out = encode(told);
    out.payload = base::Slice(decoder.take());
    return out;
}

FetchBytes failed(FetchHead told, ErrorCode code, const base::Status& why) {
    told.error = {code, base::message(why)};
    return encode(told);
}

}  // namespace

base::Bytes encode(const AppendOutcome& outcome, base::PartitionIndex partition) {
    const bool appended = outcome.error.code == ErrorCode::none;
    v1::ProduceReply out;
    put_common(out, outcome.error, outcome.log_start, outcome.leader, outcome.leader_epoch);
    out.set_partition(partition);
    out.set_base_offset(appended ? outcome.appended.first : -1);
    out.set_log_append_time_ms(appended ? outcome.appended.log_append_time : -1);
    out.set_not_appended(!appended && outcome.not_appended);
    for (const auto& record : outcome.records) {
        auto& row = *out.add_record_errors();
        row.set_index(record.index);
        row.set_message(record.message);
    }
    return bytes_of(out);
}

base::Result<AppendOutcome> read_produce_reply(base::View bytes) {
    v1::ProduceReply in;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
        return base::invalid("a reply can't be read");
    AppendOutcome out;
    out.error = {static_cast<ErrorCode>(in.error_code()), in.error_message()};
    out.not_appended = in.not_appended();
    out.appended.first = in.base_offset();
    out.appended.log_append_time = in.log_append_time_ms();
    out.log_start = in.log_start_offset();
    out.leader = {in.leader().id()};
    out.leader_epoch = in.leader().epoch();
    for (const auto& record : in.record_errors())
        out.records.push_back({record.index(), record.message()});
    return out;
}

FetchBytes encode(const FetchHead& told) {
    v1::FetchReply out;
    put_common(out, told.error, told.log_start, told.leader, told.leader_epoch);
    out.set_high_watermark(told.high_watermark);
    out.set_last_stable_offset(told.last_stable_offset);
    out.set_next_offset(told.next);
    return {told, bytes_of(out), {}};
}

FetchBytes render(const FetchAsk& ask, FetchHead told,
                  const std::vector<storage::FileSlice>& slices) {
    told.next = ask.offset;
    if (slices.empty()) return encode(told);
    auto buffer = read(slices);
    if (!buffer.ok()) return failed(told, ErrorCode::kafka_storage_error, buffer.status());
    if (ask.form == Form::batches) return batches_of(told, *std::move(buffer));
    auto decoded = records_of(ask, told, *buffer);
    return decoded.ok() ? *std::move(decoded)
                        : failed(told, ErrorCode::corrupt_message, decoded.status());
}

}  // namespace broker::rpc
