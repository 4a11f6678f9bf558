#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/function.h"
#include "base/ids.h"
#include "base/time.h"
#include "io/shard.h"
#include "metadata/image.h"

namespace broker {

/// Clients that send to a broker which hangs learn of it late: its end of the connection stays
/// open, and most look for other leaders only when a connection breaks or, minutes later, as a
/// routine. So once the controller has given such a broker's partitions to others, those who live
/// end, in order, the connections on which they had named it as a leader, or which carry records
/// and were never asked on: no answer is owed, and clients take that for a reason to ask anew.

/// Which brokers the answers on one connection have named as leaders, and when; on its shard.
class LeadersTold {
  public:
    void told(base::BrokerId leader, base::InstantMs now);
    /// An answer about leaders was given, whomever it named.
    void answered(base::InstantMs now) { answered_at_ = now; }
    /// Whether `lost` was named, at `since` or later, and nothing was asked since `lost_at`.
    bool outdated(base::BrokerId lost, base::InstantMs since, base::InstantMs lost_at) const;
    /// This broker does not know any more who leads what was asked for: the connection ends with
    /// the answers that are in work, so that the client asks another one.
    void know_nothing() { know_nothing_ = true; }
    bool knows_nothing() const { return know_nothing_; }

  private:
    bool know_nothing_ = false;
    std::vector<std::pair<base::BrokerId, base::InstantMs>> leaders_;  // few; when last
    std::optional<base::InstantMs> answered_at_;
};

/// In service before, and now neither that nor about to stop in order; without `self`.
std::vector<base::BrokerId> lost_brokers(const metadata::Image& before,
                                         const metadata::Image& after, base::BrokerId self);

/// Decides when connections are ended for a broker that is lost. On the home shard.
class LostLeaders {
  public:
    /// Connections whose answers have named the broker since then are to be ended, unless more was
    /// asked on them after `lost_at`.
    using End =
        base::Function<void(base::BrokerId lost, base::InstantMs since, base::InstantMs lost_at)>;
    /// `gone`: whether nobody listens any more where a broker did.
    LostLeaders(io::Shard& home, base::BrokerId self, base::Function<bool(base::BrokerId)> gone,
                End end);

    /// The metadata that is in effect has changed.
    void changed(const metadata::Image& before, const metadata::Image& after);
    void stop();

    /// How long this broker lets others go first, so that a client that all of them have told does
    /// not lose all its connections at once.
    static std::chrono::milliseconds turn(const metadata::Image&, base::BrokerId self);

  private:
    io::Shard& home_;
    const base::BrokerId self_;
    base::Function<bool(base::BrokerId)> gone_;
    End end_;
    std::map<base::BrokerId, std::unique_ptr<io::Timer>> timers_;
    bool stopped_ = false;
};

}  // namespace broker
