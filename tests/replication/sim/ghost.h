#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/replication/sim/metadata.h"
#include "tests/replication/sim/node.h"

namespace replica::sim {

/// What must hold of all replicas together and over all time: the invariants of a replicated
/// partition, by number.
///  1 the sets of the row fit           2 ISR and ELR have all that is committed, and with fsync on
///  3 so has a leader                     their disks
///  4 maximal ISR ⊇ the row's           5 the high watermark: enough in sync, and all of them
///  6 who joins has all                 7 after an unclean restart out of ISR, ELR, leadership
///  8, 9, 10 below its high watermark everybody has what is committed, and that never changes
/// 11 what is committed is not cut     12 one leader an epoch; epochs don't fall
/// 13 the row changes by its version   14 ISR and ELR empty: no leader
/// 15 acknowledged is committed, and with fsync on min ISR disks
/// 16 no value twice, and in order     17 nothing is appended after a failure
/// 18 a move leaves min ISR in sync    19 (end) all have all
class Ghost {
  public:
    using Nodes = std::map<BrokerId, Node>;
    Ghost(Nodes& nodes, const Metadata& metadata, bool durable)
        : nodes_(nodes), metadata_(metadata), durable_(durable) {}

    const std::optional<std::string>& broken() const { return broken_; }
    void fail(const std::string& what) {
        if (!broken_) broken_ = what;
    }
    const std::vector<Record>& committed() const { return committed_; }
    Offset last() const { return static_cast<Offset>(committed_.size()); }

    /// An entry of the metadata log; the row was so before.
    void decided(const metadata::Partition& before);
    /// A process was registered; `clean`: it had stopped in an orderly way.
    void enrolled(BrokerId, bool clean);
    /// The leader's high watermark moved.
    void advanced(Node&);
    void acknowledged(const Node&, const Waiting&);
    void cuts(const Node&, const Cut&);
    void took_role(Node&);
    /// After every event.
    void check();

    uint64_t elections = 0, unclean = 0, acks = 0, losses = 0, truncations = 0;

  private:
    void check_row(const metadata::Partition& before, const metadata::Partition& now);
    void lead_uncleanly(BrokerId);
    void lose_all_but(Offset end, const Node& leader);
    void adopt(Node&);
    void count(const Node& leader);
    void compare(Node&);
    void check_member(const Node&, const char* what);
    bool as_its_leader(const Node&) const;
    void check_node(Node&);
    /// What it has for good: on its disk, or with write.caching in memory.
    Offset safely(const Node&) const;
    bool unknown_to(const Node& leader, const Node&) const;
    static std::string name(BrokerId id) { return "broker " + std::to_string(id.value); }

    Nodes& nodes_;
    const Metadata& metadata_;
    const bool durable_;
    std::optional<std::string> broken_;
    std::vector<Record> committed_;
    std::map<uint64_t, int64_t> sequences_;  // of each producer, the last one committed
    std::map<LeaderEpoch, BrokerId> leaders_;
    LeaderEpoch unclean_epoch_ = -1;  // of the last unclean leader
    /// What was committed up to here was lost. Who has it still, as its leader does, may show it.
    Offset lost_ = 0;
};

}  // namespace replica::sim
