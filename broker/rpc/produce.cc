#include "broker/rpc/produce.h"

#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <set>
#include <utility>

#include "broker/append.h"
#include "broker/call.h"
#include "broker/rpc/forwarder.h"
#include "broker/rpc/replies.h"
#include "broker/topics_on_demand.h"
#include "controller/names.h"
#include "io/transport/caller.h"
#include "kafka/records/batch.h"

namespace broker::rpc {

using kafka::ErrorCode;
using std::chrono::milliseconds;

namespace {

constexpr char kMethod[] = "/moldau.broker.v1.Broker/Produce";
// The leader tells of its timeout itself, if it can.
constexpr milliseconds kGrace{500};
// The leader's answer to an append is small.
constexpr size_t kMostReplyBytes = 1 << 20;

bool has_producer(base::View batch) {
    return batch.size() >= kafka::batch_header_size && kafka::BatchView(batch).has_producer();
}

std::string contiguous(const grpc::ByteBuffer& buffer) {
    std::vector<grpc::Slice> slices;
    std::string out;
    if (buffer.Length() > kMostReplyBytes || !buffer.Dump(&slices).ok()) return out;
    for (const auto& slice : slices)
        out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return out;
}

}  // namespace

Produce::Produce(Host& host, Client client, ProduceAsk ask, std::shared_ptr<Message> memory)
    : host_(host),
      client_(std::move(client)),
      ask_(std::move(ask)),
      memory_(std::move(memory)),
      deadline_(io::monotonic_clock() + ask_.timeout.count()) {}

void Produce::run(Done done) {
    place(std::move(done), [self = shared_from_this()](bool placed) {
        if (placed) self->go(true);
    });
}

void Produce::cancel() {
    timer_.reset();
    done_ = nullptr;
    if (placed_) std::exchange(placed_, nullptr)(false);
}

milliseconds Produce::left() const {
    return milliseconds(std::max<base::InstantMs>(0, deadline_ - io::monotonic_clock()));
}

void Produce::place(Done done, base::Function<void(bool)> placed) {
    done_ = std::move(done);
    placed_ = std::move(placed);
    look_for_topic();
}

void Produce::look_for_topic() {
    const auto topic = find_topic(*host_.local.image, ask_.topic.ref());
    if (topic) return choose(*topic);
    const bool may_create = host_.services.settings.auto_create_topics && !ask_.topic.by_id() &&
                            !ask_.forwarded && !created_ &&
                            !controller::refused_name(ask_.topic.name);
    if (may_create) return create_topic();
    if (ask_.topic.by_id()) fail(ErrorCode::unknown_topic_id, "no topic has that id");
    else fail(ErrorCode::unknown_topic_or_partition, "there is no such topic");
}

void Produce::create_topic() {
    created_ = true;
    auto call = std::make_shared<Call>(Call{.services = host_.services,
                                            .local = host_.local,
                                            .client_id = {},
                                            .client_host = client_.host,
                                            .listener = {},
                                            .frame = {}});
    create_on_demand(
        call, {ask_.topic.name},
        [self = shared_from_this()](const std::map<std::string, kafka::Error>& failed) {
            if (!self->done_) return;
            if (failed.empty()) return self->look_for_topic();
            const auto& error = failed.begin()->second;
            self->fail(error.code, error.message);
        });
}

/// The next partition that has a leader; if none has one, whichever comes.
base::PartitionIndex Produce::in_turn(const metadata::Topic& topic) {
    const size_t count = topic.partitions.size();
    for (size_t i = 0; i < count; ++i)
        if (const auto& p = *topic.partitions[++host_.turn % count]; p.leader.value >= 0)
            return p.index;
    return static_cast<base::PartitionIndex>(++host_.turn % count);
}

void Produce::choose(const metadata::Topic& topic) {
    ask_.topic = {.name = {}, .id = topic.id};
    if (!ask_.partition) {
        auto by_key = partition_of(ask_.message, static_cast<int32_t>(topic.partitions.size()));
        if (!by_key.ok()) return finish({.status = std::move(by_key).status()});
        ask_.partition = by_key->has_value() ? **by_key : in_turn(topic);
    }
    at_ = {topic.id, *ask_.partition};
    if (topic.partition(at_.index) == nullptr)
        return fail(ErrorCode::unknown_topic_or_partition, "the topic has no such partition");
    if (ask_.has_batch) {
        owner_ = memory_;
    } else {
        auto built = batch_of(ask_.message, io::wall_clock());
        if (!built.ok()) return finish({.status = std::move(built).status()});
        const auto batch = std::make_shared<base::Bytes>(*std::move(built));
        ask_.batch = *batch;
        owner_ = batch;
    }
    idempotent_ = has_producer(ask_.batch);
    std::exchange(placed_, nullptr)(true);
}

bool Produce::here() const {
    const auto* row = host_.local.image->partition(at_);
    return row != nullptr && row->leader == host_.services.settings.id;
}

void Produce::go(bool may_repeat) {
    may_repeat_ = may_repeat && !ask_.forwarded;
    if (done_) attempt();
}

void Produce::attempt() {
    // An earlier attempt may have numbered it; that is outside of its checksum.
    if (pauses_.used() && ask_.batch.size() >= kafka::batch_header_size)
        kafka::BatchEditor(ask_.batch).set_base_offset(0);
    const auto* row = host_.local.image->partition(at_);
    AppendOutcome elsewhere;
    if (row == nullptr) return fail(ErrorCode::unknown_topic_id, "the topic was deleted");
    if (row->leader == host_.services.settings.id) return append();
    elsewhere.error.code = ErrorCode::not_leader_or_follower;
    elsewhere.leader = row->leader;
    elsewhere.leader_epoch = row->leader_epoch;
    if (ask_.forwarded) return ended(std::move(elsewhere));
    if (row->leader.value >= 0) return forward(row->leader);
    elsewhere.error = {ErrorCode::leader_not_available, "the partition has no leader"};
    ended(std::move(elsewhere));
}

void Produce::append() {
    const AppendRequest request{
        .topic = ask_.topic.ref(), .partition = at_.index, .acks = ask_.acks, .timeout = left()};
    broker::append(
        host_.services, host_.local, request, ask_.batch, owner_,
        [self = shared_from_this()](AppendOutcome outcome) { self->ended(std::move(outcome)); });
}

void Produce::forward(base::BrokerId leader) {
    ask_.timeout = std::max(left(), milliseconds(1));
    const auto request = to_grpc(encode_head(ask_), base::Slice(owner_, ask_.batch));
    host_.forwarder.call(
        host_.local.shard, leader, kMethod, *request, ask_.timeout + kGrace,
        [self = shared_from_this()](const base::Status& status, const grpc::ByteBuffer& reply) {
            self->forwarded(status, reply);
        });
}

void Produce::forwarded(const base::Status& status, const grpc::ByteBuffer& reply) {
    AppendOutcome outcome;
    if (status.ok()) {
        const auto bytes = contiguous(reply);
        if (auto read = read_produce_reply(base::as_bytes(bytes)); read.ok())
            return ended(*std::move(read));
    }
    const bool late = status.code() == absl::StatusCode::kDeadlineExceeded;
    outcome.error = {late ? ErrorCode::request_timed_out : ErrorCode::network_exception,
                     "the partition's leader: " + base::message(status)};
    outcome.not_appended = transport::never_sent(status) || status.message() == not_taken ||
                           status.code() == absl::StatusCode::kResourceExhausted;
    ended(std::move(outcome));
}

bool Produce::worth_repeating(const AppendOutcome& outcome) const {
    if (!outcome.not_appended && !idempotent_) return false;
    switch (outcome.error.code) {
        case ErrorCode::not_leader_or_follower:
        case ErrorCode::leader_not_available:
        case ErrorCode::not_enough_replicas:
        case ErrorCode::network_exception:
        // Of a leader that has not heard of the topic yet.
        case ErrorCode::unknown_topic_or_partition:
        case ErrorCode::unknown_topic_id:
            return true;
        default:
            return false;
    }
}

void Produce::ended(AppendOutcome outcome) {
    if (!done_) return;
    if (outcome.error.code == ErrorCode::none || !may_repeat_ || !worth_repeating(outcome))
        return answer(outcome);
    const milliseconds pause(pauses_.next());
    if (pause > left()) return answer(outcome);
    timer_ = host_.local.shard.after(pause, [this] { attempt(); });
}

void Produce::fail(ErrorCode code, const std::string& why) {
    AppendOutcome outcome;
    outcome.error = {code, why};
    answer(outcome);
}

void Produce::answer(const AppendOutcome& outcome) {
    finish({.status = base::ok(),
            .reply = to_grpc(encode(outcome, ask_.partition.value_or(-1))),
            .hold = {},
            .error = outcome.error.code});
}

void Produce::finish(Answer answer) {
    timer_.reset();
    if (auto done = std::exchange(done_, nullptr)) done(std::move(answer));
    if (placed_) std::exchange(placed_, nullptr)(false);
}

}  // namespace broker::rpc
