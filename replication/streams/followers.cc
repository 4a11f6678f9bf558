#include "replication/streams/followers.h"

#include <string>

#include "replication/streams/follower_stream.h"

namespace replication::streams {

namespace {

// Of one stream; what is forgotten is asked for again.
constexpr size_t kMostEarly = 1 << 16;
constexpr size_t kMostStreams = 1 << 12;

base::Status cut_off() { return base::unavailable("cut off"); }

}  // namespace

Followers::Followers(io::Shards& shards, io::Shard& home, Partitions& partitions,
                     const Options& options)
    : home_(home), options_(options), world_{shards, home, partitions} {}

Followers::~Followers() = default;

base::Status Followers::admit(const Hello& hello) const {
    if (closed_) return base::unavailable("the broker is stopping");
    if (hello.version != kProtocolVersion)
        return base::precondition("version " + std::to_string(hello.version) +
                                  " of the protocol is not known here");
    if (hello.cluster_id != options_.cluster_id)
        return base::precondition("this broker is of cluster " + options_.cluster_id + ", not of " +
                                  hello.cluster_id);
    if (!members_.contains(hello.from))
        return absl::PermissionDeniedError("broker " + std::to_string(hello.from.value) +
                                           " is not a member of the cluster");
    if (cut_.contains(hello.from.value)) return cut_off();
    if (streams_.size() >= kMostStreams && !streams_.contains({hello.from, hello.shard}))
        return base::exhausted("too many streams");
    return base::ok();
}

base::Status Followers::enter(FollowerStream& stream) {
    const auto& hello = stream.hello();
    RETURN_IF_ERROR(admit(hello));
    const std::pair key{hello.from, hello.shard};
    if (const auto older = streams_.find(key); older != streams_.end())
        older->second->end(absl::AbortedError("a newer stream has taken its place"));
    stream.feed_ =
        std::make_unique<Feed>(world_, hello.from, options_.feed, [&stream] { stream.wake(); });
    streams_.emplace(key, &stream);
    return base::ok();
}

void Followers::leave(FollowerStream& stream) {
    stream.cut_.reset();
    const auto listed = streams_.find({stream.hello().from, stream.hello().shard});
    if (listed == streams_.end() || listed->second != &stream) return;
    streams_.erase(listed);
    const auto fed = stream.feed_->fed();
    stream.feed_.reset();
    for (const auto& id : fed)
        if (Partition* here = open_partition(world_.partitions, id))
            here->follower_lost(stream.hello().from);
}

void Followers::receive(FollowerStream& stream, const FollowerMessage& message) {
    const auto elsewhere = [this](const base::TopicPartition& id) {
        return Partitions::shard_of(id, world_.shards.count()) != home_.index();
    };
    for (const auto& [id, attach] : message.attaches) {
        if (elsewhere(id)) return stream.end(base::invalid("a partition of another shard"));
        asked(stream, id, attach);
    }
    for (const auto& [id, acknowledgement] : message.acknowledgements) {
        if (elsewhere(id)) return stream.end(base::invalid("a partition of another shard"));
        if (Partition* here = open_partition(world_.partitions, id)) here->receive(acknowledgement);
    }
}

void Followers::asked(FollowerStream& stream, const base::TopicPartition& id,
                      const replica::Attach& attach) {
    for (auto* other : all())
        if (other != &stream && other->hello().from == stream.hello().from) {
            other->asked_.erase(id);
            other->early_.erase(id);
        }
    const auto here = world_.partitions.find(id);
    if (here.ok()) {
        stream.asked_.insert(id);
        (*here)->receive(attach);
    } else if (here.error().code != kafka::ErrorCode::unknown_topic_or_partition) {
        stream.feed_->reply(id, {attach.epoch, attach.session, replica::NotNow{}});
    } else if (stream.early_.size() < kMostEarly || stream.early_.contains(id)) {
        // The metadata here is behind, or there.
        stream.early_[id] = attach;
    }
}

std::vector<FollowerStream*> Followers::all() const {
    std::vector<FollowerStream*> out;
    for (const auto& [key, stream] : streams_) out.push_back(stream);
    return out;
}

void Followers::opened(const base::TopicPartition& id) {
    for (auto* stream : all()) {
        const auto early = stream->early_.extract(id);
        if (!early.empty()) asked(*stream, id, early.mapped());
    }
}

void Followers::closed(const base::TopicPartition& id) {
    for (auto* stream : all()) {
        stream->feed_->drop(id);
        stream->asked_.erase(id);
    }
}

FollowerStream* Followers::stream_for(const base::TopicPartition& id, base::BrokerId to) {
    for (auto at = streams_.lower_bound({to, 0}); at != streams_.end() && at->first.first == to;
         ++at)
        if (at->second->asked_.contains(id)) return at->second;
    return nullptr;
}

void Followers::send(const base::TopicPartition& id, base::BrokerId to,
                     const replica::AttachReply& reply) {
    if (auto* stream = stream_for(id, to)) return stream->feed_->reply(id, reply);
    // Its stream broke before the answer was there. Not from within the partition's call.
    home_.post([this, id, to] {
        if (closed_) return;
        const auto* stream = stream_for(id, to);
        if (stream != nullptr && stream->feed_->feeds(id)) return;
        if (Partition* here = open_partition(world_.partitions, id)) here->follower_lost(to);
    });
}

void Followers::grown(const base::TopicPartition& id) {
    const auto found = world_.feeds.find(id);
    if (found == world_.feeds.end()) return;
    for (auto* feed : found->second) feed->grown(id);
}

void Followers::detach(const base::TopicPartition& id, base::BrokerId follower) {
    for (auto* stream : all())
        if (stream->hello().from == follower) stream->feed_->drop(id);
}

void Followers::set_members(std::set<base::BrokerId> members) {
    members_ = std::move(members);
    for (auto* stream : all())
        if (!members_.contains(stream->hello().from))
            stream->end(absl::PermissionDeniedError("it is no longer a member of the cluster"));
}

void Followers::set_cut(std::set<int32_t> nodes) {
    cut_ = std::move(nodes);
    for (auto* stream : all()) {
        const bool cut = cut_.contains(stream->hello().from.value);
        if (cut == (stream->cut_ != nullptr)) continue;
        // Mended: what was sent meanwhile is lost, so it begins anew.
        if (!cut) stream->end(cut_off());
        else
            stream->cut_ = home_.after(options_.keepalive_time + options_.keepalive_timeout,
                                       [stream] { stream->end(cut_off()); });
    }
}

void Followers::set_throttle(int64_t bytes_per_s) {
    world_.throttle.set_rate(bytes_per_s, home_.now());
    for (auto* stream : all()) stream->feed_->throttle_changed();
}

void Followers::close() {
    closed_ = true;
    for (auto* stream : all()) stream->end(base::unavailable("the broker is stopping"));
}

}  // namespace replication::streams
