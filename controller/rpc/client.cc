#include "controller/rpc/client.h"

#include <grpcpp/support/byte_buffer.h>

#include <utility>

#include "controller/rpc/wire.h"
#include "io/transport/convert.h"

namespace controller::rpc {

namespace {

constexpr char kCall[] = "/moldau.controller.v1.Controller/Call";
constexpr char kJoin[] = "/moldau.controller.v1.Controller/Join";
constexpr char kTransfer[] = "/moldau.controller.v1.Controller/Transfer";

/// An answer that can't be read is no answer of a node.
template <class Answer>
transport::Caller::Done reading(base::Result<Answer> (*decode)(std::string_view),
                                base::Function<void(base::Result<Answer>)> done) {
    return [decode, done = std::move(done)](const base::Status& status,
                                            grpc::ByteBuffer& reply) mutable {
        if (!status.ok()) return done(status);
        auto answer = decode(transport::from_grpc(reply));
        done(answer.ok() ? std::move(answer) : base::internal(base::message(answer.status())));
    };
}

}  // namespace

Client::Client(io::Shard& home, ClientOptions options) : caller_(home, options) {}

void Client::call(const std::string& address, int32_t to, const Call& ask,
                  std::chrono::milliseconds timeout, CallDone done) {
    caller_.call(address, to, kCall, transport::to_grpc(encode(ask)), timeout,
                 reading(&decode_call_result, std::move(done)));
}

void Client::join(const std::string& address, int32_t to, const JoinRequest& ask,
                  std::chrono::milliseconds timeout, JoinDone done) {
    caller_.call(address, to, kJoin, transport::to_grpc(encode(ask)), timeout,
                 reading(&decode_join_reply, std::move(done)));
}

void Client::transfer(const std::string& address, const TransferRequest& ask,
                      std::chrono::milliseconds timeout, TransferDone done) {
    caller_.call(address, -1, kTransfer, transport::to_grpc(encode(ask)), timeout,
                 [done = std::move(done)](const base::Status& status, grpc::ByteBuffer&) mutable {
                     done(status);
                 });
}

}  // namespace controller::rpc
