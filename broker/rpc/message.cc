#include "broker/rpc/message.h"

#include <grpcpp/support/byte_buffer.h>

#include <cstring>
#include <utility>
#include <vector>

namespace broker::rpc {

base::Result<std::shared_ptr<Message>> take_message(const grpc::ByteBuffer& from,
                                                    MemoryBudget& budget) {
    const size_t size = from.Length();
    if (!budget.take(size))
        return base::exhausted("the broker has no memory left for requests; try again later");
    auto out = std::make_shared<Message>();
    out->hold = MemoryHold(budget, size);
    out->memory = std::make_unique_for_overwrite<std::byte[]>(size);
    out->bytes = {out->memory.get(), size};
    std::vector<grpc::Slice> slices;
    if (!from.Dump(&slices).ok()) return base::invalid("the message can't be read");
    size_t at = 0;
    for (const auto& slice : slices) {
        if (slice.size() > 0) std::memcpy(out->memory.get() + at, slice.begin(), slice.size());
        at += slice.size();
    }
    return out;
}

std::shared_ptr<grpc::ByteBuffer> to_grpc(const base::Bytes& head, const base::Slice& payload) {
    std::vector<grpc::Slice> slices;
    slices.emplace_back(head.data(), head.size());
    if (!payload.empty()) {
        // gRPC only reads it.
        auto* bytes = const_cast<std::byte*>(payload.bytes().data());
        const auto let_go = [](void* owner) { delete static_cast<base::Slice*>(owner); };
        slices.emplace_back(bytes, payload.size(), let_go, new base::Slice(payload));
    }
    return std::make_shared<grpc::ByteBuffer>(slices.data(), slices.size());
}

}  // namespace broker::rpc
