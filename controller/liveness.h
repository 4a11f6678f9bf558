#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "controller/brokers.h"
#include "metadata/image.h"

namespace controller {

/// Which brokers are alive: the active controller's table of sessions. Not replicated: a controller
/// that becomes active begins with an empty one. It is told the time and asks nobody.
///
/// A silent broker's session ends `session_ms` after it was last heard, but
/// - never earlier than one session after this controller became active, which could not hear
///   anybody before (KAFKA-14392); but whoever was active before it was heard as a Raft leader, so
///   its silence counts, up to half a session;
/// - time in which this controller itself did not run, and could not have heard anybody either,
///   does not count (KAFKA-15019): of the time between two calls no more than `longest_gap_ms`. It
///   must be ticked more often than that.
class Sessions {
  public:
    struct Options {
        base::InstantMs session_ms = 3000;  // broker.session.timeout.ms
        base::InstantMs longest_gap_ms = 250;
    };
    struct Broker {
        base::BrokerId id = metadata::kNoBroker;
        int64_t epoch = -1;

        bool operator==(const Broker&) const = default;
    };

    /// Who was active before, and since when it has not been heard.
    struct Silent {
        base::BrokerId id = metadata::kNoBroker;
        base::InstantMs since = 0;
    };

    explicit Sessions(Options options) : options_(options) {}

    /// This controller becomes active.
    void begin(base::InstantMs now, const std::optional<Silent>& before = std::nullopt);
    /// A broker registered, or sent a heartbeat that was not refused.
    void heard(const Broker&, int64_t metadata_index, base::InstantMs now);
    /// Its process was found dead: the session ends now. Nothing if it registered anew since.
    void lost(const Broker&, base::InstantMs now);
    /// What its heartbeat was answered: with `leads_nothing` the index of the entry that made that
    /// true, of which the first counts; or nothing, and a withdrawal would begin anew.
    void withdrawn(const Broker&, std::optional<int64_t> index);

    /// Whether a process of this id may still be running: heard within a session, or, if it is not
    /// fenced, not to be called silent yet.
    bool alive(const metadata::Image&, base::BrokerId, base::InstantMs now);
    /// The brokers to be fenced: not fenced, and their session is over. By id.
    std::vector<Broker> expired(const metadata::Image&, base::InstantMs now);
    /// When expired() may next have something to tell, if nothing is heard until then and it is
    /// ticked; nothing if no broker is in service.
    std::optional<base::InstantMs> next_expiry(const metadata::Image&, base::InstantMs now);

    /// For the decision on a heartbeat of a broker that shuts down.
    Withdrawal withdrawal(const metadata::Image&, const Broker&) const;

  private:
    struct Session {
        int64_t epoch = -1;
        base::InstantMs last = 0;  // heard; of running()
        int64_t metadata_index = 0;
        bool lost = false;
        std::optional<int64_t> withdrawn;
    };

    /// Counts the milliseconds in which this controller ran.
    base::InstantMs running(base::InstantMs now);
    base::InstantMs end_of(const metadata::Broker&) const;

    const Options options_;
    std::map<base::BrokerId, Session> sessions_;
    base::InstantMs last_call_ = 0;
    base::InstantMs running_ = 0;
    base::InstantMs began_ = 0;  // of running()
    base::BrokerId silent_ = metadata::kNoBroker;
    base::InstantMs silent_ms_ = 0;  // when it began
};

}  // namespace controller
