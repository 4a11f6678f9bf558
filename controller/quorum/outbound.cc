#include "controller/quorum/outbound.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "base/check.h"
#include "controller/quorum/wire.h"
#include "io/transport/channel.h"
#include "io/transport/convert.h"
#include "proto/raft.grpc.pb.h"

namespace quorum {

namespace {

namespace v1 = moldau::raft::v1;

// Many small messages go as one; above this a batch gains nothing.
constexpr size_t kBatchBytes = 1 << 20;
constexpr size_t kMostWelcomeBytes = 64 << 10;

Trouble trouble_of(const base::Status& status, bool was_open, bool timed_out) {
    if (timed_out) return Trouble::silent;
    // gRPC has one code for all that is not an answer of the peer, and only its words tell a port
    // that nobody listens on from the rest.
    if (status.code() == absl::StatusCode::kUnavailable)
        return status.message().find("Connection refused") != status.message().npos
                   ? Trouble::refused
               : was_open ? Trouble::lost
                          : Trouble::unreachable;
    const bool broken = status.ok() || status.code() == absl::StatusCode::kCancelled ||
                        status.code() == absl::StatusCode::kUnknown ||
                        status.code() == absl::StatusCode::kInternal;
    return broken ? Trouble::lost : Trouble::rejected;
}

base::Status cut_off() { return base::unavailable("cut off"); }

}  // namespace

/// What gRPC reports on its threads is posted to the home shard at once, and each next step is
/// begun there. The hold keeps gRPC from OnDone, after which nothing may be begun, until the shard
/// knows that the stream is over.
class Outbound::Call final : public grpc::ClientBidiReactor<v1::Batch, v1::Welcome> {
  public:
    Call(io::Shard& home, Outbound& owner, std::shared_ptr<void> alive,
         const std::shared_ptr<grpc::Channel>& to, const std::string& hello)
        : home_(home), owner_(&owner), alive_(std::move(alive)), stub_(v1::Raft::NewStub(to)) {
        context_.AddMetadata(kHelloKey, hello);
        stub_->async()->Exchange(&context_, this);
        AddHold();
        StartRead(&welcome_);
        StartCall();
    }

    void OnReadDone(bool ok) override {
        home_.post([this, ok] { ok ? welcomed() : over(); });
    }
    void OnWriteDone(bool ok) override {
        // Not ok: the stream is over, which the read tells as well. The shard is not woken when
        // nothing waits for this: most messages are alone.
        auto writing = Write::out;
        if (ok && !write_.compare_exchange_strong(writing, Write::none))
            home_.post([this] { written(); });
    }
    void OnDone(const grpc::Status& status) override {
        home_.post([self = std::unique_ptr<Call>(this), status = transport::from_grpc(status)] {
            if (self->owner_ != nullptr) self->owner_->ended(status);
        });
    }

    // On the home shard from here on.

    /// Whether a write is out; when it ends, the owner is told that it may write again.
    bool writing() {
        auto state = Write::out;
        return write_.compare_exchange_strong(state, Write::out_and_awaited) ||
               state == Write::out_and_awaited;
    }
    void write(std::vector<raft::Message> messages) {
        if (over_) return;
        write_ = Write::out;
        batch_.Clear();
        for (auto& m : messages) add(batch_, std::move(m));
        StartWrite(&batch_);
    }
    void cancel() { context_.TryCancel(); }
    /// The owner is no longer interested.
    void leave() {
        owner_ = nullptr;
        cancel();
    }

  private:
    enum class Write { none, out, out_and_awaited };

    void welcomed() {
        // There is no second one: this read ends with the stream.
        StartRead(&welcome_);
        if (owner_ != nullptr && !std::exchange(open_, true)) owner_->opened();
    }
    void over() {
        over_ = true;
        RemoveHold();
    }
    void written() {
        write_ = Write::none;
        if (owner_ != nullptr) owner_->write();
    }

    io::Shard& home_;
    Outbound* owner_;
    const std::shared_ptr<void> alive_;
    const std::unique_ptr<v1::Raft::Stub> stub_;
    grpc::ClientContext context_;
    v1::Welcome welcome_;
    v1::Batch batch_;
    std::atomic<Write> write_{Write::none};  // its end is gRPC's threads' to tell
    bool open_ = false;
    bool over_ = false;  // its end is known here, but the owner is yet to be told why
};

Outbound::Outbound(io::Shard& home, const PeerOptions& options, PeerEvents& events, raft::Member to,
                   std::string address, bool cut, std::shared_ptr<void> alive)
    : home_(home),
      options_(options),
      events_(events),
      to_(to),
      address_(std::move(address)),
      alive_(std::move(alive)),
      queue_(options.most_queued_bytes),
      cut_(cut),
      random_(static_cast<unsigned>(options.self.incarnation.lo ^ to.incarnation.lo)) {
    dial();
}

Outbound::~Outbound() {
    if (call_ != nullptr) call_->leave();
}

void Outbound::dial() {
    if (cut_) {
        timer_ =
            home_.after(options_.handshake_timeout, [this] { fail(Trouble::silent, cut_off()); });
        return;
    }
    const Hello hello{.link = {options_.cluster, options_.self, to_},
                      .address = options_.address,
                      .controller = options_.controller};
    timed_out_ = false;
    timer_ = home_.after(options_.handshake_timeout, [this] {
        timed_out_ = true;
        call_->cancel();
    });
    call_ = new Call(home_, *this, alive_, connect(), encode(hello));
}

/// Anew for each attempt: it knows nothing of earlier failures, and makes one attempt.
std::shared_ptr<grpc::Channel> Outbound::connect() const {
    return transport::connect(address_, {.most_message_bytes = kMostWelcomeBytes,
                                         .handshake_timeout = options_.handshake_timeout,
                                         .keepalive_time = options_.keepalive_time,
                                         .keepalive_timeout = options_.keepalive_timeout});
}

void Outbound::wake() {
    if (call_ == nullptr && !cut_) dial();
}

void Outbound::set_cut(bool cut) {
    if (std::exchange(cut_, cut) == cut) return;
    if (!cut) {
        attempts_ = 0;
        if (!open_) return dial();
        timer_ =
            home_.after(std::chrono::milliseconds(0), [this] { fail(Trouble::lost, cut_off()); });
        return;
    }
    if (call_ != nullptr) std::exchange(call_, nullptr)->leave();
    if (!open_) return dial();
    timer_ = home_.after(options_.keepalive_time + options_.keepalive_timeout,
                         [this] { fail(Trouble::lost, cut_off()); });
}

void Outbound::send(raft::Message m) {
    if (call_ == nullptr) {
        ++dropped_;
        return;
    }
    queue_.push(std::move(m));
    write();
}

void Outbound::write() {
    while (open_ && !queue_.empty() && !call_->writing()) call_->write(queue_.take(kBatchBytes));
}

void Outbound::opened() {
    timer_.reset();
    if (timed_out_) return;  // is being cancelled
    open_ = true;
    opened_at_ = io::monotonic_clock();
    write();
    events_.on_connected(to_);
}

std::chrono::milliseconds Outbound::next_pause(Trouble trouble) {
    if (trouble == Trouble::rejected) return options_.backoff_most;
    // A stream that ends as soon as it is open is no better than none. Any other break may be the
    // peer's end, and whether it is must be known at once, also if it came back just before.
    const bool held = open_ && io::monotonic_clock() - opened_at_ >= options_.backoff_least.count();
    if (held) attempts_ = 0;
    const int attempt = attempts_++;
    if (attempt == 0) return std::chrono::milliseconds(0);
    auto pause = options_.backoff_least;
    for (int i = 1; i < attempt && pause < options_.backoff_most; ++i) pause *= 2;
    pause = std::min(pause, options_.backoff_most);
    std::uniform_int_distribution<int64_t> jitter(pause.count() / 2, pause.count());
    return std::chrono::milliseconds(jitter(random_));
}

void Outbound::ended(const base::Status& status) {
    fail(trouble_of(status, open_, timed_out_), status);
}

void Outbound::fail(Trouble trouble, const base::Status& status) {
    timer_ = home_.after(next_pause(trouble), [this] { dial(); });
    call_ = nullptr;
    open_ = false;
    queue_.clear();
    events_.on_unreachable(to_, trouble, status);
}

Peers::State Outbound::state() const {
    return {to_, address_, open_, queue_.bytes(), dropped_ + queue_.dropped()};
}

}  // namespace quorum
