#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/expected.h"
#include "base/status.h"
#include "controller/raft/configuration.h"
#include "controller/raft/log.h"
#include "controller/raft/message.h"
#include "controller/raft/pending.h"
#include "controller/raft/progress.h"
#include "controller/raft/random.h"
#include "controller/raft/reads.h"
#include "controller/raft/storage.h"
#include "controller/raft/types.h"

namespace raft {

struct Options {
    Member self;
    base::Uuid cluster;

    /// A follower that hears no leader for this many ticks, up to twice as many, campaigns; a
    /// leader that hears no majority for so long steps down.
    int election_ticks = 10;
    int heartbeat_ticks = 2;
    /// A leader whose disk has not finished a write for so long steps down, if others could lead,
    /// and nobody campaigns while its disk is so; 0: however long.
    int stalled_write_ticks = 0;

    size_t most_append_bytes = 1 << 20;  // in one message, but always one entry
    size_t most_append_entries = 1024;
    size_t most_bytes_in_flight = 4 << 20;  // to one member, not acknowledged
    size_t most_appends_in_flight = 64;
    size_t most_entry_bytes = 16 << 20;
    size_t most_uncommitted_bytes = 64 << 20;  // a slow majority: beyond this proposals are refused
    size_t most_log_bytes_in_memory = 16 << 20;  // of what is committed and durable
    size_t most_reads = 10'000;                  // that wait
};

/// Why something was not taken.
enum class Refusal {
    not_leader,
    transferring,       // leadership is on its way to another member
    too_large,          // the entry
    too_much_waiting,   // uncommitted bytes, or reads
    change_pending,     // a configuration is not committed yet, or the leader's first entry
    impossible_change,  // it does not fit the configuration
    not_caught_up,      // the learner to promote, or the member to transfer to, lags behind
    would_lose_quorum,  // too few voters that would remain answer
    halted,
};

/// One member of a Raft group (Ongaro, "Consensus: Bridging Theory and Practice", 2014), with
/// pre-vote, check-quorum, learners, changes of one voter at a time, snapshots, read index and
/// leadership transfer. Pure: ticks, messages and proposals come in; one write at a time, messages,
/// committed entries and confirmed reads are taken out. After every call that comes in:
///
///     for (auto& m : raft.take_messages()) send(m);
///     if (auto w = raft.take_write()) write(*w);   // durable, in one batch; then raft.written(),
///                                                  // then send w->then_send
///     apply(raft.to_apply(applied, bytes));        // and answer raft.take_reads()
///
/// Every promise (a vote, that entries are held) is in the `then_send` of the write that it relies
/// on, so it can't leave early. Messages may be lost, repeated, late and in any order.
///
/// A message that is for another cluster or incarnation, or fails check(), is ignored. One that is
/// *from* an incarnation that the configuration doesn't know counts for nothing: no vote, no
/// acknowledgement.
class Raft {
  public:
    /// `storage` outlives this. A log that can't be read halts at once: see failure().
    Raft(Options, Stored, const Storage& storage, uint64_t seed);

    // ------------------------------------------------------------------------------------ inputs
    void tick();
    /// In how many ticks the next one sends something, at the soonest: 1 or more. Those before it
    /// may be given late and together, but before a message comes in; all that they may do is to
    /// end a leadership.
    int64_t ticks_until_due() const;
    void step(Message);

    /// Appends an entry to the leader's log. It is in force once committed at that index *in that
    /// term*; it is lost once another term's entry is committed there.
    base::Expected<Position, Refusal> propose(std::string data);
    base::Expected<Position, Refusal> change(const Change&);
    /// Answered by take_reads(), after a majority has confirmed that this member still leads, and
    /// not before it has committed an entry of its own term. `context` comes back with it.
    std::optional<Refusal> read(uint64_t context);
    /// Hands leadership to a voter that has caught up; proposals are refused meanwhile. Given up
    /// after election_ticks. Nothing: it has begun.
    std::optional<Refusal> transfer(const Member& to);

    /// The process of that member seems to be gone: nobody listens where it did. A follower of it
    /// does not wait for its silence. If that is wrong, it is no more than a timer that ran out
    /// early.
    void gone(const Member& leader);

    /// The write that was taken is durable.
    void written();
    /// A write failed. What the disk has now is unknown, and a sync that failed is never retried:
    /// Raft halts here until the process starts anew.
    void halt(base::Status why);
    /// The state as it was at `index`, which is applied here, becomes the snapshot, with the next
    /// write; the log up to there goes.
    void compact(Index index);

    // ----------------------------------------------------------------------------------- effects
    std::vector<Message> take_messages();
    std::optional<Write> take_write();
    std::vector<ReadResult> take_reads() { return std::exchange(read_results_, {}); }
    /// The committed entries after `applied` that are durable here too; the first one's index is
    /// applied + 1. Empty as well while a snapshot is being installed: when a write with `install`
    /// is durable, the state is the snapshot, and applied its index.
    std::vector<Entry> to_apply(Index applied, size_t most_bytes);

    // ------------------------------------------------------------------------------------- state
    Term term() const { return state_.term; }
    bool leads() const { return failure_.ok() && std::holds_alternative<Leader>(role_); }
    /// Who leads in this term, as far as is known; itself too.
    std::optional<Member> leader() const;
    Index committed() const { return committed_; }
    const Log& log() const { return log_; }
    const Configuration& configuration() const { return log_.configuration(); }
    /// kUnavailable or kDataLoss, after which nothing is taken in or given out any more.
    const base::Status& failure() const { return failure_; }
    /// A leader's view of the others.
    struct Peer {
        Member member;
        Index match = 0;
        int64_t silent_ticks = 0;
    };
    std::vector<Peer> peers() const;
    /// Whether this member leads, and has heard that one within the time of an election, or not led
    /// for so long.
    bool hears(const Member&) const;
    /// The oldest snapshot that is being sent to anyone: it should stay readable.
    std::optional<Index> snapshot_in_use() const;

  private:
    struct Follower {
        std::optional<Member> leader;
    };
    struct Candidate {
        bool pre = true;
        bool forced = false;
        std::map<Member, bool> votes;  // of the others; its own counts once it is durable
    };
    struct Transfer {
        Member to;
        int64_t until = 0;  // tick
    };
    struct Leader {
        std::map<Member, Progress> peers;
        ReadRounds reads;
        std::optional<Transfer> transfer;
        size_t uncommitted_bytes = 0;
    };
    struct Receiving {  // a snapshot, from a leader in its term
        Member from;
        Term term = 0;
        SnapshotInfo snapshot;
        uint32_t next = 0;
    };
    using Body = decltype(Message::body);

    // raft.cc
    base::Status open(const Stored&);
    bool admits(const Message&);
    void answer_stale(const Message&);
    void become_follower(Term, std::optional<Member> leader);
    void follow(const Member& leader);
    void commit_to(Index);
    Message message(const Member& to, Term, Body) const;
    void send(const Member& to, Body);
    void promise(const Member& to, Body);
    bool self_votes() const { return configuration().has_voter(options_.self); }
    bool stalled() const;

    // election.cc
    void restart_election_timer();
    bool may_campaign() const;
    void campaign(bool pre, bool forced);
    void count_votes();
    void become_leader();
    bool heard_leader() const;
    void on(const Message&, const VoteRequest&);
    void on(const Message&, const VoteReply&);
    void on(const Message&, const TimeoutNow&);

    // follower.cc
    void on(const Message&, const Append&);
    void append_new(Index prev, const std::vector<Entry>&, size_t from);
    void on(const Message&, const Heartbeat&);
    void on(const Message&, const SnapshotChunk&);
    void refuse_snapshot(const Message&, const SnapshotChunk&);
    void install(const SnapshotInfo&);

    // leader.cc
    void tick_leader(Leader&);
    Position append_own(Leader&, EntryKind, std::string data);
    std::optional<Refusal> refuses_proposals() const;
    void broadcast_append(Leader&);
    void broadcast_heartbeat(Leader&);
    void send_appends(const Member&, Progress&);
    bool may_send(const Progress&) const;
    bool send_append(const Member&, Progress&);
    void send_commit(const Member&, Progress&);
    void begin_snapshot(const Member&, Progress&);
    void send_chunk(const Member&, Progress&);
    void on(const Message&, const AppendReply&);
    void on(const Message&, const HeartbeatReply&);
    void on(const Message&, const SnapshotReply&);
    void refused(const Member&, Progress&, const AppendReply&);
    void advance(Leader&);

    // membership.cc
    void configuration_appended(Leader&);
    void step_down_if_removed(Leader&);
    std::optional<Refusal> refuses_change(const Leader&, const Change&,
                                          const std::optional<Configuration>& next) const;
    bool heard_recently(const Leader&, const Member&) const;

    // requests.cc
    void serve_reads(Leader&);
    void continue_transfer(Leader&);
    bool committed_in_term() const { return log_.term_at(committed_) == state_.term; }

    const Options options_;
    const Storage& storage_;
    Random random_;
    base::Status failure_;

    HardState state_;
    Log log_;
    Index committed_;
    Pending pending_;
    std::optional<Receiving> receiving_;

    std::variant<Follower, Candidate, Leader> role_{Follower{}};
    int64_t now_ = 0;      // ticks since the start
    int64_t elapsed_ = 0;  // ticks since a leader was heard, a vote given or a campaign begun
    int64_t timeout_ = 0;
    int64_t write_since_ = 0;  // tick at which the write that is out was taken

    std::vector<Message> messages_;
    std::vector<ReadResult> read_results_;
};

}  // namespace raft
