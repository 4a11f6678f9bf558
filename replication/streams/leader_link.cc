#include "replication/streams/leader_link.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <utility>

#include "io/transport/channel.h"
#include "io/transport/convert.h"
#include "replication/streams/buffers.h"
#include "replication/streams/write_turn.h"
#include "spdlog/spdlog.h"

namespace replication::streams {

namespace {

// A message of as many is far below the leader's bound.
constexpr size_t kPartitionsOfMessage = 4096;
// What is kept to put the next message together.
constexpr size_t kMostScratchBytes = 2 << 20;

base::Status cut_off() { return base::unavailable("cut off"); }

/// Not a matter of the connection: it will be no better soon.
bool rejected(const base::Status& status) {
    switch (status.code()) {
        case absl::StatusCode::kInvalidArgument:
        case absl::StatusCode::kFailedPrecondition:
        case absl::StatusCode::kPermissionDenied:
        case absl::StatusCode::kResourceExhausted:
        case absl::StatusCode::kUnimplemented:
            return true;
        default:
            return false;
    }
}

}  // namespace

/// What gRPC reports on its threads is posted to the home shard at once, and each next step is
/// begun there; the next message is read when the last one was taken in. The hold keeps gRPC from
/// OnDone, after which nothing may be begun, until the shard knows that the stream is over.
class LeaderLink::Call final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
  public:
    Call(io::Shard& home, LeaderLink& owner, std::shared_ptr<void> inside,
         const std::shared_ptr<grpc::Channel>& channel, const Hello& hello)
        : inside_(std::move(inside)), home_(home), owner_(&owner), stub_(channel) {
        context_.AddMetadata(kHelloKey, encode(hello));
        stub_.PrepareBidiStreamingCall(&context_, kMethod, {}, this);
        AddHold();
        StartRead(&in_);
        StartCall();
    }

    void OnReadDone(bool ok) override {
        if (!ok) {
            home_.post([this] { over(); });
            return;
        }
        base::Result<LeaderMessage> message = LeaderMessage();
        if (auto read = received_.take(in_); read.ok())
            message = decode_leader(received_.pieces(), scratch_);
        else message = read;
        home_.post([this, m = std::move(message)] { take(m); });
    }
    void OnWriteDone(bool) override {
        if (turn_.end()) home_.post([this] { written(); });
    }
    void OnDone(const grpc::Status& status) override {
        home_.post([self = std::unique_ptr<Call>(this), status = transport::from_grpc(status)] {
            if (self->owner_ == nullptr) return;
            self->owner_->ended(self->failure_.ok() ? status : self->failure_);
        });
    }

    // On the home shard from here on.

    bool writing() { return turn_.taken(); }
    /// Lost if the stream is over, as what is on its way then.
    void write(const FollowerMessage& message) {
        if (over_) return;
        out_ = transport::to_grpc(encode(message));
        turn_.begin();
        StartWrite(&out_);
    }
    /// It ends soon; `why` is told for it.
    void cancel(const base::Status& why) {
        failure_ = why;
        context_.TryCancel();
    }
    /// The owner is no longer interested.
    void leave() {
        owner_ = nullptr;
        context_.TryCancel();
    }

  private:
    void take(const base::Result<LeaderMessage>& message) {
        if (owner_ != nullptr) owner_->received(message);
        received_.clear();
        // It is for a stream that is busy.
        if (scratch_.capacity() > std::min(kMostScratchBytes, 8 * scratch_.size())) scratch_ = {};
        // Without a read its end would not be told.
        StartRead(&in_);
    }
    void over() {
        over_ = true;
        RemoveHold();
    }
    void written() {
        turn_.told();
        if (owner_ != nullptr) owner_->write();
    }

    const std::shared_ptr<void> inside_;
    io::Shard& home_;
    LeaderLink* owner_;
    grpc::GenericStub stub_;
    grpc::ClientContext context_;
    grpc::ByteBuffer in_;
    Received received_;
    base::Bytes scratch_;
    grpc::ByteBuffer out_;
    WriteTurn turn_;
    bool over_ = false;  // its end is known here, but the owner is yet to be told why
    base::Status failure_;
};

LeaderLink::LeaderLink(io::Shard& home, const Options& options, const transport::Door& door, To to,
                       Events events)
    : home_(home),
      options_(options),
      door_(door),
      to_(to),
      events_(std::move(events)),
      random_(static_cast<unsigned>(options.self.value * 31 + to.leader.value)),
      alive_(std::make_shared<LeaderLink*>(this)) {}

LeaderLink::~LeaderLink() {
    if (call_ != nullptr) call_->leave();
}

void LeaderLink::attach(const base::TopicPartition& id, const replica::Attach& attach) {
    // Who begins to follow has heard that the leader is there: that ends a pause.
    const bool begins = !losing_ && outbox_.asks_in(id) != attach.epoch;
    asked_.erase(id);
    outbox_.put(id, attach);
    if (state_ == State::open) wake();
    else if (state_ == State::idle && (timer_ == nullptr || begins)) dial();
}

void LeaderLink::acknowledge(const base::TopicPartition& id,
                             const replica::Acknowledgement& acknowledgement) {
    if (state_ != State::open || !asked_.contains(id)) return;
    outbox_.put(id, acknowledgement);
    wake();
}

void LeaderLink::drop(const base::TopicPartition& id) {
    asked_.erase(id);
    outbox_.drop(id);
}

void LeaderLink::set_address(const std::string& address) {
    if (std::exchange(address_, address) == address) return;
    attempts_ = 0;
    if (state_ != State::idle) return break_off();
    timer_.reset();
    dial();
}

/// As if nothing came through any more: an open stream is lost in the time that its probes take.
void LeaderLink::set_cut(bool cut) {
    if (std::exchange(cut_, cut) == cut) return;
    attempts_ = 0;
    if (state_ == State::idle) {
        timer_.reset();
        return dial();
    }
    if (!cut || state_ == State::dialling) return break_off();
    timer_ =
        home_.after(options_.keepalive_time + options_.keepalive_timeout, [this] { break_off(); });
}

void LeaderLink::break_off() { call_->cancel(cut_off()); }

void LeaderLink::dial() {
    if (cut_ || address_.empty() || outbox_.empty()) return;
    auto inside = door_.enter();
    if (inside == nullptr) return;
    state_ = State::dialling;
    timer_ = home_.after(options_.handshake_timeout,
                         [this] { call_->cancel(base::unavailable("no answer")); });
    // Anew for each attempt: it knows nothing of earlier failures, and makes one attempt.
    const auto channel =
        transport::connect(address_, {.most_message_bytes = kMostLeaderBytes,
                                      .handshake_timeout = options_.handshake_timeout,
                                      .keepalive_time = options_.keepalive_time,
                                      .keepalive_timeout = options_.keepalive_timeout,
                                      .bulk = true});
    const Hello hello{.cluster_id = options_.cluster_id,
                      .from = options_.self,
                      .shard = static_cast<uint32_t>(home_.index()),
                      .wanted = to_.shard};
    call_ = new Call(home_, *this, std::move(inside), channel, hello);
}

/// What else this turn of the loop brings goes with it.
void LeaderLink::wake() {
    if (std::exchange(woken_, true)) return;
    home_.post([alive = std::weak_ptr(alive_)] {
        const auto link = alive.lock();
        if (link == nullptr) return;
        (*link)->woken_ = false;
        (*link)->write();
    });
}

void LeaderLink::write() {
    while (state_ == State::open && !cut_ && !outbox_.empty() && !call_->writing()) {
        const auto message = outbox_.take(kPartitionsOfMessage);
        for (const auto& [id, attach] : message.attaches) asked_.insert(id);
        call_->write(message);
    }
}

void LeaderLink::received(const base::Result<LeaderMessage>& message) {
    if (cut_) return;
    if (!message.ok()) return call_->cancel(message.status());
    if (message->welcome) welcomed(*message->welcome);
    if (state_ == State::open) events_.on_message(*message);
}

void LeaderLink::welcomed(const Welcome& welcome) {
    if (state_ != State::dialling) return;
    timer_.reset();
    state_ = State::open;
    opened_at_ = home_.now();
    if (!told_.empty()) spdlog::info("follows broker {} again", to_.leader.value);
    told_.clear();
    events_.on_welcome(welcome);
    write();
}

std::chrono::milliseconds LeaderLink::next_pause(const base::Status& status) {
    // A stream that ends as soon as it is open is no better than none.
    const bool held =
        state_ == State::open && home_.now() - opened_at_ >= options_.backoff_least.count();
    if (held) attempts_ = 0;
    const int attempt = attempts_++;
    if (attempt == 0 && !rejected(status)) return std::chrono::milliseconds(0);
    auto pause = rejected(status) ? options_.backoff_most : options_.backoff_least;
    for (int i = 1; i < attempt && pause < options_.backoff_most; ++i) pause *= 2;
    pause = std::min(pause, options_.backoff_most);
    std::uniform_int_distribution<int64_t> jitter(pause.count() / 2, pause.count());
    return std::chrono::milliseconds(jitter(random_));
}

void LeaderLink::ended(const base::Status& status) {
    const auto pause = next_pause(status);
    if (!status.ok() && std::exchange(told_, base::message(status)) != base::message(status))
        spdlog::info("no stream to broker {}: {}", to_.leader.value, told_);
    call_ = nullptr;
    state_ = State::idle;
    timer_ = home_.after(pause, [this] {
        timer_.reset();
        dial();
    });
    std::vector<base::TopicPartition> lost(asked_.begin(), asked_.end());
    std::ranges::sort(lost);
    asked_.clear();
    losing_ = true;
    events_.on_lost(lost);
    losing_ = false;
}

}  // namespace replication::streams
