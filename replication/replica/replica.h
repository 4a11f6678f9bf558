#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "replication/replica/local_log.h"
#include "replication/replica/message.h"
#include "replication/replica/types.h"

namespace replica {

struct Options {
    /// acks=all means "on the disk of every in-sync replica"; false (write.caching): "in its
    /// memory".
    bool durable = true;
    /// A follower that has not been at the leader's end for so long leaves the ISR
    /// (replica.lag.time.max.ms).
    InstantMs lag_max_ms = 30'000;
    /// And sooner one that no stream leads to: only the way between the two may be cut, and then
    /// the controller does not notice.
    InstantMs lost_max_ms = 3'000;
    /// So long a high watermark waits for a follower that is about to join the ISR; it could never
    /// catch up with one that always runs ahead.
    InstantMs join_wait_ms = 500;
    /// Unanswered, an Attach or a proposal is sent again after this.
    InstantMs retry_ms = 1'000;
};

/// A change of the ISR, for the controller (AlterPartition). It is no longer recovering with it.
struct Proposal {
    struct Member {
        BrokerId id = kNobody;
        int64_t broker_epoch = -1;  // of the process that is in sync (KIP-903)

        bool operator==(const Member&) const = default;
    };
    uint64_t number = 0;  // names it in the answer; stays when it is sent again
    LeaderEpoch epoch = -1;
    int32_t version = -1;  // of the row that it changes: taken only if that is still the newest
    int64_t broker_epoch = -1;  // of the leader
    /// Without the leader, if it resigns: then the ISR as it is but for itself, and one of those or
    /// of the ELR is to lead.
    std::vector<Member> isr;

    bool operator==(const Proposal&) const = default;
};

/// What the controller said to a proposal.
enum class Answer {
    taken,       // 0, 108: the row follows with the metadata
    ineligible,  // 107
    stale,       // 3, 42, 74, 77, 95, 100, 102: the row has changed, perhaps by the same proposal
    unknown      // 41, 55, or none: it may have been taken, and may still be
};

/// What a follower has to do with its log before anything else, and report by cut_done().
/// With it goes back a high watermark that is stored: after a restart it would show records of
/// which nobody knows yet whether they are committed.
struct Cut {
    Offset to = 0;
    bool restart = false;  // drop everything and begin at `to`; otherwise truncate to it

    bool operator==(const Cut&) const = default;
};

struct Outgoing {
    BrokerId to = kNobody;
    Message message;
};

/// What the shell owes after an event, in this order.
struct Effects {
    /// A new epoch or no role any more. Produces that wait fail with 6, streams end; a leader notes
    /// the begin of its epoch in the log before anything else; whatever a restart has left unsynced
    /// is synced.
    bool role_changed = false;
    /// The ISR has become too small: acks=all that wait are answered with 20.
    bool too_few_in_sync = false;
    std::optional<Cut> cut;
    /// The leader has deleted what is before: the log starts here now.
    std::optional<Offset> start;
    /// Moved here: what waited for it is complete, followers and checkpoints are to be told.
    std::optional<Offset> high_watermark;
    /// The records of the Offer are the next: append them as they are, then call taken().
    bool append = false;
    std::optional<Proposal> propose;
    /// Streams of records to these followers end. (One begins with an AttachReply that accepts.)
    std::vector<BrokerId> detached;
    std::vector<Outgoing> send;
};

/// One replica of one partition: who leads, who is in sync, how far the data is safe. Pure: events
/// in, effects out; no clock, disk or network. The rules are Kafka's (KIP-101, 279, 497, 841, 903,
/// 966), with records pushed to followers and acknowledged instead of fetched, and:
///
///  - The safe end of a replica is what it has on disk, or with write.caching in memory. The high
///    watermark is the smallest safe end of the maximal ISR, which may be larger than the row's:
///    all who are in it by a proposal that may have been taken, or may yet be.
///  - It stands still while the row's ISR is smaller than min.insync.replicas. Then whoever leaves
///    the ISR still holds everything that is committed, and may lead (the ELR).
///  - Only the row shrinks the maximal ISR, never an answer: a copy of what was refused may be
///    taken yet. What the controller has refused is followed by a proposal of the ISR as it is,
///    which makes a new row.
///  - Nobody counts but in the process that the metadata knows: a process that came back may have
///    lost what the one before it had acknowledged.
class Replica {
  public:
    /// Which process of which broker this is. An epoch of -1: not registered yet.
    struct Self {
        BrokerId id = kNobody;
        int64_t epoch = -1;
    };
    /// `log` outlives this. `high_watermark`: as stored before the restart.
    Replica(Self, Options, const LocalLog& log, Offset high_watermark);

    // ---------------------------------------------------------------------------- the metadata
    /// Follows an image; images come in their order. To be told when the row, the minimum or one of
    /// these brokers has changed. Nothing happens as long as they don't know this process.
    Effects assign(const Assignment&, InstantMs now);
    /// This process was registered anew.
    Effects registered(int64_t epoch);
    Effects set_options(const Options&, InstantMs now);
    Effects answered(uint64_t proposal, Answer, InstantMs now);

    // ------------------------------------------------------------------------- this broker's log
    /// Its end, its start or its synced end moved.
    Effects log_moved(InstantMs now);
    Effects cut_done(InstantMs now);
    /// A write or a sync failed. No part in anything until the process starts anew; it resigns.
    Effects log_failed(InstantMs now);
    /// Whether it can do its part, as it can at first. One that can't leads only until another one
    /// does, for which it asks (it resigns), and follows nobody.
    Effects set_fit(bool, InstantMs now);
    /// Whether its disk takes nothing more, though what is there is whole. It follows nobody until
    /// there is room; as the leader it resigns while enough are in sync without it.
    Effects set_full(bool, InstantMs now);

    // ------------------------------------------------------------------------------ as the leader
    Effects attach(const Attach&, InstantMs now);
    Effects acknowledged(const Acknowledgement&, InstantMs now);
    /// The stream to it broke: records sent may be lost.
    Effects follower_lost(BrokerId);
    /// What goes before records that begin at `from`; for a follower that is attached.
    Offer offer(BrokerId to, Offset from) const;

    // ---------------------------------------------------------------------------- as a follower
    Effects attach_answered(const AttachReply&, InstantMs now);
    Effects offered(const Offer&, InstantMs now);
    /// The records of that Offer, if there were any, are in the log.
    Effects taken(const Offer&);
    /// The stream to the leader broke, or stands anew.
    Effects leader_lost(InstantMs now);

    /// Every few hundred milliseconds.
    Effects tick(InstantMs now);

    // ---------------------------------------------------------------------------------- state
    bool leading() const { return std::holds_alternative<Leader>(role_); }
    /// A follower that has been accepted: its log is a part of its leader's.
    bool following() const;
    /// How far a follower's log is behind what its leader says is committed.
    Offset lag() const;
    /// Leading with |ISR| >= min(min.insync.replicas, replicas): acks=all may be taken. (19)
    bool enough_in_sync() const;
    const Row& row() const { return row_; }
    LeaderEpoch epoch() const { return row_.epoch; }
    /// Everything before is committed, and may be read. It never goes back, but where an unclean
    /// election cut the log.
    Offset high_watermark() const { return high_watermark_; }
    /// Whether a new leader knows a high watermark of its own epoch; ListOffsets answers 78 before.
    bool knows_committed() const;
    /// Where this leader's epoch began. Leaders only.
    Offset epoch_start() const { return std::get<Leader>(role_).epoch_start; }
    /// All who may be in the ISR. Leaders only.
    std::vector<BrokerId> maximal_isr() const;
    bool attached(BrokerId) const;
    /// As far as a follower is known to have the log, in this epoch; -1: not known.
    std::pair<Offset, Offset> held_and_synced(BrokerId) const;

  private:
    /// A leader's view of another replica.
    struct Peer {
        BrokerId id = kNobody;
        bool in_isr = false;    // by the row
        bool proposed = false;  // may be in it, by a proposal
        bool attached = false;
        bool left = false;          // because it can't do its part
        int64_t broker_epoch = -1;  // that attached last
        uint64_t session = 0;       // the newest
        Offset held = -1;
        Offset synced = -1;
        /// When it was last known to have all there was. To find that out, the end of the log is
        /// marked now and then, and the time: it had all there was then once it gets there.
        std::optional<InstantMs> caught_up;
        Offset mark = 0;
        InstantMs marked_at = 0;
    };
    struct Pending {
        Proposal proposal;
        InstantMs sent_at = 0;
    };
    struct Leader {
        Offset epoch_start = 0;
        Offset end = 0;  // as the log was when it last moved
        std::vector<Peer> peers;
        std::optional<Pending> pending;  // at most one, sent again until the row answers
        InstantMs propose_from = 0;      // not before
    };
    struct Follower {
        enum State { asking, cutting, following };
        State state = asking;
        uint64_t session = 0;
        InstantMs asked_at = 0;
        Offset reported = 0;  // the leader's high watermark
        Offset told_held = -1;
        Offset told_synced = -1;
    };
    struct Idle {};  // no replica, no leader, not registered, not fit, full, or failed

    // replica.cc
    void take_role(Effects&, InstantMs now);
    void step_aside(Effects&);
    void fitness_changed(Effects&, InstantMs now);
    bool fit() const { return fit_ && !failed_; }
    bool may_follow() const { return fit() && !full_; }
    /// Whether another one should lead in its place, where it is named as the leader.
    bool gives_up() const { return !fit() || (full_ && row_.isr.size() > least_in_sync()); }
    size_t least_in_sync() const;
    const Broker* known(BrokerId) const;
    /// Whether the broker's registration is still that one.
    bool is_process(BrokerId, int64_t epoch) const;

    // leader.cc
    void lead(InstantMs now);
    void follow_row(Leader&, bool changed, Effects&);
    void detach(Peer&, Effects&);
    struct Verdict {
        bool early = false;  // the follower knows more of the metadata: it waits
        AttachReply reply;
    };
    Verdict judge(const Attach&) const;
    void take(const Attach&, Effects&, InstantMs now);
    void progressed(Leader&, Peer&, InstantMs now);
    Offset safe_end(const Peer& p) const { return options_.durable ? p.synced : p.held; }
    Offset own_safe_end() const { return options_.durable ? log_.synced() : log_.end(); }
    void advance(Leader&, Effects&, InstantMs now);
    bool awaited(const Peer&, InstantMs now) const;

    // in_sync.cc
    bool may_join(const Leader&, const Peer&) const;
    bool lags(const Leader&, const Peer&, InstantMs now) const;
    bool belongs(const Leader&, const Peer&, InstantMs now) const;
    void review(Leader&, Effects&, InstantMs now);
    Proposal proposal_of(const std::vector<BrokerId>& isr);
    void propose(Leader&, const std::vector<BrokerId>& isr, Effects&, InstantMs now);
    void send_again(Leader&, Effects&, InstantMs now);
    void resign(Effects&, InstantMs now);

    // follower.cc
    void ask(Follower&, Effects&, InstantMs now);
    Attach attach_in(uint64_t session) const;
    void leave(Effects&);
    void cut(Follower&, Cut, Effects&);
    void start_at(Offset, Effects&);
    void keep_up(Follower&, Effects&);

    Self self_;
    Options options_;
    const LocalLog& log_;
    bool failed_ = false;
    bool fit_ = true;
    bool full_ = false;

    Row row_;
    int min_isr_ = 1;
    std::map<BrokerId, Broker> brokers_;
    Offset high_watermark_;
    std::variant<Idle, Leader, Follower> role_;
    std::vector<Attach> early_;  // of each follower at most one
    uint64_t sessions_ = 0;
    uint64_t proposals_ = 0;
    std::optional<std::pair<int32_t, InstantMs>> resigned_;  // which row's leadership, and when
};

}  // namespace replica
