#include "metadata/records.h"

namespace metadata {

namespace {

void fill(google::protobuf::RepeatedField<int32_t>* to, const std::vector<base::BrokerId>& ids) {
    to->Reserve(static_cast<int>(ids.size()));
    for (auto id : ids) to->Add(id.value);
}

v1::Record config_record(v1::ResourceType type, const std::string& resource,
                         const std::string& name, const std::optional<std::string>& value) {
    v1::Record r;
    auto* c = r.mutable_config();
    c->set_resource_type(type);
    c->set_resource_name(resource);
    c->set_name(name);
    if (value) c->set_value(*value);
    return r;
}

}  // namespace

v1::Record cluster_record(const std::string& cluster_id) {
    v1::Record r;
    r.mutable_cluster()->set_cluster_id(cluster_id);
    return r;
}

v1::Record feature_record(const std::string& name, int16_t level) {
    v1::Record r;
    r.mutable_feature_level()->set_name(name);
    r.mutable_feature_level()->set_level(level);
    return r;
}

v1::Record broker_record(const Broker& b) {
    v1::Record r;
    auto* out = r.mutable_register_broker();
    out->set_broker_id(b.id.value);
    set(out->mutable_incarnation(), b.incarnation);
    out->set_broker_epoch(b.epoch);
    for (const auto& e : b.endpoints) {
        auto* to = out->add_endpoints();
        to->set_listener(e.listener);
        to->set_host(e.host);
        to->set_port(e.port);
        to->set_security_protocol(e.security_protocol);
    }
    if (b.rack) out->set_rack(*b.rack);
    out->set_fenced(b.fenced);
    out->set_in_controlled_shutdown(b.in_controlled_shutdown);
    for (const auto& [name, range] : b.features) {
        auto* to = out->add_features();
        to->set_name(name);
        to->set_least(range.least);
        to->set_most(range.most);
    }
    for (const auto& id : b.log_dirs) set(out->add_log_dirs(), id);
    out->set_new_disk(b.new_disk);
    return r;
}

v1::Record broker_change_record(const Broker& b, std::optional<bool> fenced,
                                std::optional<bool> in_controlled_shutdown) {
    v1::Record r;
    auto* out = r.mutable_broker_change();
    out->set_broker_id(b.id.value);
    out->set_broker_epoch(b.epoch);
    if (fenced) out->set_fenced(*fenced);
    if (in_controlled_shutdown) out->set_in_controlled_shutdown(*in_controlled_shutdown);
    return r;
}

v1::Record unregister_broker_record(const Broker& b) {
    v1::Record r;
    r.mutable_unregister_broker()->set_broker_id(b.id.value);
    r.mutable_unregister_broker()->set_broker_epoch(b.epoch);
    return r;
}

v1::Record topic_record(const std::string& name, const base::TopicId& id) {
    v1::Record r;
    r.mutable_topic()->set_name(name);
    set(r.mutable_topic()->mutable_id(), id);
    return r;
}

v1::Record partition_record(const base::TopicId& topic, const Partition& p) {
    v1::Record r;
    auto* out = r.mutable_partition();
    set(out->mutable_topic_id(), topic);
    out->set_index(p.index);
    fill(out->mutable_replicas(), p.replicas);
    fill(out->mutable_isr(), p.isr);
    fill(out->mutable_elr(), p.elr);
    fill(out->mutable_last_known_elr(), p.last_known_elr);
    fill(out->mutable_adding_replicas(), p.adding_replicas);
    fill(out->mutable_removing_replicas(), p.removing_replicas);
    out->set_leader(p.leader.value);
    out->set_leader_epoch(p.leader_epoch);
    out->set_partition_epoch(p.partition_epoch);
    out->set_recovering(p.recovering);
    return r;
}

v1::Record partition_change_record(const base::TopicId& topic, const Partition& from,
                                   const Partition& to) {
    v1::Record r;
    auto* out = r.mutable_partition_change();
    set(out->mutable_topic_id(), topic);
    out->set_index(from.index);
    auto change = [](const auto& old, const auto& now, auto field) {
        if (old != now) fill(field()->mutable_ids(), now);
    };
    change(from.replicas, to.replicas, [&] { return out->mutable_replicas(); });
    change(from.isr, to.isr, [&] { return out->mutable_isr(); });
    change(from.elr, to.elr, [&] { return out->mutable_elr(); });
    change(from.last_known_elr, to.last_known_elr, [&] { return out->mutable_last_known_elr(); });
    change(from.adding_replicas, to.adding_replicas,
           [&] { return out->mutable_adding_replicas(); });
    change(from.removing_replicas, to.removing_replicas,
           [&] { return out->mutable_removing_replicas(); });
    if (from.leader_epoch != to.leader_epoch) out->set_leader(to.leader.value);
    if (from.recovering != to.recovering) out->set_recovering(to.recovering);
    return r;
}

v1::Record remove_topic_record(const base::TopicId& id) {
    v1::Record r;
    set(r.mutable_remove_topic()->mutable_topic_id(), id);
    return r;
}

v1::Record topic_config_record(const std::string& topic, const std::string& name,
                               const std::optional<std::string>& value) {
    return config_record(v1::RESOURCE_TOPIC, topic, name, value);
}

v1::Record broker_config_record(base::BrokerId broker, const std::string& name,
                                const std::optional<std::string>& value) {
    return config_record(v1::RESOURCE_BROKER,
                         broker == kNoBroker ? "" : std::to_string(broker.value), name, value);
}

v1::Record producer_ids_record(int64_t next, base::BrokerId to, int64_t broker_epoch) {
    v1::Record r;
    auto* out = r.mutable_producer_ids();
    out->set_broker_id(to.value);
    out->set_broker_epoch(broker_epoch);
    out->set_next(next);
    return r;
}

}  // namespace metadata
