#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"
#include "replication/replica/message.h"

/// How brokers speak about partitions that they share: see proto/replication.proto.
namespace replication::streams {

inline constexpr uint32_t kProtocolVersion = 1;
/// The call and its metadata.
inline constexpr const char* kMethod = "/moldau.replication.v1.Replication/Follow";
inline constexpr const char* kHelloKey = "moldau-follow-bin";

/// Of one message: what it takes in memory is then bounded by its bytes and this.
inline constexpr size_t kMostParts = 1 << 16;
/// Of what a follower says at once.
inline constexpr size_t kMostFollowerBytes = 4 << 20;
/// Of what a leader does: one batch may be as large as a request may be.
inline constexpr size_t kMostLeaderBytes = 128 << 20;
inline constexpr size_t kMostClusterIdBytes = 256;
inline constexpr uint32_t kMostShards = 1 << 12;

/// What holds for a whole stream.
struct Hello {
    uint32_t version = kProtocolVersion;
    std::string cluster_id;
    base::BrokerId from{-1};
    uint32_t shard = 0;   // of the follower
    uint32_t wanted = 0;  // of the leader

    bool operator==(const Hello&) const = default;
};

struct Welcome {
    uint32_t version = kProtocolVersion;
    uint32_t shards = 0;

    bool operator==(const Welcome&) const = default;
};

template <class Message>
using Of = std::pair<base::TopicPartition, Message>;

struct FollowerMessage {
    std::vector<Of<replica::Attach>> attaches;
    std::vector<Of<replica::Acknowledgement>> acknowledgements;

    bool empty() const { return attaches.empty() && acknowledgements.empty(); }
};

struct Records {
    base::TopicPartition id;
    replica::Offer offer;
    base::View batches;  // in the message, or where it was put together
};

struct LeaderMessage {
    std::optional<Welcome> welcome;
    std::vector<Of<replica::AttachReply>> replies;
    std::vector<Records> records;
};

std::string encode(const Hello&);
std::string encode(const FollowerMessage&);
std::string encode(const Welcome&);
/// Parts of a LeaderMessage: it is these, one after another.
std::string encode(const Of<replica::AttachReply>&);
/// What goes before `bytes` of batches, which complete it.
std::string encode_header(const base::TopicPartition&, const replica::Offer&, size_t bytes);

// kInvalidArgument for what no correct peer sends, kResourceExhausted for too much of it.

base::Result<Hello> decode_hello(std::string_view);
/// Who speaks was said in the hello.
base::Result<FollowerMessage> decode_follower(base::View, base::BrokerId from);
/// `pieces` make up the message. What it returns refers to them, and to `scratch`, where batches
/// are put together that lie in more than one; memory that is used again is far cheaper than new
/// one.
base::Result<LeaderMessage> decode_leader(std::span<const base::View> pieces, base::Bytes& scratch);

}  // namespace replication::streams
