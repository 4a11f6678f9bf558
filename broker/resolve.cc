#include "broker/resolve.h"

namespace broker {

using kafka::ErrorCode;

std::shared_ptr<const metadata::Topic> find_topic(const metadata::Image& image,
                                                  const TopicRef& ref) {
    return ref.by_id ? image.topic(ref.id) : image.topic(ref.name);
}

Resolved resolve(const metadata::Image& image, const TopicRef& ref, base::PartitionIndex index,
                 base::BrokerId self) {
    Resolved out{.topic = find_topic(image, ref)};
    if (!out.topic) {
        out.error = ref.by_id ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition;
        return out;
    }
    out.id = {out.topic->id, index};
    const metadata::Partition* partition = out.topic->partition(index);
    if (partition == nullptr) {
        out.error = ErrorCode::unknown_topic_or_partition;
        return out;
    }
    out.leader = partition->leader;
    out.leader_epoch = partition->leader_epoch;
    if (partition->leader != self) out.error = ErrorCode::not_leader_or_follower;
    return out;
}

ErrorCode check_epoch(base::LeaderEpoch asked, base::LeaderEpoch ours) {
    if (asked < 0 || asked == ours) return ErrorCode::none;
    return asked < ours ? ErrorCode::fenced_leader_epoch : ErrorCode::unknown_leader_epoch;
}

bool internal_topic(std::string_view name) {
    return name == offsets_topic || name == "__transaction_state" || name == "__share_group_state";
}

}  // namespace broker
