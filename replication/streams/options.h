#pragma once
#include <chrono>
#include <string>

#include "base/ids.h"
#include "replication/streams/feed.h"

namespace replication::streams {

struct Options {
    std::string cluster_id;
    base::BrokerId self{-1};
    FeedOptions feed;

    std::chrono::milliseconds handshake_timeout{3000};
    /// A connection that is silent for so long is probed, and given up when the probe is.
    std::chrono::milliseconds keepalive_time{2000};
    std::chrono::milliseconds keepalive_timeout{2000};
    /// Pauses between attempts double from the least to the most.
    std::chrono::milliseconds backoff_least{25};
    std::chrono::milliseconds backoff_most{1000};
};

}  // namespace replication::streams
