#include "io/transport/caller.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/time.h"
#include "io/transport/alive.h"
#include "io/transport/channel.h"
#include "io/transport/convert.h"

namespace transport {

namespace {

base::Status late() { return absl::DeadlineExceededError("no answer in time"); }

}  // namespace

/// On the home shard.
struct Caller::State {
    class Out;

    /// The way to one address. A channel whose connection is gone is replaced, so that the name is
    /// resolved anew at once, and when to try again is ours to say.
    struct Line {
        std::shared_ptr<grpc::Channel> channel;
        base::InstantMs used_at = 0;
        int failures = 0;  // to connect, one after another
        base::InstantMs pause_until = 0;
        base::Status failure;
    };

    State(io::Shard& shard, const CallerOptions& those) : home(shard), options(those) {}

    void begin(const std::string& address, int32_t to, const char* method,
               const grpc::ByteBuffer& request, std::chrono::milliseconds timeout, Done done);
    Line& line(const std::string& address);
    void ended(const std::string& address, const grpc::Channel&, const base::Status&);
    std::shared_ptr<grpc::Channel> connect(const std::string& address) const;
    std::chrono::milliseconds pause(int failures) const;
    void close();

    io::Shard& home;
    const CallerOptions options;
    std::map<std::string, Line> lines;
    std::set<Out*> outs;
    std::set<int32_t> cut;
    bool closed = false;
    Alive alive;  // every call that is out
};

/// One call that is out. It owns itself until gRPC has ended it, or its time is over if it is lost.
/// The time is the shard's: a deadline of gRPC's would be a timer on both sides for each call.
class Caller::State::Out {
  public:
    Out(State& state, std::string address, int32_t to, std::chrono::milliseconds timeout, Done done)
        : alive_(state.alive.token()),
          state_(state),
          address_(std::move(address)),
          to_(to),
          done_(std::move(done)),
          timer_(state.home.after(timeout, [this] { expire(); })) {
        state_.outs.insert(this);
    }

    void start(const std::shared_ptr<grpc::Channel>& channel, const char* method,
               const grpc::ByteBuffer& request) {
        channel_ = channel;
        request_ = request;
        started_ = true;
        grpc::GenericStub(channel).UnaryCall(
            &context_, method, {}, &request_, &reply_, [this](const grpc::Status& status) {
                state_.home.post([this, s = from_grpc(status)] { ended(s); });
            });
    }
    /// Later, as all answers come.
    void fail(const base::Status& status) {
        timer_.reset();
        state_.home.post([this, status] { finish(status); });
    }
    /// Whatever comes, its time passes first.
    void lose() { lost_ = true; }
    int32_t to() const { return to_; }
    void leave() {
        done_ = nullptr;
        if (started_) return context_.TryCancel();
        if (timer_ != nullptr) finish(late());
    }

  private:
    void ended(const base::Status& status) {
        started_ = false;
        if (expired_) return finish(late());  // which tells nothing of the connection
        if (lost_ && done_ != nullptr) return;
        if (!lost_) state_.ended(address_, *channel_, status);
        finish(status);
    }
    void expire() {
        if (!started_) return finish(late());
        expired_ = true;
        context_.TryCancel();
    }
    void finish(const base::Status& status) {
        const std::unique_ptr<Out> self(this);
        state_.outs.erase(this);
        // Gone before `alive_`, for which stop() waits.
        auto done = std::move(done_);
        if (!status.ok()) reply_.Clear();
        if (done != nullptr) done(status, reply_);
    }

    const std::shared_ptr<void> alive_;
    State& state_;
    const std::string address_;
    const int32_t to_;
    Done done_;
    std::shared_ptr<grpc::Channel> channel_;
    grpc::ClientContext context_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer reply_;
    bool started_ = false;  // and not ended by gRPC
    bool lost_ = false;
    bool expired_ = false;
    std::unique_ptr<io::Timer> timer_;  // none: what will end it is posted
};

std::shared_ptr<grpc::Channel> Caller::State::connect(const std::string& address) const {
    return transport::connect(address, {.most_message_bytes = options.most_message_bytes,
                                        .handshake_timeout = options.handshake_timeout,
                                        .keepalive_time = options.keepalive_time,
                                        .keepalive_timeout = options.keepalive_timeout,
                                        .most_idle = options.most_idle});
}

Caller::State::Line& Caller::State::line(const std::string& address) {
    const auto now = io::monotonic_clock();
    std::erase_if(lines, [&](const auto& row) {
        return now - row.second.used_at > options.most_idle.count();
    });
    auto& line = lines[address];
    line.used_at = now;
    if (line.channel == nullptr && now >= line.pause_until) line.channel = connect(address);
    return line;
}

void Caller::State::begin(const std::string& address, int32_t to, const char* method,
                          const grpc::ByteBuffer& request, std::chrono::milliseconds timeout,
                          Done done) {
    if (closed) return;
    auto* out = new Out(*this, address, to, timeout, std::move(done));
    if (request.Length() > options.most_message_bytes)
        return out->fail(
            base::exhausted("a message of " + std::to_string(request.Length()) + " bytes"));
    if (cut.contains(to)) return out->lose();
    const auto& way = line(address);
    way.channel == nullptr ? out->fail(way.failure) : out->start(way.channel, method, request);
}

void Caller::State::ended(const std::string& address, const grpc::Channel& channel,
                          const base::Status& status) {
    const auto known = lines.find(address);
    if (known == lines.end() || known->second.channel.get() != &channel) return;
    auto& line = known->second;
    line.used_at = io::monotonic_clock();
    // A node that answers so has its connection still.
    const bool broken = status.code() == absl::StatusCode::kUnavailable &&
                        line.channel->GetState(false) != GRPC_CHANNEL_READY;
    if (!broken) {
        line.failures = 0;
        return;
    }
    line.pause_until = line.used_at + pause(line.failures++).count();
    line.failure = status;
    line.channel.reset();
}

std::chrono::milliseconds Caller::State::pause(int failures) const {
    if (failures == 0) return std::chrono::milliseconds(0);
    auto pause = options.backoff_least;
    for (int i = 1; i < failures && pause < options.backoff_most; ++i) pause *= 2;
    return std::min(pause, options.backoff_most);
}

void Caller::State::close() {
    closed = true;
    for (auto* out : std::set(outs)) out->leave();
    lines.clear();
    alive.drop();
}

Caller::Caller(io::Shard& home, CallerOptions options)
    : home_(home), state_(std::make_unique<State>(home, options)) {}

Caller::~Caller() { stop(); }

void Caller::call(const std::string& address, int32_t to, const char* method,
                  const grpc::ByteBuffer& request, std::chrono::milliseconds timeout, Done done) {
    state_->begin(address, to, method, request, timeout, std::move(done));
}

void Caller::set_cut(std::set<int32_t> nodes) {
    state_->cut = std::move(nodes);
    for (auto* out : state_->outs)
        if (state_->cut.contains(out->to())) out->lose();
}

void Caller::stop() {
    CHECK(!home_.here()) << "stop() called on the shard";
    if (std::exchange(stopped_, true)) return;
    home_.post([state = state_.get()] { state->close(); });
    state_->alive.wait();
}

bool never_sent(const base::Status& status) {
    // gRPC has no other sign of it than its text.
    return status.code() == absl::StatusCode::kUnavailable &&
           status.message().find("failed to connect") != status.message().npos;
}

}  // namespace transport
