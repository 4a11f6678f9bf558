#include "broker/metadata_follower.h"

#include <algorithm>
#include <atomic>

#include "broker/resolve.h"
#include "broker/services.h"
#include "broker/topic_rules.h"
#include "groups/coordinators.h"
#include "io/shard.h"
#include "metadata/config.h"
#include "replication/partitions.h"
#include "spdlog/spdlog.h"

namespace broker {

namespace {

/// Calls `all_done` on `home` after `count` arrivals, which come from any shard.
class Barrier {
  public:
    Barrier(io::Shard& home, size_t count, base::Function<void()> all_done)
        : home_(home), left_(count), all_done_(std::move(all_done)) {
        if (count == 0) home_.post(std::move(all_done_));
    }
    void arrive() {
        if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) home_.post(std::move(all_done_));
    }

  private:
    io::Shard& home_;
    std::atomic<size_t> left_;
    base::Function<void()> all_done_;
};

replication::Assignment row(const metadata::Partition& p) {
    return {.epoch = p.leader_epoch,
            .version = p.partition_epoch,
            .leader = p.leader,
            .replicas = {p.replicas.begin(), p.replicas.end()},
            .isr = {p.isr.begin(), p.isr.end()}};
}

}  // namespace

MetadataFollower::MetadataFollower(const Settings& settings, io::Shards& shards, io::Shard& home,
                                   replication::Partitions& partitions,
                                   groups::Coordinators& groups,
                                   std::vector<std::unique_ptr<Local>>& locals)
    : settings_(settings),
      shards_(shards),
      home_(home),
      partitions_(partitions),
      groups_(groups),
      locals_(locals) {}

void MetadataFollower::take(metadata::ImagePtr image,
                            std::shared_ptr<const metadata::Delta> delta) {
    if (stopping_) return;
    changes_.push_back({std::move(image), std::move(delta)});
    if (!busy_) next();
}

void MetadataFollower::when_at(int64_t index, io::Shard& on, base::Function<void()> done) {
    home_.run([this, index, &on, done = std::move(done)]() mutable {
        if (index <= index_) return on.run(std::move(done));
        waiting_.emplace(index, std::pair(&on, std::move(done)));
    });
}

void MetadataFollower::stop(base::Function<void()> done) {
    home_.run([this, done = std::move(done)]() mutable {
        stopping_ = true;
        stopped_ = std::move(done);
        if (!busy_) next();
    });
}

void MetadataFollower::next() {
    busy_ = !changes_.empty();
    if (busy_) return open_partitions();
    if (stopped_) std::exchange(stopped_, nullptr)();
}

/// Partitions that this broker has a replica of: opens those that it does not have yet, tells the
/// others who leads them now.
void MetadataFollower::open_partitions() {
    const Change& change = changes_.front();
    const metadata::ConfigView configs(*change.image, settings_.id, settings_.static_configs);
    struct ToOpen {
        base::TopicPartition id;
        replication::Assignment row;
        replication::Partitions::Settings settings;
    };
    std::vector<ToOpen> open;
    for (const auto& [id, topic_change] : change.delta->topics()) {
        const auto topic = change.image->topic(id);
        for (const auto index : topic_change.partitions) {
            const metadata::Partition& p = *topic->partition(index);
            if (std::find(p.replicas.begin(), p.replicas.end(), settings_.id) == p.replicas.end())
                continue;
            const base::TopicPartition tp{id, index};
            if (here_.insert(tp).second)
                open.push_back(
                    {tp, row(p),
                     partition_settings(configs, *topic, p.replicas.size(), settings_.id)});
            else
                partitions_.home(tp).post(
                    [this, tp, row = row(p)] { partitions_.assign(tp, row); });
        }
    }
    auto all = std::make_shared<Barrier>(home_, open.size() + locals_.size(), [this] { show(); });
    for (auto& local : locals_)
        local->shard.post([&to = *local, all, image = change.image] {
            to.newest = image;
            all->arrive();
        });
    for (const auto& p : open)
        partitions_.open(p.id, p.settings, p.row, [all](const base::Status&) { all->arrive(); });
}

/// Every shard answers from the new image from here on. All know it already.
void MetadataFollower::show() {
    auto all = std::make_shared<Barrier>(home_, locals_.size(), [this] { settle(); });
    for (auto& local : locals_)
        local->shard.post([&to = *local, all, image = changes_.front().image] {
            to.image = image;
            to.topic_rules.clear();
            all->arrive();
        });
}

void MetadataFollower::settle() {
    Change change = std::move(changes_.front());
    changes_.pop_front();
    for (const auto& [id, topic_change] : change.delta->topics()) {
        const auto topic = change.image->topic(id);
        if (topic_change.configs && !topic_change.created) reconfigure(*change.image, *topic);
        if (topic->name == offsets_topic) serve_groups(*topic, topic_change.partitions);
    }
    if (!change.delta->broker_configs().empty())
        for (const auto& [name, topic] : change.image->topics()) reconfigure(*change.image, *topic);
    for (const auto& [id, topic] : change.delta->removed_topics()) {
        groups_.topic_deleted(topic->name, id);
        for (const auto& p : topic->partitions) remove(*topic, p->index);
    }
    index_ = change.image->position().index;
    while (!waiting_.empty() && waiting_.begin()->first <= index_) {
        auto [on, done] = std::move(waiting_.begin()->second);
        waiting_.erase(waiting_.begin());
        on->run(std::move(done));
    }
    if (told_) told_(index_);
    next();
}

void MetadataFollower::remove(const metadata::Topic& topic, base::PartitionIndex index) {
    const base::TopicPartition id{topic.id, index};
    if (here_.erase(id) == 0) return;
    auto discard = [this, id] { partitions_.remove(id, [](const base::Status&) {}); };
    if (topic.name == offsets_topic) groups_.remove(index, std::move(discard));
    else discard();
}

void MetadataFollower::reconfigure(const metadata::Image& image, const metadata::Topic& topic) {
    const metadata::ConfigView configs(image, settings_.id, settings_.static_configs);
    for (const auto& p : topic.partitions) {
        const base::TopicPartition id{topic.id, p->index};
        const auto settings = partition_settings(configs, topic, p->replicas.size(), settings_.id);
        partitions_.home(id).post([this, id, settings] { partitions_.set_config(id, settings); });
    }
}

/// The partitions of __consumer_offsets that this broker leads coordinate the groups that fall to
/// them.
void MetadataFollower::serve_groups(const metadata::Topic& topic,
                                    const std::set<base::PartitionIndex>& changed) {
    for (const auto index : changed) {
        if (topic.partition(index)->leader != settings_.id) {
            groups_.remove(index);
            continue;
        }
        const base::TopicPartition id{topic.id, index};
        partitions_.home(id).post([this, id] {
            const auto found = partitions_.find(id);
            if (found.ok()) groups_.add(id.index, **found);
            else
                spdlog::error("the groups of partition {} can't be served: {}", id.index,
                              found.error().message);
        });
    }
}

}  // namespace broker
