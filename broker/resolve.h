#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "broker/call.h"
#include "kafka/errors.h"
#include "metadata/image.h"

namespace broker {

/// How a request names a topic: by id in the newer versions, by name in the older.
struct TopicRef {
    std::string_view name;
    base::TopicId id;
    bool by_id = false;
};

/// A partition that this broker leads, as far as metadata knows, or why it can't serve it.
struct Resolved {
    kafka::ErrorCode error = kafka::ErrorCode::none;  // 3, 6 or 100
    std::shared_ptr<const metadata::Topic> topic;     // null if unknown
    base::TopicPartition id;
    base::BrokerId leader{-1};  // with error 6: where to go instead
    base::LeaderEpoch leader_epoch = -1;
};

std::shared_ptr<const metadata::Topic> find_topic(const metadata::Image&, const TopicRef&);
Resolved resolve(const metadata::Image&, const TopicRef&, base::PartitionIndex,
                 base::BrokerId self);

/// The epoch that a client believes in against ours: 74 if it is older, 75 if newer; -1: not said.
kafka::ErrorCode check_epoch(base::LeaderEpoch asked, base::LeaderEpoch ours);

/// Topics that the cluster keeps for itself.
bool internal_topic(std::string_view name);
inline constexpr std::string_view offsets_topic = "__consumer_offsets";

/// Adds where the caller's listener reaches `leader`, for a response that sends a client there
/// (KIP-951); once for each broker.
template <class NodeEndpoint>
void add_endpoint(std::vector<NodeEndpoint>& to, const Call& call, base::BrokerId leader) {
    const auto* node = call.local.image->broker(leader);
    const auto* endpoint = node != nullptr ? node->endpoint(call.listener) : nullptr;
    if (endpoint == nullptr) return;
    for (const auto& known : to)
        if (known.node_id == leader.value) return;
    to.push_back({leader.value, endpoint->host, endpoint->port, node->rack});
}

}  // namespace broker
