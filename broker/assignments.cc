#include "broker/assignments.h"

#include <algorithm>

namespace broker {

bool has_replica(const metadata::Partition& p, base::BrokerId broker) {
    return std::ranges::find(p.replicas, broker) != p.replicas.end();
}

replica::Assignment assignment(const metadata::Image& image, const metadata::ConfigView& configs,
                               const metadata::Topic& topic, const metadata::Partition& p,
                               base::BrokerId self) {
    replica::Assignment out;
    out.row = {.epoch = p.leader_epoch,
               .version = p.partition_epoch,
               .leader = p.leader,
               .replicas = p.replicas,
               .isr = p.isr,
               .recovering = p.recovering};
    out.min_isr = metadata::min_isr(configs, topic.name, p.replicas.size());
    const auto know = [&](base::BrokerId id) {
        if (const auto* broker = image.broker(id))
            out.brokers.insert({id, {broker->epoch, image.active(id)}});
    };
    know(self);
    for (const auto id : p.replicas) know(id);
    return out;
}

Concerns::Concerns(const metadata::Image& image, const metadata::Delta& delta, base::BrokerId self)
    : delta_(delta) {
    // The default of min.insync.replicas goes by the size of the cluster.
    const bool resized = image.brokers().size() != delta.base()->brokers().size();
    all_ = resized || delta.brokers().contains(self) || !delta.broker_configs().empty();
    brokers_ = !delta.brokers().empty();
    configs_ = std::ranges::any_of(delta.topics(), [](const auto& t) { return t.second.configs; });
}

bool Concerns::concerns(const base::TopicPartition& id, const metadata::Partition& p) const {
    if (all_) return true;
    if (brokers_ && std::ranges::any_of(p.replicas, [this](base::BrokerId replica) {
            return delta_.brokers().contains(replica);
        }))
        return true;
    const auto topic = delta_.topics().find(id.topic);
    return topic != delta_.topics().end() && topic->second.configs;
}

}  // namespace broker
