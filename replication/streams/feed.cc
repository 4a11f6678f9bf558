#include "replication/streams/feed.h"

#include <algorithm>
#include <utility>

#include "spdlog/spdlog.h"

namespace replication::streams {

Feed::Feed(FeedWorld& world, base::BrokerId to, const FeedOptions& options,
           base::Function<void()> on_ready)
    : world_(world),
      to_(to),
      options_(options),
      on_ready_(std::move(on_ready)),
      alive_(std::make_shared<Feed*>(this)) {}

Feed::~Feed() {
    for (const auto& [id, entry] : entries_) forget(id);
}

void Feed::Message::add(base::Slice piece) {
    bytes += piece.size();
    pieces.push_back(std::move(piece));
}

void Feed::Message::close_header() {
    if (header.empty()) return;
    const auto text = std::make_shared<const std::string>(std::exchange(header, {}));
    add(base::Slice(text, base::as_bytes(*text)));
}

void Feed::reply(const base::TopicPartition& id, const replica::AttachReply& reply) {
    replies_ += encode(Of<replica::AttachReply>{id, reply});
    drop(id);
    if (const auto* accepted = std::get_if<replica::Accepted>(&reply.outcome)) {
        auto entry = std::make_unique<Entry>();
        entry->id = id;
        entry->epoch = reply.epoch;
        entry->session = reply.session;
        entry->next = accepted->from;
        entry->told = accepted->high_watermark;
        queue(*entry);
        entries_.emplace(id, std::move(entry));
        world_.feeds[id].push_back(this);
    }
    on_ready_();
}

void Feed::drop(const base::TopicPartition& id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const bool fetched = found->second->fetched.has_value();
    entries_.erase(found);
    forget(id);
    if (fetched) end_fetch();
}

/// In what the feeds share.
void Feed::forget(const base::TopicPartition& id) {
    const auto feeds = world_.feeds.find(id);
    std::erase(feeds->second, this);
    if (feeds->second.empty()) world_.feeds.erase(feeds);
    world_.chunks.drop(id);
}

std::vector<base::TopicPartition> Feed::fed() const {
    std::vector<base::TopicPartition> out;
    out.reserve(entries_.size());
    for (const auto& [id, entry] : entries_) out.push_back(id);
    std::ranges::sort(out);
    return out;
}

void Feed::queue(Entry& entry) {
    if (std::exchange(entry.queued, true)) return;
    queue_.push_back(entry.id);
}

void Feed::grown(const base::TopicPartition& id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    Entry& entry = *found->second;
    if (entry.queued || entry.catching_up) return;
    const Partition* here = member(entry);
    if (here == nullptr) return;
    if (entry.next < here->log().end()) {
        queue(entry);
        return on_ready_();
    }
    if (entry.told >= here->replica().high_watermark() || entry.watermark_due) return;
    entry.watermark_due = true;
    watermarks_.push_back(id);
    if (watermark_timer_ == nullptr)
        watermark_timer_ =
            world_.home.after(options_.watermark_pause, [this] { tell_watermarks(); });
}

void Feed::tell_watermarks() {
    watermark_timer_.reset();
    for (const auto& id : std::exchange(watermarks_, {})) {
        const auto found = entries_.find(id);
        if (found == entries_.end()) continue;
        found->second->watermark_due = false;
        if (!found->second->catching_up) queue(*found->second);
    }
    on_ready_();
}

/// The partition, as long as it leads and follows as when the entry began.
Partition* Feed::member(const Entry& entry) const {
    Partition* here = open_partition(world_.partitions, entry.id);
    if (here == nullptr) return nullptr;
    const auto& replica = here->replica();
    return replica.leading() && replica.epoch() == entry.epoch && replica.attached(to_) ? here
                                                                                        : nullptr;
}

std::vector<base::Slice> Feed::take() {
    Message out;
    out.header = std::exchange(replies_, {});
    const size_t turns = queue_.size();
    const size_t turn_bytes =
        std::max(options_.message_bytes / std::max<size_t>(turns, 1), options_.least_turn_bytes);
    for (size_t turn = 0; turn < turns && out.bytes < options_.message_bytes; ++turn) {
        const auto id = queue_.front();
        queue_.pop_front();
        const auto found = entries_.find(id);
        if (found == entries_.end() || !found->second->queued) continue;
        found->second->queued = false;
        add(*found->second, std::min(turn_bytes, options_.message_bytes - out.bytes), out);
    }
    out.close_header();
    return std::move(out.pieces);
}

void Feed::add(Entry& entry, size_t most_bytes, Message& out) {
    Partition* here = member(entry);
    if (here == nullptr) return drop(base::TopicPartition(entry.id));
    auto chunk = next_chunk(entry, *here, most_bytes);
    if (!chunk.ok()) return fail(entry, chunk.status());
    if (entry.catching_up) return;
    const base::View batches = *chunk ? (*chunk)->bytes.bytes() : base::View();
    const auto offer = here->replica().offer(to_, entry.next);
    if (batches.empty() && offer.high_watermark <= entry.told) return;
    out.add_header(encode_header(entry.id, offer, batches.size()));
    if (*chunk) {
        out.close_header();
        out.add(std::move((*chunk)->bytes));
        entry.next = (*chunk)->next;
    }
    entry.told = offer.high_watermark;
    if (entry.next < here->log().end()) queue(entry);
}

/// Nothing where all is sent, and where the pool has to read it first.
base::Result<std::optional<Chunk>> Feed::next_chunk(Entry& entry, const Partition& here,
                                                    size_t most_bytes) {
    const auto& log = here.log();
    // What it has yet to send may be deleted by now. The follower notes the gap and asks anew.
    if (entry.next < log.start()) {
        (void)take_fetched(entry);
        entry.next = log.start();
    }
    if (entry.fetched) return take_fetched(entry);
    if (entry.next >= log.end()) return std::optional<Chunk>();
    if (entry.distance == Entry::unknown) RETURN_IF_ERROR(measure(entry, log));
    if (entry.distance == Entry::near) return read_tail(entry, here, most_bytes);
    catch_up(entry);
    return std::optional<Chunk>();
}

base::Status Feed::measure(Entry& entry, const storage::Log& log) {
    ASSIGN_OR_RETURN(const auto all, log.read(entry.next, log.end(), options_.near_bytes, true));
    entry.distance = all.next >= log.end() ? Entry::near : Entry::far;
    return base::ok();
}

base::Result<std::optional<Chunk>> Feed::read_tail(Entry& entry, const Partition& here,
                                                   size_t most_bytes) {
    auto& chunks = world_.chunks;
    if (auto kept = chunks.find(entry.id, entry.epoch, entry.next)) {
        keep(entry, *kept);
        return kept;
    }
    ASSIGN_OR_RETURN(const auto read, here.log().read(entry.next, here.log().end(),
                                                      static_cast<uint32_t>(most_bytes), true));
    if (read.bytes == 0) return base::data_loss("no batch at offset " + std::to_string(entry.next));
    ASSIGN_OR_RETURN(auto bytes, load(read));
    Chunk chunk{entry.epoch, entry.next, read.next, std::move(bytes)};
    keep(entry, chunk);
    // There is more: whether it falls behind is to be seen.
    if (read.next < here.log().end()) entry.distance = Entry::unknown;
    return std::optional(std::move(chunk));
}

/// For the other followers that have not got it yet; what all have got is not kept.
void Feed::keep(const Entry& entry, const Chunk& chunk) {
    const auto& feeds = world_.feeds.at(entry.id);
    const bool wanted = std::ranges::any_of(feeds, [&](const Feed* feed) {
        if (feed == this) return false;
        const auto& other = *feed->entries_.at(entry.id);
        return other.distance != Entry::far && other.next < chunk.next;
    });
    if (wanted) world_.chunks.keep(entry.id, chunk);
    else world_.chunks.drop(entry.id);
}

/// The leader goes on without it.
void Feed::fail(const Entry& entry, const base::Status& why) {
    const auto id = entry.id;
    if (Partition* here = absl::IsDataLoss(why) ? open_partition(world_.partitions, id) : nullptr)
        here->suspect(entry.next);
    spdlog::error("can't read what broker {} is to be sent: {}", to_.value, base::message(why));
    drop(id);
    world_.home.post([alive = std::weak_ptr(alive_), id] {
        const auto feed = alive.lock();
        if (feed == nullptr || (*feed)->feeds(id)) return;
        if (Partition* here = open_partition((*feed)->world_.partitions, id))
            here->follower_lost((*feed)->to_);
    });
}

}  // namespace replication::streams
