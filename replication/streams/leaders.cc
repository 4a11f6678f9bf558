#include "replication/streams/leaders.h"

namespace replication::streams {

Leaders::Leaders(io::Shards& shards, io::Shard& home, Partitions& partitions,
                 const Options& options, const transport::Door& door)
    : shards_(shards), home_(home), partitions_(partitions), options_(options), door_(door) {}

std::string Leaders::address_of(base::BrokerId broker) const {
    const auto found = addresses_.find(broker);
    return found == addresses_.end() ? std::string() : found->second;
}

/// Until it says so, as many as here.
uint32_t Leaders::shards_of(base::BrokerId broker) const {
    const auto found = shards_of_.find(broker);
    return found == shards_of_.end() ? static_cast<uint32_t>(shards_.count()) : found->second;
}

LeaderLink& Leaders::link(const Key& key) {
    auto& link = links_[key];
    if (link != nullptr) return *link;
    LeaderLink::Events events;
    events.on_welcome = [this, key](const Welcome& welcome) { welcomed(key, welcome); };
    events.on_message = [this](const LeaderMessage& message) { received(message); };
    events.on_lost = [this](const auto& ids) { lost(ids); };
    link = std::make_unique<LeaderLink>(home_, options_, door_,
                                        LeaderLink::To{key.first, key.second}, std::move(events));
    link->set_cut(cut_.contains(key.first.value));
    link->set_address(address_of(key.first));
    return *link;
}

void Leaders::send(const base::TopicPartition& id, base::BrokerId to,
                   const replica::Attach& attach) {
    if (closed_) return;
    const Key key{to, static_cast<uint32_t>(Partitions::shard_of(id, shards_of(to)))};
    const auto [at, is_new] = asked_.try_emplace(id, key);
    if (!is_new && at->second != key) {
        links_.at(at->second)->drop(id);
        at->second = key;
    }
    link(key).attach(id, attach);
}

void Leaders::send(const base::TopicPartition& id, base::BrokerId to,
                   const replica::Acknowledgement& acknowledgement) {
    const auto found = asked_.find(id);
    if (closed_ || found == asked_.end() || found->second.first != to) return;
    links_.at(found->second)->acknowledge(id, acknowledgement);
}

void Leaders::closed(const base::TopicPartition& id) {
    const auto found = asked_.find(id);
    if (found == asked_.end() || closed_) return;
    links_.at(found->second)->drop(id);
    asked_.erase(found);
}

void Leaders::welcomed(const Key& key, const Welcome& welcome) {
    shards_of_[key.first] = welcome.shards;
    // What belongs to another shard, now that it is known how many there are.
    for (const auto& [id, attach] : links_.at(key)->take_attaches()) send(id, key.first, attach);
}

void Leaders::received(const LeaderMessage& message) {
    const auto find = [this](const base::TopicPartition& id) {
        return Partitions::shard_of(id, shards_.count()) == home_.index()
                   ? open_partition(partitions_, id)
                   : nullptr;
    };
    for (const auto& [id, reply] : message.replies)
        if (Partition* here = find(id)) here->receive(reply);
    for (const auto& records : message.records)
        if (Partition* here = find(records.id)) here->receive(records.offer, records.batches);
}

void Leaders::lost(const std::vector<base::TopicPartition>& ids) {
    for (const auto& id : ids)
        if (Partition* here = open_partition(partitions_, id)) here->leader_lost();
}

void Leaders::set_addresses(std::map<base::BrokerId, std::string> addresses) {
    addresses_ = std::move(addresses);
    for (const auto& [key, link] : links_) link->set_address(address_of(key.first));
}

void Leaders::set_cut(std::set<int32_t> nodes) {
    cut_ = std::move(nodes);
    for (const auto& [key, link] : links_) link->set_cut(cut_.contains(key.first.value));
}

void Leaders::close() {
    closed_ = true;
    links_.clear();
}

}  // namespace replication::streams
