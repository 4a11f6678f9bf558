#include <algorithm>
#include <utility>

#include "replication/streams/feed.h"

// Reads for followers that are far behind.
namespace replication::streams {

void Feed::catch_up(Entry& entry) {
    entry.catching_up = true;
    entry.waits = true;
    behind_.push_back(entry.id);
    fetch_soon();
}

std::optional<Chunk> Feed::take_fetched(Entry& entry) {
    if (!entry.fetched) return std::nullopt;
    end_fetch();
    return std::exchange(entry.fetched, std::nullopt);
}

void Feed::end_fetch() {
    fetching_ = false;
    fetch_soon();
}

/// Not at once, as whoever calls may be at work with an entry.
void Feed::fetch_soon() {
    if (fetching_ || behind_.empty()) return;
    world_.home.post([alive = std::weak_ptr(alive_)] {
        if (const auto feed = alive.lock()) (*feed)->fetch_next();
    });
}

void Feed::throttle_changed() {
    throttle_timer_.reset();
    fetch_next();
}

/// The first that may be read for. Who is in sync is never held back.
void Feed::fetch_next() {
    if (fetching_) return;
    const int64_t wait_ms = world_.throttle.wait_ms(world_.home.now());
    for (size_t left = behind_.size(); left > 0; --left) {
        const auto id = behind_.front();
        behind_.pop_front();
        const auto found = entries_.find(id);
        if (found == entries_.end() || !found->second->waits) continue;
        const Partition* here = member(*found->second);
        if (here == nullptr) {
            drop(id);
            continue;
        }
        const auto& isr = here->replica().row().isr;
        if (wait_ms > 0 && std::ranges::find(isr, to_) == isr.end()) {
            behind_.push_back(id);
            continue;
        }
        if (start_fetch(*found->second, *here)) return;
    }
    if (!behind_.empty() && throttle_timer_ == nullptr)
        throttle_timer_ = world_.home.after(std::chrono::milliseconds(wait_ms), [this] {
            throttle_timer_.reset();
            fetch_next();
        });
}

bool Feed::start_fetch(Entry& entry, const Partition& here) {
    const auto& log = here.log();
    const auto from = std::max(entry.next, log.start());
    entry.next = from;
    auto read = log.read(from, log.end(), static_cast<uint32_t>(options_.message_bytes), true);
    if (!read.ok()) {
        fail(entry, read.status());
        return false;
    }
    const auto& isr = here.replica().row().isr;
    if (std::ranges::find(isr, to_) == isr.end())
        world_.throttle.spend(read->bytes, world_.home.now());
    entry.waits = false;
    fetching_ = true;
    world_.shards.block([&home = world_.home, alive = std::weak_ptr(alive_), id = entry.id,
                         session = entry.session, epoch = entry.epoch, from,
                         read = *std::move(read)]() mutable {
        auto bytes = load(read);
        // Old records, which may have been damaged since they were written.
        if (bytes.ok())
            if (auto bad = verify(bytes->bytes()); !bad.ok()) bytes = bad;
        home.post([alive = std::move(alive), id, session, epoch, from, next = read.next,
                   bytes = std::move(bytes)]() mutable {
            const auto feed = alive.lock();
            if (feed == nullptr) return;
            if (bytes.ok())
                (*feed)->fetched(id, session, Chunk{epoch, from, next, *std::move(bytes)});
            else (*feed)->fetched(id, session, bytes.status());
        });
    });
    return true;
}

void Feed::fetched(const base::TopicPartition& id, uint64_t session, base::Result<Chunk> chunk) {
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second->session != session) return end_fetch();
    Entry& entry = *found->second;
    entry.catching_up = false;
    if (!chunk.ok()) {
        end_fetch();
        return fail(entry, chunk.status());
    }
    entry.fetched = *std::move(chunk);
    entry.distance = Entry::unknown;
    queue(entry);
    on_ready_();
}

}  // namespace replication::streams
