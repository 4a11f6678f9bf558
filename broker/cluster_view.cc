#include "broker/cluster_view.h"

#include "broker/controller_link.h"

namespace broker {

std::vector<const metadata::Broker*> reachable_brokers(const metadata::Image& image,
                                                       std::string_view listener) {
    std::vector<const metadata::Broker*> out;
    for (const auto& [id, broker] : image.brokers())
        if (!broker->fenced && broker->endpoint(listener) != nullptr) out.push_back(broker.get());
    return out;
}

std::vector<int32_t> plain_ids(const std::vector<base::BrokerId>& ids) {
    std::vector<int32_t> out;
    out.reserve(ids.size());
    for (const auto id : ids) out.push_back(id.value);
    return out;
}

int32_t shown_controller(const metadata::Image& image, std::string_view listener, int32_t active,
                         absl::BitGen& random) {
    if (image.active(base::BrokerId{active})) return active;
    const auto others = reachable_brokers(image, listener);
    if (others.empty()) return metadata::kNoBroker.value;
    return others[absl::Uniform<size_t>(random, 0, others.size())]->id.value;
}

int32_t shown_controller(const Call& call) {
    return shown_controller(*call.local.image, call.listener,
                            call.services.controller.controller_id(), call.local.random);
}

bool may_have_lost(const Call& call, const metadata::Partition& p) {
    return !call.local.in_session && p.leader == call.services.settings.id && p.replicas.size() > 1;
}

std::vector<int32_t> offline_replicas(const metadata::Image& image, const metadata::Partition& p) {
    std::vector<int32_t> out;
    for (const auto id : p.replicas)
        if (!image.active(id)) out.push_back(id.value);
    return out;
}

}  // namespace broker
