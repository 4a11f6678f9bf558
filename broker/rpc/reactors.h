#pragma once
#include <string>

#include "broker/rpc/calls.h"

namespace grpc {
class ByteBuffer;
class ServerUnaryReactor;
template <class Message>
class ServerWriteReactor;
template <class Request, class Reply>
class ServerBidiReactor;
}  // namespace grpc

/// gRPC's side of the calls. Each of these owns itself until gRPC is done with it; gRPC's own
/// threads only post to the shard of `calls`, where everything else happens.
namespace broker::rpc {

enum class Method : uint8_t { produce, fetch };

grpc::ServerUnaryReactor* answer_one(Method, Calls&, Pass, Client, const grpc::ByteBuffer& request,
                                     grpc::ByteBuffer& reply);
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* answer_produces(Calls&, Pass, Client);
grpc::ServerWriteReactor<grpc::ByteBuffer>* answer_fetches(Calls&, Pass, Client,
                                                           const grpc::ByteBuffer& request);

/// The operation that a message asks for. kInvalidArgument, kResourceExhausted.
base::Result<std::shared_ptr<Operation>> operation(Method, Host&, const Client&,
                                                   const grpc::ByteBuffer& request);

}  // namespace broker::rpc
