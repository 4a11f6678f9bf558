#include "broker/health.h"

#include <algorithm>

#include "replication/partitions.h"
#include "spdlog/spdlog.h"

namespace broker {

namespace {

Stalls::Options options(std::chrono::milliseconds timeout, std::chrono::milliseconds heartbeat) {
    return {.timeout_ms = timeout.count(), .longest_gap_ms = 2 * heartbeat.count()};
}

}  // namespace

Health::Health(io::Shards& shards, const replication::Partitions& partitions,
               std::chrono::milliseconds stall_timeout, std::chrono::milliseconds heartbeat)
    : shards_(shards),
      partitions_(partitions),
      disks_(options(stall_timeout, heartbeat)),
      loops_(options(stall_timeout, heartbeat)) {
    for (size_t i = 0; i < shards_.count(); ++i) turns_.push_back(std::make_shared<Turn>());
}

bool Health::can_write() const {
    for (size_t i = 0; i < partitions_.log_dirs().size(); ++i)
        if (!partitions_.fenced(i)) return true;
    return false;
}

std::optional<base::InstantMs> Health::oldest_sync() const {
    std::optional<base::InstantMs> oldest;
    for (size_t i = 0; i < partitions_.log_dirs().size(); ++i)
        if (const auto at = partitions_.oldest_sync(i))
            oldest = oldest ? std::min(*oldest, *at) : at;
    return oldest;
}

std::optional<base::InstantMs> Health::oldest_turn(base::InstantMs now) {
    std::optional<base::InstantMs> oldest;
    for (size_t i = 0; i < turns_.size(); ++i) {
        const auto& turn = turns_[i];
        if (const auto asked = turn->asked.load()) {
            oldest = oldest ? std::min(*oldest, asked) : asked;
            continue;
        }
        turn->asked = std::max<base::InstantMs>(now, 1);
        shards_.at(i).post([turn] { turn->asked = 0; });
    }
    return oldest;
}

bool Health::fit() {
    const auto now = io::monotonic_clock();
    const bool writes = can_write();
    const bool stalls = disks_.look(oldest_sync(), now);
    const bool hangs = loops_.look(oldest_turn(now), now);
    const bool fit = writes && !stalls && !hangs;
    if (std::exchange(fit_, fit) == fit) return fit;
    if (fit) spdlog::info("this broker can serve as before; it asks to be taken into service");
    else
        spdlog::error("{}: this broker asks that others lead in its place",
                      !writes  ? "every log directory has failed"
                      : stalls ? "a disk has stalled (broker.disk.stall.timeout.ms)"
                               : "an event loop has stalled (broker.disk.stall.timeout.ms)");
    return fit;
}

}  // namespace broker
