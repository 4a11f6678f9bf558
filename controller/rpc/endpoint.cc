#include "controller/rpc/endpoint.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <string>
#include <utility>

#include "base/check.h"
#include "controller/rpc/wire.h"
#include "io/transport/alive.h"
#include "io/transport/convert.h"
#include "proto/controller.grpc.pb.h"

namespace controller::rpc {

namespace {

namespace v1 = moldau::controller::v1;

int32_t sender(const Call& call) { return call.from.value; }
int32_t sender(const JoinRequest& request) { return request.self.id; }
int32_t sender(const TransferRequest&) { return -1; }

template <class Answer>
base::Result<std::string> bytes_of(base::Result<Answer> answer) {
    if (!answer.ok()) return std::move(answer).status();
    return encode(*answer);
}
/// A status is all that it answers.
base::Result<std::string> bytes_of(base::Status status) {
    if (!status.ok()) return status;
    return std::string();
}

base::Status stopping() { return base::unavailable("the node is stopping"); }

}  // namespace

/// On the home shard, but for what is const.
struct Endpoint::State {
    State(io::Shard& shard, Handlers those, const EndpointOptions& bounds)
        : home(shard), handlers(std::move(those)), options(bounds) {}

    io::Shard& home;
    Handlers handlers;
    const EndpointOptions options;
    std::set<int32_t> cut;
    std::set<Work*> works;
    size_t bytes = 0;  // of their requests
    bool closed = false;
    transport::Alive alive;  // every call in work
};

/// One call. gRPC calls OnDone only after our Finish, so until then `this` is valid; both are the
/// home shard's, as is all but the constructor and what gRPC calls.
class Endpoint::Work final : public grpc::ServerUnaryReactor {
  public:
    Work(std::shared_ptr<State> state, size_t bytes, grpc::ByteBuffer& reply)
        : state_(std::move(state)), bytes_(bytes), reply_(reply) {}

    void OnCancel() override {
        state_->home.post([this] { finish(absl::CancelledError("the asker has gone")); });
    }
    void OnDone() override {
        auto& home = state_->home;
        home.post([self = std::unique_ptr<Work>(this)] {});
    }

    template <class Ask, class Answer>
    void arrive(base::Result<Ask> ask,
                base::Function<void(Ask, base::Function<void(Answer)>)>& handler) {
        if (auto refused = admit(ask.status()); !refused.ok()) return finish(refused);
        alive_ = state_->alive.token();
        from_ = sender(*ask);
        lost_ = state_->cut.contains(from_);
        state_->works.insert(this);
        state_->bytes += bytes_;
        timer_ = state_->home.after(state_->options.most_duration, [this] {
            finish(absl::DeadlineExceededError("the node had no answer in time"));
        });
        if (lost_) return;
        handler(*std::move(ask), [ticket = Ticket(self_)](Answer answer) mutable {
            ticket.answer(bytes_of(std::move(answer)));
        });
    }

    /// Its cable is cut, and what was lost meanwhile does not come later.
    void lose(const std::set<int32_t>& cut) { lost_ |= cut.contains(from_); }

    void finish(const base::Status& status) {
        if (std::exchange(finished_, true)) return;
        *self_ = nullptr;
        timer_.reset();
        if (state_->works.erase(this) > 0) state_->bytes -= bytes_;
        Finish(transport::to_grpc(status));
    }

  private:
    /// The right to answer one call, which may be over by then.
    class Ticket {
      public:
        explicit Ticket(std::shared_ptr<Work*> work) : work_(std::move(work)) {}
        Ticket(Ticket&&) = default;
        ~Ticket() {
            if (work_ != nullptr) answer(base::unavailable("the node does not answer"));
        }
        void answer(base::Result<std::string> bytes) {
            const auto work = std::exchange(work_, nullptr);
            CHECK(work != nullptr) << "a call is answered twice";
            if (*work != nullptr) (*work)->answered(std::move(bytes));
        }

      private:
        std::shared_ptr<Work*> work_;
    };

    base::Status admit(const base::Status& ask) const {
        const auto& bounds = state_->options;
        if (state_->closed) return stopping();
        RETURN_IF_ERROR(ask);
        if (state_->works.size() >= bounds.most_calls || bytes_ > bounds.most_bytes - state_->bytes)
            return base::exhausted("too many calls in work");
        return base::ok();
    }

    void answered(base::Result<std::string> bytes) {
        CHECK(state_->home.here()) << "answered on another thread";
        if (lost_) return;
        if (bytes.ok()) reply_ = transport::to_grpc(*bytes);
        finish(bytes.status());
    }

    const std::shared_ptr<State> state_;
    std::shared_ptr<void> alive_;
    const std::shared_ptr<Work*> self_ = std::make_shared<Work*>(this);  // nullptr: finished
    const size_t bytes_;
    grpc::ByteBuffer& reply_;
    int32_t from_ = -1;
    bool lost_ = false;
    bool finished_ = false;
    std::unique_ptr<io::Timer> timer_;
};

/// The messages are taken as bytes: what can't be read is refused in our words.
class Endpoint::Service final
    : public v1::Controller::WithRawCallbackMethod_Call<v1::Controller::WithRawCallbackMethod_Join<
          v1::Controller::WithRawCallbackMethod_Transfer<v1::Controller::Service>>> {
  public:
    explicit Service(std::shared_ptr<State> state) : state_(std::move(state)) {}

    grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext*, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* reply) override {
        return begin(*request, *reply, &decode_call, &Handlers::call);
    }
    grpc::ServerUnaryReactor* Join(grpc::CallbackServerContext*, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* reply) override {
        return begin(*request, *reply, &decode_join_request, &Handlers::join);
    }
    grpc::ServerUnaryReactor* Transfer(grpc::CallbackServerContext*,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* reply) override {
        return begin(*request, *reply, &decode_transfer_request, &Handlers::transfer);
    }

  private:
    template <class Decode, class Handler>
    Work* begin(const grpc::ByteBuffer& request, grpc::ByteBuffer& reply, Decode decode,
                Handler Handlers::*handler) {
        auto* work = new Work(state_, request.Length(), reply);
        state_->home.post(
            [&state = *state_, work, ask = decode(transport::from_grpc(request)),
             handler]() mutable { work->arrive(std::move(ask), state.handlers.*handler); });
        return work;
    }

    const std::shared_ptr<State> state_;
};

Endpoint::Endpoint(io::Shard& home, Handlers handlers, EndpointOptions options)
    : state_(std::make_shared<State>(home, std::move(handlers), options)),
      service_(std::make_unique<Service>(state_)) {}

Endpoint::~Endpoint() { stop(); }

grpc::Service& Endpoint::service() { return *service_; }

void Endpoint::set_cut(std::set<int32_t> nodes) {
    state_->cut = std::move(nodes);
    for (auto* work : state_->works) work->lose(state_->cut);
}

void Endpoint::stop() {
    CHECK(!state_->home.here()) << "stop() called on the shard";
    if (std::exchange(stopped_, true)) return;
    state_->home.post([state = state_] {
        state->closed = true;
        for (auto* work : std::set(state->works)) work->finish(stopping());
        state->alive.drop();
    });
    state_->alive.wait();
}

}  // namespace controller::rpc
