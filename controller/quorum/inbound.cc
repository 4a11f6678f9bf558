#include "controller/quorum/inbound.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/transport/convert.h"
#include "proto/raft.grpc.pb.h"

namespace quorum {

namespace {

namespace v1 = moldau::raft::v1;

// Besides the members' own, streams of whoever an open roster lets in.
constexpr size_t kMostStreams = 2 * raft::Configuration::kMostMembers;

base::Result<Hello> read_hello(const grpc::CallbackServerContext& context) {
    const auto& metadata = context.client_metadata();
    if (metadata.count(kHelloKey) != 1) return base::invalid("a stream needs one hello");
    const auto& bytes = metadata.find(kHelloKey)->second;
    return decode_hello({bytes.data(), bytes.size()});
}

base::Result<std::vector<raft::Message>> read(const grpc::ByteBuffer& buffer, const Link& link) {
    grpc::Slice bytes;
    if (!buffer.TrySingleSlice(&bytes).ok() && !buffer.DumpToSingleSlice(&bytes).ok())
        return base::invalid("a batch that can't be read");
    return decode({reinterpret_cast<const char*>(bytes.begin()), bytes.size()}, link);
}

base::Status stopping() { return base::unavailable("the node is stopping"); }

grpc::ByteBuffer welcome() {
    v1::Welcome message;
    message.set_version(kProtocolVersion);
    return transport::to_grpc(message.SerializeAsString());
}

}  // namespace

/// On the home shard, but for what is const.
struct Inbound::State {
    State(io::Shard& shard, const base::Uuid& cluster_id, const raft::Member& this_member, Events e)
        : home(shard), cluster(cluster_id), self(this_member), events(std::move(e)) {}

    io::Shard& home;
    const base::Uuid cluster;
    const raft::Member self;
    Events events;
    Roster roster;
    bool closed = false;
    std::map<raft::Member, Stream*> streams;
    std::set<int32_t> cut;
    std::set<Stream*> waiting;  // of nodes that are cut off
    std::shared_ptr<void> alive;
};

/// One call. What gRPC reports on its threads is posted to the home shard at once, and each next
/// step is begun there. gRPC calls OnDone only after our Finish, so until then `this` is valid.
class Inbound::Stream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
  public:
    Stream(std::shared_ptr<State> state, const grpc::CallbackServerContext& context)
        : state_(std::move(state)) {
        state_->home.post([this, hello = read_hello(context)] {
            hello.ok() ? arrive(*hello) : finish(hello.status());
        });
    }

    void OnReadDone(bool ok) override {
        if (!ok) {
            state_->home.post([this] { finish(base::ok()); });
            return;
        }
        auto batch = read(buffer_, hello_.link);
        buffer_.Clear();
        state_->home.post([this, batch = std::move(batch)]() mutable { take(std::move(batch)); });
    }
    void OnWriteDone(bool) override {
        state_->home.post([this] {
            writing_ = false;
            if (finished_) Finish(status_);
        });
    }
    void OnDone() override {
        auto& home = state_->home;
        home.post([self = std::unique_ptr<Stream>(this)] {});
    }

    // On the home shard from here on.

    void finish(const base::Status& why) {
        if (std::exchange(finished_, true)) return;
        status_ = transport::to_grpc(why);
        if (!writing_) Finish(status_);
        state_->waiting.erase(this);
        const auto listed = state_->streams.find(hello_.link.from);
        if (listed == state_->streams.end() || listed->second != this) return;
        state_->streams.erase(listed);
        state_->events.on_left();
    }
    const Hello& hello() const { return hello_; }
    bool cut() const { return state_->cut.contains(hello_.link.from.id); }

    void enter() {
        if (auto refused = admit(); !refused.ok()) return finish(refused);
        const auto& from = hello_.link.from;
        if (const auto older = state_->streams.find(from); older != state_->streams.end())
            older->second->finish(absl::AbortedError("a newer stream has taken its place"));
        state_->streams.emplace(from, this);
        writing_ = true;
        StartWrite(&welcome_);
        state_->events.on_arrived(from);
    }

  private:
    base::Status admit() const {
        RETURN_IF_ERROR(admits(state_->roster, state_->cluster, state_->self, hello_));
        if (state_->streams.size() >= kMostStreams && !state_->streams.contains(hello_.link.from))
            return base::exhausted("too many streams");
        return base::ok();
    }

    void arrive(const Hello& hello) {
        if (state_->closed) return finish(stopping());
        alive_ = state_->alive;
        hello_ = hello;
        if (!cut()) enter();
        else if (state_->waiting.size() < kMostStreams) state_->waiting.insert(this);
        else finish(base::exhausted("too many streams"));
        // Without a read its end would not be told.
        if (!finished_) StartRead(&buffer_);
    }

    void take(base::Result<std::vector<raft::Message>> batch) {
        if (finished_) return;
        if (cut()) return StartRead(&buffer_);
        if (!batch.ok()) return finish(batch.status());
        for (auto& m : *batch) {
            state_->events.on_message(std::move(m));
            if (finished_) return;  // what it told may have changed the roster
        }
        StartRead(&buffer_);
    }

    const std::shared_ptr<State> state_;
    std::shared_ptr<void> alive_;
    Hello hello_;  // does not change once it is read from other threads
    grpc::ByteBuffer welcome_ = welcome();
    grpc::ByteBuffer buffer_;
    bool writing_ = false;
    bool finished_ = false;
    grpc::Status status_;
};

/// The messages are taken as bytes: what they take once they are parsed is bounded first.
class Inbound::Service final : public v1::Raft::WithRawCallbackMethod_Exchange<v1::Raft::Service> {
  public:
    explicit Service(std::shared_ptr<State> state) : state_(std::move(state)) {}

    grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Exchange(
        grpc::CallbackServerContext* context) override {
        return new Stream(state_, *context);
    }

  private:
    const std::shared_ptr<State> state_;
};

Inbound::Inbound(io::Shard& home, const base::Uuid& cluster, const raft::Member& self,
                 Events events)
    : state_(std::make_shared<State>(home, cluster, self, std::move(events))),
      service_(std::make_unique<Service>(state_)) {}

Inbound::~Inbound() = default;

grpc::Service& Inbound::service() { return *service_; }

void Inbound::keep(std::shared_ptr<void> alive) { state_->alive = std::move(alive); }

void Inbound::set_roster(Roster roster) {
    state_->roster = std::move(roster);
    turn_away();
}

void Inbound::set_cut(std::set<int32_t> nodes) {
    state_->cut = std::move(nodes);
    for (auto* stream : std::set(state_->waiting)) {
        if (stream->cut()) continue;
        state_->waiting.erase(stream);
        stream->enter();
    }
    turn_away();
}

/// Whom the roster does not let in.
void Inbound::turn_away() {
    std::vector<std::pair<Stream*, base::Status>> out;
    for (const auto& [member, stream] : state_->streams) {
        if (stream->cut()) continue;
        auto status = admits(state_->roster, state_->cluster, state_->self, stream->hello());
        if (!status.ok()) out.emplace_back(stream, std::move(status));
    }
    for (auto& [stream, status] : out) stream->finish(status);
}

std::vector<Hello> Inbound::senders() const {
    std::vector<Hello> out;
    for (const auto& [member, stream] : state_->streams) out.push_back(stream->hello());
    return out;
}

void Inbound::close() {
    state_->closed = true;
    const auto streams = std::exchange(state_->streams, {});
    for (const auto& [member, stream] : streams) stream->finish(stopping());
    for (auto* stream : std::set(state_->waiting)) stream->finish(stopping());
    state_->alive.reset();
}

}  // namespace quorum
