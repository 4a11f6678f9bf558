#pragma once
#include <string>

#include "base/status.h"

namespace grpc {
class ByteBuffer;
class Status;
}  // namespace grpc

/// Between gRPC's types and ours.
namespace transport {

/// The codes are the same. A message is cut where it would no longer fit into the headers.
grpc::Status to_grpc(const base::Status&);
base::Status from_grpc(const grpc::Status&);

grpc::ByteBuffer to_grpc(const std::string& bytes);
std::string from_grpc(const grpc::ByteBuffer&);

}  // namespace transport
