#include "replication/streams/wire.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <climits>
#include <variant>

#include "proto/replication.pb.h"

namespace replication::streams {

namespace {

namespace v1 = moldau::replication::v1;

using base::TopicPartition;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using replica::Acknowledgement;
using replica::Attach;
using replica::AttachReply;

constexpr uint32_t bytes_tag(int field) {
    return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}

/// A message's pieces as one stream of bytes.
class Pieces final : public google::protobuf::io::ZeroCopyInputStream {
  public:
    explicit Pieces(std::span<const base::View> pieces) : pieces_(pieces) {}

    bool Next(const void** data, int* size) override {
        while (at_ < pieces_.size() && used_ == pieces_[at_].size()) ++at_, used_ = 0;
        if (at_ == pieces_.size()) return false;
        const auto rest = pieces_[at_].subspan(used_);
        last_ = std::min<size_t>(rest.size(), INT_MAX);
        *data = rest.data();
        *size = static_cast<int>(last_);
        used_ += last_;
        total_ += static_cast<int64_t>(last_);
        return true;
    }
    void BackUp(int count) override {
        used_ -= static_cast<size_t>(count);
        total_ -= count;
    }
    bool Skip(int count) override {
        const void* data = nullptr;
        for (int size = 0; count > 0; count -= size) {
            if (!Next(&data, &size)) return false;
            if (size <= count) continue;
            BackUp(size - count);
            return true;
        }
        return true;
    }
    int64_t ByteCount() const override { return total_; }

  private:
    const std::span<const base::View> pieces_;
    size_t at_ = 0;
    size_t used_ = 0;
    size_t last_ = 0;
    int64_t total_ = 0;
};

base::Status unreadable() { return base::invalid("a message that can't be read"); }

// ---------------------------------------------------------------------------------- one partition

void put(v1::Partition& out, const TopicPartition& id) {
    out.set_topic_hi(id.topic.hi);
    out.set_topic_lo(id.topic.lo);
    out.set_index(id.index);
}

base::Result<TopicPartition> taken(const v1::Partition& in) {
    const TopicPartition id{{in.topic_hi(), in.topic_lo()}, in.index()};
    if (id.topic == base::Uuid{}) return base::invalid("a partition of no topic");
    if (id.index < 0) return base::invalid("a partition below 0");
    return id;
}

base::Status check_epoch(replica::LeaderEpoch epoch) {
    return epoch < 0 ? base::invalid("a negative leader epoch") : base::ok();
}

base::Status check_offsets(std::initializer_list<replica::Offset> offsets) {
    for (const auto offset : offsets)
        if (offset < 0) return base::invalid("a negative offset");
    return base::ok();
}

base::Result<Of<Attach>> taken(const v1::Attach& in, base::BrokerId from) {
    ASSIGN_OR_RETURN(const TopicPartition id, taken(in.partition()));
    RETURN_IF_ERROR(check_epoch(in.epoch()));
    RETURN_IF_ERROR(check_offsets({in.end(), in.synced()}));
    if (in.last_epoch() < -1) return base::invalid("a negative leader epoch");
    return Of<Attach>{id,
                      {.from = from,
                       .broker_epoch = in.broker_epoch(),
                       .epoch = in.epoch(),
                       .session = in.session(),
                       .end = in.end(),
                       .synced = in.synced(),
                       .last_epoch = in.last_epoch(),
                       .leaves = in.leaves()}};
}

base::Result<Of<Acknowledgement>> taken(const v1::Acknowledgement& in, base::BrokerId from) {
    ASSIGN_OR_RETURN(const TopicPartition id, taken(in.partition()));
    RETURN_IF_ERROR(check_epoch(in.epoch()));
    RETURN_IF_ERROR(check_offsets({in.held(), in.synced()}));
    return Of<Acknowledgement>{id,
                               {.from = from,
                                .broker_epoch = in.broker_epoch(),
                                .epoch = in.epoch(),
                                .session = in.session(),
                                .held = in.held(),
                                .synced = in.synced()}};
}

base::Result<Of<AttachReply>> taken(const v1::AttachReply& in) {
    ASSIGN_OR_RETURN(const TopicPartition id, taken(in.partition()));
    RETURN_IF_ERROR(check_epoch(in.epoch()));
    AttachReply out{.epoch = in.epoch(), .session = in.session(), .outcome = {}};
    switch (in.outcome_case()) {
        case v1::AttachReply::kNotNow:
            out.outcome = replica::NotNow{};
            break;
        case v1::AttachReply::kAccepted: {
            const auto& a = in.accepted();
            RETURN_IF_ERROR(check_offsets({a.from(), a.start(), a.high_watermark()}));
            out.outcome = replica::Accepted{a.from(), a.start(), a.high_watermark()};
            break;
        }
        case v1::AttachReply::kDiverged:
            if (in.diverged().epoch() < -1 || in.diverged().end() < -1)
                return base::invalid("an end of an epoch below -1");
            out.outcome = replica::Diverged{{in.diverged().epoch(), in.diverged().end()}};
            break;
        case v1::AttachReply::kRestart:
            RETURN_IF_ERROR(check_offsets({in.restart().at()}));
            out.outcome = replica::Restart{in.restart().at()};
            break;
        case v1::AttachReply::OUTCOME_NOT_SET:
            return base::invalid("an answer to an attach that says nothing");
    }
    return Of<AttachReply>{id, out};
}

void put(v1::AttachReply& out, const replica::NotNow&) { out.mutable_not_now(); }
void put(v1::AttachReply& out, const replica::Accepted& accepted) {
    auto& body = *out.mutable_accepted();
    body.set_from(accepted.from);
    body.set_start(accepted.start);
    body.set_high_watermark(accepted.high_watermark);
}
void put(v1::AttachReply& out, const replica::Diverged& diverged) {
    out.mutable_diverged()->set_epoch(diverged.known.epoch);
    out.mutable_diverged()->set_end(diverged.known.end);
}
void put(v1::AttachReply& out, const replica::Restart& restart) {
    out.mutable_restart()->set_at(restart.at);
}

/// The field of a LeaderMessage that holds `message`, but for `more` bytes at its end.
std::string field(int number, const std::string& message, size_t more = 0) {
    std::string out;
    out.reserve(message.size() + 16);
    {
        google::protobuf::io::StringOutputStream bytes(&out);
        CodedOutputStream to(&bytes);
        to.WriteTag(bytes_tag(number));
        to.WriteVarint64(message.size() + more);
        to.WriteString(message);
    }
    return out;
}

// ------------------------------------------------------------------------------- reading messages

/// Reads the fields of a message one after another: `take(tag)` reads one, or says that it is not
/// known here.
template <class Take>
base::Status each_field(CodedInputStream& in, Take take) {
    while (const uint32_t tag = in.ReadTag()) {
        ASSIGN_OR_RETURN(const bool known, take(tag));
        if (!known && !WireFormatLite::SkipField(&in, tag)) return unreadable();
    }
    return in.ConsumedEntireMessage() ? base::ok() : unreadable();
}

/// A message within another one: `read` reads it.
template <class Read>
base::Status within(CodedInputStream& in, Read read) {
    uint32_t size = 0;
    if (!in.ReadVarint32(&size) || size > INT_MAX) return unreadable();
    const auto limit = in.PushLimit(static_cast<int>(size));
    // The limit is the smaller one of this and of what is around it.
    if (in.BytesUntilLimit() != static_cast<int>(size)) return unreadable();
    RETURN_IF_ERROR(read());
    if (in.BytesUntilLimit() != 0) return unreadable();
    in.PopLimit(limit);
    return base::ok();
}

/// It has few fields and no repeated ones, so it can't take much more than its bytes.
template <class Message>
base::Status read_message(CodedInputStream& in, Message& out) {
    return within(in, [&] { return out.MergeFromCodedStream(&in) ? base::ok() : unreadable(); });
}

template <class T>
base::Status check_count(const std::vector<T>& parts) {
    if (parts.size() < kMostParts) return base::ok();
    return base::exhausted("more than " + std::to_string(kMostParts) + " parts in a message");
}

/// What is not in one piece is put together here: never more than the message is large.
struct Scratch {
    base::Bytes& bytes;
    const size_t message_bytes;
};

/// The batches, in place if they lie in one piece.
base::Status read_batches(CodedInputStream& in, Scratch& scratch, base::View& out) {
    uint32_t size = 0;
    if (!in.ReadVarint32(&size) || size > static_cast<uint32_t>(in.BytesUntilLimit()))
        return unreadable();
    if (size == 0) return base::ok();
    const void* data = nullptr;
    int here = 0;
    const auto count = static_cast<int>(size);
    if (!in.GetDirectBufferPointer(&data, &here)) return unreadable();
    if (here >= count) {
        out = {static_cast<const std::byte*>(data), size};
        return in.Skip(count) ? base::ok() : unreadable();
    }
    auto& bytes = scratch.bytes;
    bytes.reserve(scratch.message_bytes);  // once: what is in it already stays where it is
    const size_t begin = bytes.size();
    for (int left = count; left > 0;) {
        if (!in.GetDirectBufferPointer(&data, &here) || here == 0) return unreadable();
        const int part = std::min(here, left);
        const auto* from = static_cast<const std::byte*>(data);
        bytes.insert(bytes.end(), from, from + part);
        if (!in.Skip(part)) return unreadable();
        left -= part;
    }
    out = base::View(bytes).subspan(begin);
    return base::ok();
}

base::Status read_records(CodedInputStream& in, Scratch& scratch, LeaderMessage& message) {
    RETURN_IF_ERROR(check_count(message.records));
    v1::Partition partition;
    Records out;
    auto& offer = out.offer;
    offer.epoch = 0;  // as proto3 has what is absent
    const auto number = [&in](auto& to) -> base::Result<bool> {
        uint64_t value = 0;
        if (!in.ReadVarint64(&value)) return unreadable();
        to = static_cast<std::remove_reference_t<decltype(to)>>(value);
        return true;
    };
    constexpr auto kVarint = WireFormatLite::WIRETYPE_VARINT;
    RETURN_IF_ERROR(within(in, [&] {
        return each_field(in, [&](uint32_t tag) -> base::Result<bool> {
            switch (tag) {
                case bytes_tag(v1::Records::kPartitionFieldNumber):
                    RETURN_IF_ERROR(read_message(in, partition));
                    return true;
                case bytes_tag(v1::Records::kBatchesFieldNumber):
                    RETURN_IF_ERROR(read_batches(in, scratch, out.batches));
                    return true;
                case WireFormatLite::MakeTag(v1::Records::kEpochFieldNumber, kVarint):
                    return number(offer.epoch);
                case WireFormatLite::MakeTag(v1::Records::kSessionFieldNumber, kVarint):
                    return number(offer.session);
                case WireFormatLite::MakeTag(v1::Records::kFromFieldNumber, kVarint):
                    return number(offer.from);
                case WireFormatLite::MakeTag(v1::Records::kHighWatermarkFieldNumber, kVarint):
                    return number(offer.high_watermark);
                case WireFormatLite::MakeTag(v1::Records::kStartFieldNumber, kVarint):
                    return number(offer.start);
                default:
                    return false;
            }
        });
    }));
    ASSIGN_OR_RETURN(out.id, taken(partition));
    RETURN_IF_ERROR(check_epoch(offer.epoch));
    RETURN_IF_ERROR(check_offsets({offer.from, offer.high_watermark, offer.start}));
    message.records.push_back(out);
    return base::ok();
}

}  // namespace

std::string encode(const Hello& hello) {
    v1::Hello out;
    out.set_version(hello.version);
    out.set_cluster_id(hello.cluster_id);
    out.set_from(hello.from.value);
    out.set_shard(hello.shard);
    out.set_wanted(hello.wanted);
    return out.SerializeAsString();
}

std::string encode(const FollowerMessage& message) {
    v1::FollowerMessage out;
    for (const auto& [id, attach] : message.attaches) {
        auto& a = *out.add_attaches();
        put(*a.mutable_partition(), id);
        a.set_broker_epoch(attach.broker_epoch);
        a.set_epoch(attach.epoch);
        a.set_session(attach.session);
        a.set_end(attach.end);
        a.set_synced(attach.synced);
        a.set_last_epoch(attach.last_epoch);
        a.set_leaves(attach.leaves);
    }
    for (const auto& [id, ack] : message.acknowledgements) {
        auto& a = *out.add_acknowledgements();
        put(*a.mutable_partition(), id);
        a.set_broker_epoch(ack.broker_epoch);
        a.set_epoch(ack.epoch);
        a.set_session(ack.session);
        a.set_held(ack.held);
        a.set_synced(ack.synced);
    }
    return out.SerializeAsString();
}

std::string encode(const Welcome& welcome) {
    v1::Welcome out;
    out.set_version(welcome.version);
    out.set_shards(welcome.shards);
    return field(v1::LeaderMessage::kWelcomeFieldNumber, out.SerializeAsString());
}

std::string encode(const Of<AttachReply>& reply) {
    v1::AttachReply out;
    put(*out.mutable_partition(), reply.first);
    out.set_epoch(reply.second.epoch);
    out.set_session(reply.second.session);
    std::visit([&out](const auto& outcome) { put(out, outcome); }, reply.second.outcome);
    return field(v1::LeaderMessage::kRepliesFieldNumber, out.SerializeAsString());
}

std::string encode_header(const TopicPartition& id, const replica::Offer& offer, size_t bytes) {
    v1::Records out;
    put(*out.mutable_partition(), id);
    out.set_epoch(offer.epoch);
    out.set_session(offer.session);
    out.set_from(offer.from);
    out.set_high_watermark(offer.high_watermark);
    out.set_start(offer.start);
    std::string inner = out.SerializeAsString();
    if (bytes > 0) {
        google::protobuf::io::StringOutputStream end(&inner);
        CodedOutputStream to(&end);
        to.WriteTag(bytes_tag(v1::Records::kBatchesFieldNumber));
        to.WriteVarint64(bytes);
    }
    return field(v1::LeaderMessage::kRecordsFieldNumber, inner, bytes);
}

base::Result<Hello> decode_hello(std::string_view bytes) {
    v1::Hello in;
    if (bytes.size() > INT_MAX || !in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
        return base::invalid("a hello that can't be read");
    if (in.from() < 0) return base::invalid("a negative id");
    if (in.cluster_id().size() > kMostClusterIdBytes)
        return base::invalid("a cluster id that is too long");
    if (in.shard() >= kMostShards || in.wanted() >= kMostShards)
        return base::invalid("a shard that nobody has");
    return Hello{
        in.version(), std::move(*in.mutable_cluster_id()), {in.from()}, in.shard(), in.wanted()};
}

base::Result<FollowerMessage> decode_follower(base::View bytes, base::BrokerId from) {
    if (bytes.size() > kMostFollowerBytes) return base::exhausted("a message that is too large");
    CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                        static_cast<int>(bytes.size()));
    FollowerMessage out;
    RETURN_IF_ERROR(each_field(in, [&](uint32_t tag) -> base::Result<bool> {
        if (tag == bytes_tag(v1::FollowerMessage::kAttachesFieldNumber)) {
            v1::Attach attach;
            RETURN_IF_ERROR(check_count(out.attaches));
            RETURN_IF_ERROR(read_message(in, attach));
            ASSIGN_OR_RETURN(auto one, taken(attach, from));
            out.attaches.push_back(std::move(one));
            return true;
        }
        if (tag == bytes_tag(v1::FollowerMessage::kAcknowledgementsFieldNumber)) {
            v1::Acknowledgement ack;
            RETURN_IF_ERROR(check_count(out.acknowledgements));
            RETURN_IF_ERROR(read_message(in, ack));
            ASSIGN_OR_RETURN(auto one, taken(ack, from));
            out.acknowledgements.push_back(std::move(one));
            return true;
        }
        return false;
    }));
    return out;
}

base::Result<LeaderMessage> decode_leader(std::span<const base::View> pieces,
                                          base::Bytes& scratch_bytes) {
    size_t size = 0;
    for (const auto& piece : pieces) size += piece.size();
    if (size > kMostLeaderBytes) return base::exhausted("a message that is too large");
    scratch_bytes.clear();
    Scratch scratch{scratch_bytes, size};
    Pieces bytes(pieces);
    CodedInputStream in(&bytes);
    in.SetTotalBytesLimit(INT_MAX);
    const auto limit = in.PushLimit(static_cast<int>(size));
    LeaderMessage out;
    RETURN_IF_ERROR(each_field(in, [&](uint32_t tag) -> base::Result<bool> {
        switch (tag) {
            case bytes_tag(v1::LeaderMessage::kWelcomeFieldNumber): {
                v1::Welcome welcome;
                RETURN_IF_ERROR(read_message(in, welcome));
                if (welcome.shards() == 0 || welcome.shards() > kMostShards)
                    return base::invalid("a number of shards that nobody has");
                out.welcome = Welcome{welcome.version(), welcome.shards()};
                return true;
            }
            case bytes_tag(v1::LeaderMessage::kRepliesFieldNumber): {
                v1::AttachReply reply;
                RETURN_IF_ERROR(check_count(out.replies));
                RETURN_IF_ERROR(read_message(in, reply));
                ASSIGN_OR_RETURN(auto one, taken(reply));
                out.replies.push_back(std::move(one));
                return true;
            }
            case bytes_tag(v1::LeaderMessage::kRecordsFieldNumber):
                RETURN_IF_ERROR(read_records(in, scratch, out));
                return true;
            default:
                return false;
        }
    }));
    in.PopLimit(limit);
    return out;
}

}  // namespace replication::streams
