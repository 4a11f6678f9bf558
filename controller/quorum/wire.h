#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "controller/raft/message.h"

namespace moldau::raft::v1 {
class Batch;
}

/// How members of a Raft group speak over gRPC: see proto/raft.proto.
namespace quorum {

inline constexpr uint32_t kProtocolVersion = 1;

/// Of one batch: what it takes in memory is then bounded by its bytes and these.
inline constexpr size_t kMostMessages = 256;
inline constexpr size_t kMostEntries = 1 << 16;

/// What all messages of a stream share. It is said once, at the stream's start, so that no message
/// can say otherwise.
struct Link {
    base::Uuid cluster;
    raft::Member from;
    raft::Member to;

    bool operator==(const Link&) const = default;
};

/// Opens a stream, in the metadata of the call.
inline constexpr char kHelloKey[] = "moldau-hello-bin";
struct Hello {
    uint32_t version = kProtocolVersion;
    Link link;
    std::string address;      // HOST:PORT where the sender listens
    bool controller = false;  // otherwise a mere broker, which never votes

    bool operator==(const Hello&) const = default;
};

std::string encode(const Hello&);
/// kInvalidArgument for what can't be read, lacks an id, or has an address that is too long.
base::Result<Hello> decode_hello(std::string_view bytes);

/// At least what the message takes on the wire, and about what it takes in memory.
size_t wire_bytes(const raft::Message&);
/// Adds the message, whose payload is moved. Its cluster, from and to are the stream's.
void add(moldau::raft::v1::Batch&, raft::Message&&);
/// The messages of one serialized Batch, all of which pass raft::check.
/// kInvalidArgument: one is not what a correct member sends; kResourceExhausted: too many of them,
/// or of their entries, which is known before anything is allocated for them.
base::Result<std::vector<raft::Message>> decode(std::string_view batch, const Link&);

}  // namespace quorum
