#include "replication/streams/streams.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "io/run_on.h"
#include "replication/streams/entrance.h"
#include "replication/streams/followers.h"
#include "replication/streams/leaders.h"

namespace replication {

using base::BrokerId;
using base::TopicPartition;

/// One shard's.
class Streams::Local final : public Exchange {
  public:
    Local(io::Shards& shards, io::Shard& shard, Partitions& partitions,
          const streams::Options& options, const transport::Door& door)
        : home(shard),
          followers(shards, shard, partitions, options),
          leaders(shards, shard, partitions, options, door) {}

    void opened(const TopicPartition& id) override { followers.opened(id); }
    void closed(const TopicPartition& id) override {
        followers.closed(id);
        leaders.closed(id);
    }
    void send(const TopicPartition& id, BrokerId to, const replica::Message& message) override {
        std::visit(
            [&](const auto& m) {
                using M = std::decay_t<decltype(m)>;
                if constexpr (std::is_same_v<M, replica::AttachReply>) followers.send(id, to, m);
                else leaders.send(id, to, m);
            },
            message);
    }
    void grown(const TopicPartition& id) override { followers.grown(id); }
    void detach(const TopicPartition& id, BrokerId follower) override {
        followers.detach(id, follower);
    }

    io::Shard& home;
    streams::Followers followers;
    streams::Leaders leaders;
};

Streams::Streams() : entrance_(std::make_unique<streams::Entrance>(door_)) {}

Streams::~Streams() { stop(); }

grpc::Service& Streams::service() { return entrance_->service(); }

void Streams::start(io::Shards& shards, Partitions& partitions, streams::Options options) {
    CHECK(shards_ == nullptr) << "started twice";
    shards_ = &shards;
    options_ = std::move(options);
    std::vector<streams::Followers*> followers;
    for (size_t i = 0; i < shards.count(); ++i) {
        locals_.push_back(
            std::make_unique<Local>(shards, shards.at(i), partitions, options_, door_));
        followers.push_back(&locals_.back()->followers);
    }
    entrance_->lead_to(shards, std::move(followers));
    door_.open();
}

std::vector<Exchange*> Streams::exchanges() {
    std::vector<Exchange*> out;
    for (const auto& local : locals_) out.push_back(local.get());
    return out;
}

void Streams::set_addresses(const std::map<BrokerId, std::string>& addresses) {
    std::set<BrokerId> members;
    for (const auto& [broker, address] : addresses) members.insert(broker);
    for (const auto& local : locals_)
        local->home.post([&l = *local, addresses, members] {
            l.followers.set_members(members);
            l.leaders.set_addresses(addresses);
        });
}

void Streams::set_cut(const std::set<int32_t>& nodes) {
    for (const auto& local : locals_)
        local->home.post([&l = *local, nodes] {
            l.followers.set_cut(nodes);
            l.leaders.set_cut(nodes);
        });
}

void Streams::set_throttle(int64_t bytes_per_s) {
    const auto share = bytes_per_s / static_cast<int64_t>(std::max<size_t>(locals_.size(), 1));
    for (const auto& local : locals_)
        local->home.post([&l = *local, share] { l.followers.set_throttle(share); });
}

void Streams::stop() {
    if (shards_ == nullptr) return;
    shards_ = nullptr;
    door_.shut();
    for (const auto& local : locals_)
        io::run_on(local->home, [&l = *local] {
            l.followers.close();
            l.leaders.close();
        });
    door_.wait();
}

}  // namespace replication
