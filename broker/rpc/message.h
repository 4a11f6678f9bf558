#pragma once
#include <memory>

#include "base/bytes.h"
#include "base/status.h"
#include "broker/memory_budget.h"

namespace grpc {
class ByteBuffer;
}

namespace broker::rpc {

/// The bytes of a request in one piece, which its receiver may write to.
struct Message {
    std::unique_ptr<std::byte[]> memory;
    base::MutableView bytes;
    MemoryHold hold;
};

/// kResourceExhausted if the budget has no room for it.
base::Result<std::shared_ptr<Message>> take_message(const grpc::ByteBuffer&, MemoryBudget&);

/// A message of these pieces. The payload is not copied, and its owner held until it has left.
std::shared_ptr<grpc::ByteBuffer> to_grpc(const base::Bytes& head, const base::Slice& payload = {});

}  // namespace broker::rpc
