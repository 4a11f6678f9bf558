#include "broker/rpc/fetch.h"

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "broker/assignments.h"
#include "broker/handlers/handlers.h"
#include "broker/resolve.h"
#include "broker/rpc/forwarder.h"
#include "broker/rpc/message.h"
#include "google/protobuf/wire_format_lite.h"
#include "proto/broker.pb.h"
#include "replication/partitions.h"

namespace broker::rpc {

using kafka::ErrorCode;
using std::chrono::milliseconds;

namespace {

constexpr char kMethod[] = "/moldau.broker.v1.Broker/Fetch";
// For the way there and back, and for reading.
constexpr milliseconds kGrace{2000};
constexpr milliseconds kMemoryPause{10};

bool mended_by_waiting(ErrorCode code) {
    switch (code) {
        case ErrorCode::not_leader_or_follower:
        case ErrorCode::leader_not_available:
        case ErrorCode::network_exception:
        // Of a leader that has not heard of the topic yet.
        case ErrorCode::unknown_topic_or_partition:
        case ErrorCode::unknown_topic_id:
            return true;
        default:
            return false;
    }
}

struct Peeked {
    ErrorCode error = ErrorCode::none;
    base::Offset next = 0;
};

/// What stands before and behind the records, which are not copied for it.
std::optional<Peeked> peek(grpc::ByteBuffer reply) {
    using google::protobuf::internal::WireFormatLite;
    using Reply = moldau::broker::v1::FetchReply;
    grpc::ProtoBufferReader reader(&reply);
    google::protobuf::io::CodedInputStream in(&reader);
    Peeked out;
    while (const uint32_t tag = in.ReadTag()) {
        uint64_t value = 0;
        const bool wanted = tag == varint_tag(Reply::kErrorCodeFieldNumber) ||
                            tag == varint_tag(Reply::kNextOffsetFieldNumber);
        if (!wanted) {
            if (!WireFormatLite::SkipField(&in, tag)) return std::nullopt;
            continue;
        }
        if (!in.ReadVarint64(&value)) return std::nullopt;
        if (tag == varint_tag(Reply::kErrorCodeFieldNumber))
            out.error = static_cast<ErrorCode>(value);
        else out.next = static_cast<base::Offset>(value);
    }
    return in.ConsumedEntireMessage() ? std::optional(out) : std::nullopt;
}

}  // namespace

/// Takes what the handler of the Kafka port has found.
class Fetch::Found final : public Taker<kafka::FetchResponse> {
  public:
    explicit Found(std::shared_ptr<Fetch> fetch) : fetch_(std::move(fetch)) {}

    void take(const kafka::FetchResponse& response,
              std::vector<std::vector<storage::FileSlice>> files) override {
        fetch_->found(response, std::move(files));
    }
    void no_answer() override {}
    void close(const std::string& why) override { fetch_->finish({.status = base::internal(why)}); }
    bool wanted() const override { return fetch_->done_ != nullptr; }

  private:
    const std::shared_ptr<Fetch> fetch_;
};

Fetch::Fetch(Host& host, Client client, FetchAsk ask, milliseconds patience)
    : host_(host),
      client_(std::move(client)),
      ask_(std::move(ask)),
      began_(io::monotonic_clock()),
      patience_(patience) {}

void Fetch::cancel() {
    timer_.reset();
    done_ = nullptr;
}

milliseconds Fetch::wait_left() const {
    const auto passed = io::monotonic_clock() - began_;
    return milliseconds(std::max<base::InstantMs>(0, ask_.max_wait.count() - passed));
}

void Fetch::run(Done done) {
    done_ = std::move(done);
    const auto topic = find_topic(*host_.local.image, ask_.topic.ref());
    if (!topic)
        return ask_.topic.by_id()
                   ? fail(ErrorCode::unknown_topic_id, "no topic has that id")
                   : fail(ErrorCode::unknown_topic_or_partition, "there is no such topic");
    ask_.topic = {.name = {}, .id = topic->id};
    at_ = {topic->id, ask_.partition};
    if (topic->partition(at_.index) == nullptr)
        return fail(ErrorCode::unknown_topic_or_partition, "the topic has no such partition");
    attempt();
}

void Fetch::attempt() {
    const auto* row = host_.local.image->partition(at_);
    if (row == nullptr) return fail(ErrorCode::unknown_topic_id, "the topic was deleted");
    const auto self = host_.services.settings.id;
    if (ask_.forwarded && ask_.any_replica && has_replica(*row, self)) return give();
    if (row->leader == self) return ask_.offset < 0 ? look_up_offset() : read();
    if (!ask_.forwarded && row->leader.value >= 0) return forward(row->leader);
    FetchHead told;
    told.error.code =
        ask_.forwarded ? ErrorCode::not_leader_or_follower : ErrorCode::leader_not_available;
    told.leader = row->leader;
    told.leader_epoch = row->leader_epoch;
    told.next = ask_.offset;
    trouble(told);
}

void Fetch::give() {
    auto& partitions = host_.services.partitions;
    partitions.home(at_).run([self = shared_from_this(), &partitions] {
        const auto partition = partitions.find(self->at_);
        kafka::Outcome<storage::LogRead> held =
            kafka::Error{ErrorCode::kafka_storage_error, "the replica can't be read"};
        if (partition.ok()) held = (*partition)->held(self->ask_.offset, self->ask_.max_bytes);
        self->host_.local.shard.run([self, held = std::move(held)]() mutable {
            if (!held) return self->fail(held.error().code, held.error().message);
            FetchHead told;
            told.next = self->ask_.offset;
            self->render(told, std::move(held->slices));
        });
    });
}

void Fetch::look_up_offset() {
    auto& partitions = host_.services.partitions;
    partitions.home(at_).run([self = shared_from_this(), &partitions] {
        const auto partition = partitions.find(self->at_);
        const bool oldest = self->ask_.offset == FetchAsk::oldest;
        base::Offset offset = -1;
        if (partition.ok())
            offset = oldest ? (*partition)->log().start() : (*partition)->high_watermark();
        self->host_.local.shard.run([self, offset] {
            if (!self->done_) return;
            if (offset >= 0) {
                self->ask_.offset = offset;
                return self->read();
            }
            FetchHead told;
            told.error.code = ErrorCode::kafka_storage_error;
            told.next = self->ask_.offset;
            self->trouble(told);
        });
    });
}

/// As a consumer that asks for this partition alone.
void Fetch::read() {
    constexpr auto version = kafka::FetchRequest::api.versions.to;
    kafka::FetchRequest request;
    request.session_epoch = -1;  // without a session
    request.max_wait_ms = static_cast<int32_t>(wait_left().count());
    request.min_bytes = ask_.min_bytes;
    request.max_bytes = static_cast<int32_t>(ask_.max_bytes);
    request.isolation_level = ask_.isolation;
    auto& topic = request.topics.emplace_back();
    topic.topic_id = at_.topic;
    auto& partition = topic.partitions.emplace_back();
    partition.partition = at_.index;
    partition.fetch_offset = ask_.offset;
    partition.partition_max_bytes = static_cast<int32_t>(ask_.max_bytes);
    auto call = std::make_shared<Call>(Call{.services = host_.services,
                                            .local = host_.local,
                                            .version = version,
                                            .client_id = {},
                                            .client_host = client_.host,
                                            .listener = {},
                                            .frame = {}});
    handlers::fetch(std::move(call), std::move(request),
                    Reply<kafka::FetchResponse>(std::make_shared<Found>(shared_from_this())));
}

void Fetch::found(const kafka::FetchResponse& response,
                  std::vector<std::vector<storage::FileSlice>> files) {
    if (!done_) return;
    const auto& p = response.responses.at(0).partitions.at(0);
    FetchHead told;
    told.error.code = p.error_code;
    told.high_watermark = p.high_watermark;
    told.last_stable_offset = p.last_stable_offset;
    told.log_start = p.log_start_offset;
    told.next = ask_.offset;
    const auto* row = host_.local.newest->partition(at_);
    if (row != nullptr) {
        told.leader = row->leader;
        told.leader_epoch = row->leader_epoch;
    }
    if (told.error.code != ErrorCode::none) return trouble(told);
    render(told, files.empty() ? std::vector<storage::FileSlice>() : std::move(files.front()));
}

void Fetch::render(const FetchHead& told, std::vector<storage::FileSlice> files) {
    if (!done_) return;
    size_t bytes = 0;
    for (const auto& file : files) bytes += file.size;
    auto& memory = host_.services.memory;
    if (bytes > 0 && !memory.take(bytes)) {
        // Others' requests and answers end; whoever asks for this may go away meanwhile.
        timer_ = host_.local.shard.after(
            kMemoryPause, [this, told, files = std::move(files)] { render(told, files); });
        return;
    }
    host_.services.shards.block([self = shared_from_this(), ask = ask_, told,
                                 files = std::move(files),
                                 hold = MemoryHold(memory, bytes)]() mutable {
        auto out = broker::rpc::render(ask, told, files);
        self->host_.local.shard.post(
            [self, out = std::move(out), hold = std::move(hold)]() mutable {
                self->rendered(std::move(out), std::move(hold));
            });
    });
}

void Fetch::rendered(FetchBytes bytes, MemoryHold hold) {
    finish({.status = base::ok(),
            .reply = to_grpc(bytes.head, bytes.payload),
            .hold = std::move(hold),
            .error = bytes.told.error.code,
            .next_offset = bytes.told.next});
}

void Fetch::forward(base::BrokerId leader) {
    FetchAsk there = ask_;
    there.max_wait = wait_left();
    host_.forwarder.call(
        host_.local.shard, leader, kMethod, *to_grpc(encode(there)), there.max_wait + kGrace,
        [self = shared_from_this()](const base::Status& status, const grpc::ByteBuffer& reply) {
            self->forwarded(status, reply);
        });
}

void Fetch::forwarded(const base::Status& status, const grpc::ByteBuffer& reply) {
    if (!done_) return;
    FetchHead told;
    told.next = ask_.offset;
    const auto peeked = status.ok() ? peek(reply) : std::nullopt;
    if (!peeked) {
        told.error = {ErrorCode::network_exception,
                      "the partition's leader: " + base::message(status)};
        return trouble(told);
    }
    if (mended_by_waiting(peeked->error)) {
        told.error.code = peeked->error;
        return trouble(told);
    }
    const size_t bytes = reply.Length();
    auto& memory = host_.services.memory;
    if (!memory.take(bytes)) {
        told.error = {ErrorCode::network_exception, "the broker has no memory left for replies"};
        return trouble(told);
    }
    finish({.status = base::ok(),
            .reply = std::make_shared<grpc::ByteBuffer>(reply),
            .hold = MemoryHold(memory, bytes),
            .error = peeked->error,
            .next_offset = peeked->next});
}

void Fetch::trouble(const FetchHead& told) {
    if (!done_) return;
    const auto pause = pauses_.next();
    const auto last = began_ + ask_.max_wait.count() + patience_.count();
    if (ask_.forwarded || !mended_by_waiting(told.error.code) ||
        io::monotonic_clock() + pause > last)
        return rendered(encode(told), {});
    timer_ = host_.local.shard.after(milliseconds(pause), [this] { attempt(); });
}

void Fetch::fail(ErrorCode code, const std::string& why) {
    FetchHead told;
    told.error = {code, why};
    told.next = ask_.offset;
    rendered(encode(told), {});
}

void Fetch::finish(Answer answer) {
    timer_.reset();
    if (auto done = std::exchange(done_, nullptr)) done(std::move(answer));
}

}  // namespace broker::rpc
