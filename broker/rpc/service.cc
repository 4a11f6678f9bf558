#include "broker/rpc/service.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <utility>

#include "broker/rpc/forwarder.h"
#include "broker/rpc/reactors.h"
#include "io/run_on.h"
#include "io/transport/convert.h"
#include "proto/broker.grpc.pb.h"

namespace broker::rpc {

namespace {

namespace v1 = moldau::broker::v1;

constexpr size_t kMostCalls = 4096;

/// Ends a call on gRPC's own thread.
template <class Reactor>
class Refused final : public Reactor {
  public:
    explicit Refused(const base::Status& status) { this->Finish(transport::to_grpc(status)); }
    void OnDone() override { delete this; }
};

}  // namespace

struct Service::State {
    Gate gate{kMostCalls};
    std::atomic<size_t> turn{0};
    std::vector<std::unique_ptr<Calls>> calls;  // by shard; there while the gate is open
};

/// The messages are taken as bytes: what can't be read is refused in our words, and what is large
/// is not copied more often than need be.
class Service::Methods final
    : public v1::Broker::WithRawCallbackMethod_Produce<
          v1::Broker::WithRawCallbackMethod_Fetch<v1::Broker::WithRawCallbackMethod_ProduceStream<
              v1::Broker::WithRawCallbackMethod_FetchStream<v1::Broker::Service>>>> {
  public:
    explicit Methods(State& state) : state_(state) {}

    grpc::ServerUnaryReactor* Produce(grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* reply) override {
        return admit<grpc::ServerUnaryReactor>(*context, [&](Calls& calls, Pass pass, Client who) {
            return answer_one(Method::produce, calls, std::move(pass), std::move(who), *request,
                              *reply);
        });
    }
    grpc::ServerUnaryReactor* Fetch(grpc::CallbackServerContext* context,
                                    const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* reply) override {
        return admit<grpc::ServerUnaryReactor>(*context, [&](Calls& calls, Pass pass, Client who) {
            return answer_one(Method::fetch, calls, std::move(pass), std::move(who), *request,
                              *reply);
        });
    }
    grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ProduceStream(
        grpc::CallbackServerContext* context) override {
        using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
        return admit<Reactor>(*context, [&](Calls& calls, Pass pass, Client who) {
            return answer_produces(calls, std::move(pass), std::move(who));
        });
    }
    grpc::ServerWriteReactor<grpc::ByteBuffer>* FetchStream(
        grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override {
        using Reactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;
        return admit<Reactor>(*context, [&](Calls& calls, Pass pass, Client who) {
            return answer_fetches(calls, std::move(pass), std::move(who), *request);
        });
    }

  private:
    template <class Reactor, class Begin>
    Reactor* admit(const grpc::CallbackServerContext& context, Begin begin) {
        switch (state_.gate.enter()) {
            case Gate::Entry::closed:
                return new Refused<Reactor>(base::unavailable(not_taken));
            case Gate::Entry::full:
                return new Refused<Reactor>(base::exhausted("too many calls in work"));
            case Gate::Entry::in:
                break;
        }
        auto& calls = *state_.calls[state_.turn++ % state_.calls.size()];
        return begin(calls, Pass(state_.gate), Client{context.peer()});
    }

    State& state_;
};

Service::Service()
    : state_(std::make_unique<State>()), methods_(std::make_unique<Methods>(*state_)) {}

Service::~Service() = default;

grpc::Service& Service::service() { return *methods_; }

void Service::open(Services& services, const std::vector<std::unique_ptr<Local>>& locals,
                   Forwarder& forwarder) {
    for (const auto& local : locals)
        state_->calls.push_back(std::make_unique<Calls>(Host{services, *local, forwarder}));
    state_->gate.open();
}

void Service::stop() {
    state_->gate.close();
    for (auto& calls : state_->calls)
        calls->host.local.shard.post([&calls = *calls] {
            calls.closed = true;
            for (auto* work : std::set(calls.works))
                work->end(base::unavailable("the broker is stopping"));
        });
    state_->gate.wait();
}

}  // namespace broker::rpc
