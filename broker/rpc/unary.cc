#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "broker/rpc/fetch.h"
#include "broker/rpc/produce.h"
#include "broker/rpc/reactors.h"
#include "io/transport/convert.h"

namespace broker::rpc {

namespace {

/// How long a Fetch is tried again while nobody leads, beyond what it waits for records.
constexpr std::chrono::milliseconds kFetchPatience{30'000};

/// gRPC calls OnDone only after our Finish, so until then `this` is valid.
class Unary final : public grpc::ServerUnaryReactor, private Work {
  public:
    Unary(Calls& calls, Pass pass, grpc::ByteBuffer& reply)
        : calls_(calls), pass_(std::move(pass)), reply_(reply) {}

    void start(Method method, const Client& client, const grpc::ByteBuffer& request) {
        shard().post([this, method, client, request] {
            if (calls_.closed) return finish(base::unavailable(not_taken));
            calls_.works.insert(this);
            auto made = operation(method, calls_.host, client, request);
            if (!made.ok()) return finish(made.status());
            operation_ = *std::move(made);
            operation_->run([this](Answer answer) {
                if (answer.reply) reply_ = *answer.reply;
                hold_ = std::move(answer.hold);
                finish(answer.status);
            });
        });
    }

    void OnCancel() override {
        shard().post([this] { finish(absl::CancelledError("the client has gone")); });
    }
    void OnDone() override {
        // The last that was posted, as cancelling was done before.
        shard().post([self = std::unique_ptr<Unary>(this)] {});
    }

  private:
    io::Shard& shard() { return calls_.host.local.shard; }

    void end(const base::Status& status) override { finish(status); }

    void finish(const base::Status& status) {
        if (std::exchange(finished_, true)) return;
        calls_.works.erase(this);
        if (operation_) operation_->cancel();
        Finish(transport::to_grpc(status));
    }

    Calls& calls_;
    const Pass pass_;
    grpc::ByteBuffer& reply_;
    std::shared_ptr<Operation> operation_;
    MemoryHold hold_;  // of the reply
    bool finished_ = false;
};

}  // namespace

base::Result<std::shared_ptr<Operation>> operation(Method method, Host& host, const Client& client,
                                                   const grpc::ByteBuffer& request) {
    ASSIGN_OR_RETURN(auto message, take_message(request, host.services.memory));
    if (method == Method::produce) {
        ASSIGN_OR_RETURN(auto ask, read_produce(message->bytes));
        return std::make_shared<Produce>(host, client, std::move(ask), std::move(message));
    }
    ASSIGN_OR_RETURN(auto ask, read_fetch(message->bytes));
    return std::make_shared<Fetch>(host, client, std::move(ask), kFetchPatience);
}

grpc::ServerUnaryReactor* answer_one(Method method, Calls& calls, Pass pass, Client client,
                                     const grpc::ByteBuffer& request, grpc::ByteBuffer& reply) {
    auto* call = new Unary(calls, std::move(pass), reply);
    call->start(method, client, request);
    return call;
}

}  // namespace broker::rpc
