#include "metadata/image.h"

#include <algorithm>

namespace metadata {

namespace {

const Configs& no_configs() {
    static const Configs none;
    return none;
}

}  // namespace

const Endpoint* Broker::endpoint(std::string_view listener) const {
    auto it = std::ranges::find(endpoints, listener, &Endpoint::listener);
    return it == endpoints.end() ? nullptr : &*it;
}

std::shared_ptr<const Image> Image::empty() {
    static const auto image = std::make_shared<const Image>();
    return image;
}

const Broker* Image::broker(base::BrokerId id) const {
    const auto* found = brokers_.find(id);
    return found ? found->get() : nullptr;
}

bool Image::active(base::BrokerId id) const {
    const Broker* found = broker(id);
    return found && !found->fenced && !found->in_controlled_shutdown;
}

std::shared_ptr<const Topic> Image::topic(std::string_view name) const {
    const auto* found = topics_by_name_.find(name);
    return found ? *found : nullptr;
}

std::shared_ptr<const Topic> Image::topic(const base::TopicId& id) const {
    const auto* found = topics_by_id_.find(id);
    return found ? *found : nullptr;
}

const Partition* Image::partition(const base::TopicPartition& p) const {
    const auto* found = topics_by_id_.find(p.topic);
    return found ? (*found)->partition(p.index) : nullptr;
}

const Configs& Image::topic_configs(std::string_view topic) const {
    const auto* found = topics_by_name_.find(topic);
    return found ? *(*found)->configs : no_configs();
}

const Configs& Image::broker_configs(base::BrokerId id) const {
    const auto* found = broker_configs_.find(id);
    return found ? **found : no_configs();
}

const Configs& Image::cluster_configs() const { return broker_configs(kNoBroker); }

}  // namespace metadata
