#include "broker/metadata_follower.h"

#include <algorithm>
#include <atomic>

#include "broker/assignments.h"
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

void MetadataFollower::when_at(int64_t index, io::Shard& on, base::Function<void()> done,
                               std::optional<std::chrono::milliseconds> patience) {
    home_.run([this, index, &on, patience, done = std::move(done)]() mutable {
        if (index <= index_) return on.run(std::move(done));
        const auto at = waiting_.emplace(index, Waiting{on, std::move(done), nullptr});
        if (!patience || stopping_) return;
        at->second.timer = home_.after(*patience, [this, at] {
            const auto expired = waiting_.extract(at);
            expired.mapped().on.run(std::move(expired.mapped().done));
        });
    });
}

void MetadataFollower::registered(int64_t broker_epoch) {
    broker_epoch_ = broker_epoch;
    registered_anew_ = true;
    if (!busy_) next();
}

void MetadataFollower::remove_strays(base::Function<void()> done) {
    home_.run([this, done = std::move(done)]() mutable {
        strays_removed_ = std::move(done);
        if (!busy_) next();
    });
}

void MetadataFollower::stop(base::Function<void()> done) {
    home_.run([this, done = std::move(done)]() mutable {
        stopping_ = true;
        stopped_ = std::move(done);
        for (auto& [index, waiting] : waiting_) waiting.timer.reset();
        if (!busy_) next();
    });
}

void MetadataFollower::next() {
    if (std::exchange(registered_anew_, false)) {
        partitions_.registered(broker_epoch_);
        reassign_all();
    }
    busy_ = strays_removed_ || !changes_.empty();
    if (strays_removed_) return discard_strays();
    if (busy_) return open_partitions();
    if (stopped_) std::exchange(stopped_, nullptr)();
}

void MetadataFollower::discard_strays() {
    shards_.block([this, image = image_, leaving = leaving_] {
        partitions_.remove_strays([&](const base::TopicPartition& id) {
            const auto* p = image ? image->partition(id) : nullptr;
            return p != nullptr && !here(*p) && !leaving.contains(id);
        });
        home_.post([this] {
            std::exchange(strays_removed_, nullptr)();
            next();
        });
    });
}

bool MetadataFollower::here(const metadata::Partition& p) const {
    return has_replica(p, settings_.id);
}

bool MetadataFollower::knows_this_process(const metadata::Image& image) const {
    const auto* self = image.broker(settings_.id);
    return self != nullptr && self->epoch == broker_epoch_;
}

void MetadataFollower::reassign_all() {
    if (image_) reassign(*image_, {here_.begin(), here_.end()});
}

/// Tells open partitions what the image says of them: with one post a shard, as they may be many.
void MetadataFollower::reassign(const metadata::Image& image,
                                const std::vector<base::TopicPartition>& ids) {
    using Told = std::vector<std::pair<base::TopicPartition, replica::Assignment>>;
    const metadata::ConfigView configs(image, settings_.id, settings_.static_configs);
    std::map<io::Shard*, Told> by_shard;
    for (const auto& id : ids) {
        const auto topic = image.topic(id.topic);
        const auto* p = topic ? topic->partition(id.index) : nullptr;
        if (p == nullptr) continue;
        by_shard[&partitions_.home(id)].emplace_back(
            id, assignment(image, configs, *topic, *p, settings_.id));
    }
    for (auto& [shard, told] : by_shard)
        shard->post([this, told = std::move(told)] {
            for (const auto& [id, to] : told) partitions_.assign(id, to);
        });
}

bool MetadataFollower::must_wait(const Change& change) const {
    if (leaving_.empty()) return false;
    for (const auto& [id, topic_change] : change.delta->topics())
        for (const auto index : topic_change.partitions)
            if (leaving_.contains({id, index}) && here(*change.image->topic(id)->partition(index)))
                return true;
    return false;
}

/// Partitions that this broker has a replica of: opens those that it does not have yet, tells the
/// others what has changed for them.
void MetadataFollower::open_partitions() {
    const Change& change = changes_.front();
    held_up_ = must_wait(change);
    if (held_up_) return;
    const metadata::ConfigView configs(*change.image, settings_.id, settings_.static_configs);
    struct ToOpen {
        base::TopicPartition id;
        replica::Assignment to;
        replication::Partitions::Settings settings;
    };
    std::vector<ToOpen> open;
    std::vector<base::TopicPartition> changed;
    const Concerns others(*change.image, *change.delta, settings_.id);
    if (others.any())
        for (const auto& id : here_)
            if (const auto* p = change.image->partition(id); p && others.concerns(id, *p))
                changed.push_back(id);
    for (const auto& [id, topic_change] : change.delta->topics()) {
        const auto topic = change.image->topic(id);
        for (const auto index : topic_change.partitions) {
            const metadata::Partition& p = *topic->partition(index);
            const base::TopicPartition tp{id, index};
            if (here(p) && here_.insert(tp).second)
                open.push_back({tp, assignment(*change.image, configs, *topic, p, settings_.id),
                                partition_settings(configs, *topic)});
            else if (here_.contains(tp)) changed.push_back(tp);
        }
    }
    reassign(*change.image, changed);
    auto all = std::make_shared<Barrier>(home_, open.size() + locals_.size(), [this] { show(); });
    for (auto& local : locals_)
        local->shard.post([&to = *local, all, image = change.image] {
            to.newest = image;
            all->arrive();
        });
    for (const auto& p : open)
        partitions_.open(p.id, p.settings, p.to, [all](const base::Status&) { all->arrive(); });
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
    // First what is gone: a topic of the same name may be there anew, and groups know no topic's
    // id.
    for (const auto& [id, topic] : change.delta->removed_topics()) {
        groups_.topic_deleted(topic->name, id);
        for (const auto& p : topic->partitions) remove(*topic, p->index);
    }
    for (const auto& [id, topic_change] : change.delta->topics()) {
        const auto topic = change.image->topic(id);
        if (topic_change.configs && !topic_change.created) reconfigure(*change.image, *topic);
        if (topic->name == offsets_topic) serve_groups(*topic, topic_change.partitions);
        for (const auto index : topic_change.partitions)
            if (!here(*topic->partition(index))) moved_.insert({id, index});
    }
    if (knows_this_process(*change.image)) remove_moved(*change.image);
    if (!change.delta->broker_configs().empty())
        for (const auto& [name, topic] : change.image->topics()) reconfigure(*change.image, *topic);
    if (told_change_ && image_) told_change_(*image_, *change.image);
    image_ = change.image;
    index_ = image_->position().index;
    while (!waiting_.empty() && waiting_.begin()->first <= index_) {
        const auto due = waiting_.extract(waiting_.begin());
        due.mapped().on.run(std::move(due.mapped().done));
    }
    if (told_) told_(index_);
    next();
}

void MetadataFollower::remove_moved(const metadata::Image& image) {
    for (const auto& id : std::exchange(moved_, {})) {
        const auto topic = image.topic(id.topic);
        const auto* p = topic ? topic->partition(id.index) : nullptr;
        if (p != nullptr && !here(*p)) remove(*topic, id.index);
    }
}

void MetadataFollower::remove(const metadata::Topic& topic, base::PartitionIndex index) {
    const base::TopicPartition id{topic.id, index};
    if (here_.erase(id) == 0) return;
    leaving_.insert(id);
    auto discard = [this, id] {
        partitions_.remove(
            id, [this, id](const base::Status&) { home_.post([this, id] { removed(id); }); });
    };
    if (topic.name == offsets_topic) groups_.remove(index, std::move(discard));
    else discard();
}

void MetadataFollower::removed(const base::TopicPartition& id) {
    leaving_.erase(id);
    if (held_up_) open_partitions();
}

void MetadataFollower::reconfigure(const metadata::Image& image, const metadata::Topic& topic) {
    const metadata::ConfigView configs(image, settings_.id, settings_.static_configs);
    const auto settings = partition_settings(configs, topic);
    for (const auto& p : topic.partitions) {
        const base::TopicPartition id{topic.id, p->index};
        if (!here_.contains(id)) continue;
        partitions_.home(id).post([this, id, settings] { partitions_.set_config(id, settings); });
    }
}

/// The partitions of __consumer_offsets that this broker leads coordinate the groups that fall to
/// them; of the others that are here the groups are kept, to take over at once.
void MetadataFollower::serve_groups(const metadata::Topic& topic,
                                    const std::set<base::PartitionIndex>& changed) {
    for (const auto index : changed) {
        const metadata::Partition& p = *topic.partition(index);
        if (!here(p)) {
            groups_.remove(index);
            continue;
        }
        const base::TopicPartition id{topic.id, index};
        const bool leads = p.leader == settings_.id;
        partitions_.home(id).post([this, id, leads, epoch = p.leader_epoch] {
            const auto found = partitions_.find(id);
            if (found.ok() && leads) groups_.lead(id.index, **found, epoch);
            else if (found.ok()) groups_.follow(id.index, **found);
            else
                spdlog::error("the groups of partition {} can't be served here: {}", id.index,
                              found.error().message);
        });
    }
}

}  // namespace broker
