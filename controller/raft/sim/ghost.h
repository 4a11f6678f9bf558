#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/raft/raft.h"
#include "controller/raft/sim/disk.h"

namespace raft::sim {

/// Of every member, in each simulation.
constexpr int kElectionTicks = 10;

/// One process of a member, as the ghost watches it.
struct Node {
    std::unique_ptr<Disk> disk;
    std::unique_ptr<Raft> raft;  // none: down
    uint64_t life = 0;           // counts processes
    State state;                 // applied in memory
    std::map<Index, State> compacting;
    std::shared_ptr<const Write> out;

    // What the ghost remembers of this life.
    int64_t ticks = 0;
    Index committed = 0;
    Term led = 0;           // the term that it was last seen to lead
    Position led_last;      // its last entry then
    int64_t heard_at = -1;  // tick of the last message of a leader, of term
    Term heard_term = 0;
    std::map<Member, int64_t> contacts;  // tick of the last reply to it as the leader
    std::map<uint64_t, Index> reads;  // context → what was committed anywhere when it was asked

    Member self() const { return disk->self(); }
};

/// What must hold of all members together and over all time: the Raft invariants, by number.
///  1 one leader a term             2 one vote a term, and durable     3 terms on disk don't fall
///  4 (index, term) names a prefix  5 leaders don't overwrite          6 leaders hold all committed
///  7 one state at an index         8 committed is on a majority       9 …by an entry of the term
/// 10 committed is not cut off     11 acknowledged is durable         12 commit doesn't fall
/// 13 a crash leaves index & state 14 snapshots are of the committed  15 one configuration at a
/// time 16 pre-votes change nothing     17 no contact, no leader           18 reads are fresh 19 =
/// 8 and 11 for one voter     20 strangers have no effect        21 damage halts
/// 22 is the simulation's: what is healed goes on     23 only a removal ends a vote, or a promise
/// of one, for a node
class Ghost {
  public:
    struct Committed {
        Entry entry;
        State state;  // with it applied
    };

    const std::optional<std::string>& broken() const { return broken_; }
    void fail(const std::string& what) {
        if (!broken_) broken_ = what;
    }

    const std::vector<Committed>& committed() const { return committed_; }
    Index last() const { return static_cast<Index>(committed_.size()); }
    /// The newest committed configuration.
    const Configuration& configuration() const { return configuration_; }
    uint64_t elections() const { return leaders_.size(); }

    void founded(const Configuration& c) { configuration_ = c; }
    /// Disks outlive their members: what a lost one had promised still counts.
    void knows(const Disk& disk) { disks_[disk.self()] = &disk; }

    /// Somebody asked for that, whatever becomes of it.
    void removed(const Member& m) { removed_.insert(m); }

    void started(Node&);
    void leaves(const Message&);
    void arrives(Node&, const Message&);
    /// `granted`: it answered the pre-vote request with yes.
    void pre_voted(const Node&, Term before, bool granted);
    void writes(const Disk& before, const Write&);
    void wrote(const Disk&, const Write&);
    void ticked(Node&);
    void read(Node&, uint64_t context);
    void answered(Node&, const ReadResult&);
    void applied(const Node&, const Entry&);
    /// After every event of the node.
    void check(Node&);

  private:
    void check_committed(Node&);
    void grow(Node&, Index to);
    void check_votes(const Configuration& before);
    static std::vector<Entry> read(const Log&, Index from, Index end);
    void check_leader(Node&);
    bool holds(const Member&, Index, Term) const;
    static std::string name(const Member& m) { return "node " + std::to_string(m.id); }

    std::optional<std::string> broken_;
    std::vector<Committed> committed_;
    Configuration configuration_;
    std::set<Member> removed_;
    std::map<Term, Member> leaders_;
    std::map<std::pair<Member, Term>, Member> votes_;
    std::map<Position, uint64_t> prefixes_;  // → hash of the log up to there
    std::map<Member, const Disk*> disks_;
};

}  // namespace raft::sim
