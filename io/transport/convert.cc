#include "io/transport/convert.h"

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <vector>

namespace transport {

namespace {

// Every byte may take three in the trailers, which the other side takes up to 8 KiB of.
constexpr size_t kMostMessageBytes = 1024;

}  // namespace

grpc::Status to_grpc(const base::Status& s) {
    return {static_cast<grpc::StatusCode>(s.raw_code()),
            std::string(s.message().substr(0, kMostMessageBytes))};
}

base::Status from_grpc(const grpc::Status& s) {
    return {static_cast<absl::StatusCode>(s.error_code()), s.error_message()};
}

grpc::ByteBuffer to_grpc(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    return {&slice, 1};
}

std::string from_grpc(const grpc::ByteBuffer& buffer) {
    std::string out;
    out.reserve(buffer.Length());
    std::vector<grpc::Slice> slices;
    if (!buffer.Dump(&slices).ok()) return out;
    for (const auto& slice : slices)
        out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return out;
}

}  // namespace transport
