#include "metadata/delta.h"

#include <algorithm>
#include <charconv>

#include "metadata/records.h"
#include "proto/metadata.pb.h"

namespace metadata {

namespace {

base::Status misfit(const std::string& what) { return base::invalid("metadata record: " + what); }

/// The broker id that a config record names; -1 for the cluster-wide default.
std::optional<base::BrokerId> parse_broker(const std::string& name) {
    if (name.empty()) return kNoBroker;
    int32_t id = -1;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error != std::errc{} || end != name.data() + name.size() || id < 0) return std::nullopt;
    return base::BrokerId{id};
}

std::shared_ptr<const Configs> with(const Configs& old, const v1::Config& r) {
    auto next = std::make_shared<Configs>(old);
    if (r.has_value()) next->insert_or_assign(r.name(), r.value());
    else next->erase(r.name());
    return next;
}

void replace(std::vector<base::BrokerId>& old, bool given, const v1::BrokerIds& ids) {
    if (given) old = broker_ids(ids.ids());
}

/// Calls `differs(key, old, now)`, either one null where there is none, for what two maps to
/// pointers don't share, in the order of the keys.
template <class K, class T, class F>
void for_each_difference(const PersistentMap<K, std::shared_ptr<const T>>& from,
                         const PersistentMap<K, std::shared_ptr<const T>>& to, F differs) {
    auto old = from.begin();
    auto now = to.begin();
    while (old != from.end() || now != to.end()) {
        const bool old_first = now == to.end() || (old != from.end() && old->key < now->key);
        const bool now_first = old == from.end() || (now != to.end() && now->key < old->key);
        if (old_first) {
            differs(old->key, old->value, nullptr);
        } else if (now_first) {
            differs(now->key, nullptr, now->value);
        } else if (old->value != now->value) {
            differs(old->key, old->value, now->value);
        }
        if (!now_first) ++old;
        if (!old_first) ++now;
    }
}

template <class T>
bool same(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) {
    return a == b || (a && b && *a == *b);
}

}  // namespace

Delta::Delta(ImagePtr base) : base_(std::move(base)), next_(*base_) {}

std::shared_ptr<Delta> Delta::between(ImagePtr from, const ImagePtr& to) {
    auto delta = std::make_shared<Delta>(std::move(from));
    const Image& base = *delta->base_;
    delta->next_ = *to;
    using TopicPtr = std::shared_ptr<const Topic>;
    for_each_difference(base.topics_by_id_, to->topics_by_id_,
                        [&](const base::TopicId& id, const TopicPtr& old, const TopicPtr& now) {
                            if (now) delta->note_change(id, old.get(), *now);
                            else delta->removed_topics_.emplace(id, old);
                        });
    for_each_difference(base.brokers_, to->brokers_,
                        [&](base::BrokerId id, const auto& old, const auto& now) {
                            if (!same<Broker>(old, now)) delta->brokers_.insert(id);
                        });
    for_each_difference(base.broker_configs_, to->broker_configs_,
                        [&](base::BrokerId id, const auto& old, const auto& now) {
                            if (!same<Configs>(old, now)) delta->broker_configs_.insert(id);
                        });
    delta->other_ = !delta->removed_topics_.empty() || base.cluster_id_ != to->cluster_id_ ||
                    base.next_producer_id_ != to->next_producer_id_ ||
                    base.features_ != to->features_;
    return delta;
}

void Delta::note_change(const base::TopicId& id, const Topic* old, const Topic& now) {
    TopicChange change;
    change.created = old == nullptr;
    change.configs = old ? !same(old->configs, now.configs) : !now.configs->empty();
    for (size_t i = 0; i < now.partitions.size(); ++i)
        if (!old || i >= old->partitions.size() || !same(old->partitions[i], now.partitions[i]))
            change.partitions.insert(static_cast<base::PartitionIndex>(i));
    if (change.created || change.configs || !change.partitions.empty())
        topics_.emplace(id, std::move(change));
}

base::Status Delta::replay(const v1::Record& r) {
    switch (r.kind_case()) {
        case v1::Record::kRegisterBroker:
            return register_broker(r.register_broker());
        case v1::Record::kUnregisterBroker:
            return unregister_broker(r.unregister_broker());
        case v1::Record::kBrokerChange:
            return change_broker(r.broker_change());
        case v1::Record::kTopic:
            return add_topic(r.topic());
        case v1::Record::kPartition:
            return set_partition(r.partition());
        case v1::Record::kPartitionChange:
            return change_partition(r.partition_change());
        case v1::Record::kRemoveTopic:
            return remove_topic(r.remove_topic());
        case v1::Record::kConfig:
            return set_config(r.config());
        case v1::Record::kProducerIds:
            return set_producer_ids(r.producer_ids());
        case v1::Record::kFeatureLevel:
            return set_feature(r.feature_level());
        case v1::Record::kCluster:
            return set_cluster(r.cluster());
        case v1::Record::KIND_NOT_SET:
            break;
    }
    return misfit("of a kind that this version does not know");
}

ImagePtr Delta::apply(const LogPosition& through) {
    using TopicPtr = std::shared_ptr<const Topic>;
    std::vector<PersistentMap<base::TopicId, TopicPtr>::Entry> by_id;
    std::vector<PersistentMap<std::string, TopicPtr>::Entry> by_name;
    for (auto& [id, topic] : edited_) {
        by_name.push_back({topic->name, topic});
        by_id.push_back({id, std::move(topic)});
    }
    std::ranges::sort(
        by_name, {}, [](const auto& entry) -> auto& { return entry.key; });
    next_.topics_by_id_.put_all(std::move(by_id));
    next_.topics_by_name_.put_all(std::move(by_name));
    edited_.clear();
    new_names_.clear();
    next_.position_ = through;
    return std::make_shared<const Image>(next_);
}

bool Delta::empty() const {
    return topics_.empty() && removed_topics_.empty() && brokers_.empty() &&
           broker_configs_.empty() && !other_;
}

const Topic* Delta::current(const base::TopicId& id) const {
    if (auto it = edited_.find(id); it != edited_.end()) return it->second.get();
    const auto* found = next_.topics_by_id_.find(id);
    return found ? found->get() : nullptr;
}

std::optional<base::TopicId> Delta::named(const std::string& name) const {
    if (auto it = new_names_.find(name); it != new_names_.end()) return it->second;
    const auto* found = next_.topics_by_name_.find(name);
    return found ? std::optional((*found)->id) : std::nullopt;
}

Topic& Delta::edit(const Topic& current) {
    auto& topic = edited_[current.id];
    if (!topic) topic = std::make_shared<Topic>(current);
    return *topic;
}

base::Status Delta::register_broker(const v1::RegisterBroker& r) {
    if (r.broker_id() < 0) return misfit("a broker with a negative id");
    Broker b{.id = base::BrokerId{r.broker_id()},
             .incarnation = uuid(r.incarnation()),
             .epoch = r.broker_epoch(),
             .endpoints = {},
             .rack = {},
             .fenced = r.fenced(),
             .in_controlled_shutdown = r.in_controlled_shutdown(),
             .features = {}};
    for (const auto& f : r.features()) {
        if (f.least() < 0 || f.least() > f.most() || f.most() > INT16_MAX)
            return misfit("levels of a feature out of range");
        b.features[f.name()] = {static_cast<int16_t>(f.least()), static_cast<int16_t>(f.most())};
    }
    for (const auto& e : r.endpoints()) {
        if (e.port() > 65535) return misfit("a port above 65535");
        b.endpoints.push_back(
            {e.listener(), e.host(), static_cast<uint16_t>(e.port()), e.security_protocol()});
    }
    if (r.has_rack()) b.rack = r.rack();
    for (const auto& id : r.log_dirs()) b.log_dirs.push_back(uuid(id));
    b.new_disk = r.new_disk();
    brokers_.insert(b.id);
    next_.brokers_.put(b.id, std::make_shared<const Broker>(std::move(b)));
    return base::ok();
}

base::Status Delta::unregister_broker(const v1::UnregisterBroker& r) {
    base::BrokerId id{r.broker_id()};
    const Broker* old = next_.broker(id);
    if (!old || old->epoch != r.broker_epoch()) return misfit("unregisters an unknown broker");
    next_.brokers_.erase(id);
    brokers_.insert(id);
    return base::ok();
}

base::Status Delta::change_broker(const v1::BrokerChange& r) {
    base::BrokerId id{r.broker_id()};
    const Broker* old = next_.broker(id);
    if (!old || old->epoch != r.broker_epoch()) return misfit("changes an unknown broker");
    Broker b = *old;
    if (r.has_fenced()) b.fenced = r.fenced();
    if (r.has_in_controlled_shutdown()) b.in_controlled_shutdown = r.in_controlled_shutdown();
    next_.brokers_.put(id, std::make_shared<const Broker>(std::move(b)));
    brokers_.insert(id);
    return base::ok();
}

base::Status Delta::add_topic(const v1::Topic& r) {
    auto id = uuid(r.id());
    if (r.name().empty() || id.is_zero()) return misfit("a topic without name or id");
    if (current(id) || named(r.name())) return misfit("topic " + r.name() + " exists already");
    static const auto no_configs = std::make_shared<const Configs>();
    edited_[id] = std::make_shared<Topic>(Topic{id, r.name(), {}, no_configs});
    new_names_.emplace(r.name(), id);
    topics_[id].created = true;
    return base::ok();
}

base::Status Delta::remove_topic(const v1::RemoveTopic& r) {
    auto id = uuid(r.topic_id());
    const Topic* topic = current(id);
    if (!topic) return misfit("removes an unknown topic");
    next_.partition_count_ -= topic->partitions.size();
    if (new_names_.erase(topic->name) == 0) {
        next_.topics_by_name_.erase(std::string(topic->name));
        next_.topics_by_id_.erase(id);
    }
    edited_.erase(id);
    topics_.erase(id);
    if (auto old = base_->topic(id)) removed_topics_.emplace(id, std::move(old));
    other_ = true;
    return base::ok();
}

base::Status Delta::set_partition(const v1::Partition& r) {
    auto id = uuid(r.topic_id());
    const Topic* topic = current(id);
    if (!topic) return misfit("a partition of an unknown topic");
    if (r.index() < 0 || static_cast<size_t>(r.index()) > topic->partitions.size())
        return misfit("a partition out of order");
    auto index = static_cast<size_t>(r.index());
    auto p = std::make_shared<Partition>();
    *p = {.index = r.index(),
          .replicas = broker_ids(r.replicas()),
          .isr = broker_ids(r.isr()),
          .elr = broker_ids(r.elr()),
          .last_known_elr = broker_ids(r.last_known_elr()),
          .adding_replicas = broker_ids(r.adding_replicas()),
          .removing_replicas = broker_ids(r.removing_replicas()),
          .leader = base::BrokerId{r.leader()},
          .leader_epoch = r.leader_epoch(),
          .partition_epoch = r.partition_epoch(),
          .recovering = r.recovering()};
    Topic& editing = edit(*topic);
    if (index == editing.partitions.size()) {
        editing.partitions.push_back(std::move(p));
        ++next_.partition_count_;
    } else {
        editing.partitions[index] = std::move(p);
    }
    topics_[id].partitions.insert(r.index());
    return base::ok();
}

base::Status Delta::change_partition(const v1::PartitionChange& r) {
    auto id = uuid(r.topic_id());
    const Topic* topic = current(id);
    const Partition* old = topic ? topic->partition(r.index()) : nullptr;
    if (!old) return misfit("changes an unknown partition");
    auto p = std::make_shared<Partition>(*old);
    replace(p->replicas, r.has_replicas(), r.replicas());
    replace(p->isr, r.has_isr(), r.isr());
    replace(p->elr, r.has_elr(), r.elr());
    replace(p->last_known_elr, r.has_last_known_elr(), r.last_known_elr());
    replace(p->adding_replicas, r.has_adding_replicas(), r.adding_replicas());
    replace(p->removing_replicas, r.has_removing_replicas(), r.removing_replicas());
    if (r.has_leader()) {
        p->leader = base::BrokerId{r.leader()};
        ++p->leader_epoch;
    }
    if (r.has_recovering()) p->recovering = r.recovering();
    ++p->partition_epoch;
    edit(*topic).partitions[static_cast<size_t>(r.index())] = std::move(p);
    topics_[id].partitions.insert(r.index());
    return base::ok();
}

base::Status Delta::set_config(const v1::Config& r) {
    if (r.name().empty()) return misfit("a config without a name");
    switch (r.resource_type()) {
        case v1::RESOURCE_TOPIC:
            return set_topic_config(r);
        case v1::RESOURCE_BROKER:
            return set_broker_config(r);
        default:
            return misfit("a config of an unknown kind of resource");
    }
}

base::Status Delta::set_topic_config(const v1::Config& r) {
    const auto id = named(r.resource_name());
    if (!id) return misfit("a config of an unknown topic");
    Topic& topic = edit(*current(*id));
    topic.configs = with(*topic.configs, r);
    topics_[*id].configs = true;
    return base::ok();
}

base::Status Delta::set_broker_config(const v1::Config& r) {
    auto id = parse_broker(r.resource_name());
    if (!id) return misfit("a config of a broker without a number");
    auto next = with(next_.broker_configs(*id), r);
    if (next->empty()) next_.broker_configs_.erase(*id);
    else next_.broker_configs_.put(*id, std::move(next));
    broker_configs_.insert(*id);
    return base::ok();
}

base::Status Delta::set_producer_ids(const v1::ProducerIds& r) {
    if (r.next() < next_.next_producer_id_) return misfit("producer ids that go back");
    next_.next_producer_id_ = r.next();
    other_ = true;
    return base::ok();
}

base::Status Delta::set_feature(const v1::FeatureLevel& r) {
    if (r.level() < 0 || r.level() > INT16_MAX) return misfit("a feature level out of range");
    if (r.level() == 0) next_.features_.erase(r.name());
    else next_.features_[r.name()] = static_cast<int16_t>(r.level());
    other_ = true;
    return base::ok();
}

base::Status Delta::set_cluster(const v1::Cluster& r) {
    if (!next_.cluster_id_.empty()) return misfit("a second cluster id");
    next_.cluster_id_ = r.cluster_id();
    other_ = true;
    return base::ok();
}

}  // namespace metadata
