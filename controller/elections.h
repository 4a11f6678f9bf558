#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "controller/decision.h"
#include "kafka/messages/elect_leaders.h"

namespace controller {

using Alive = std::function<bool(base::BrokerId)>;

/// The options of topics that elections go by. Looks each topic's up once where it has none of its
/// own, as a decision may touch thousands of topics.
class TopicRules {
  public:
    explicit TopicRules(const State&);

    /// min.insync.replicas, which may be larger than the partition has replicas.
    int min_isr(const metadata::Topic&) const;
    /// Whether a replica may lead that perhaps lacks acknowledged records.
    bool unclean_elections(const metadata::Topic&) const;
    /// Whether a partition's recovery after an unclean election can be written down.
    bool records_recovery() const { return records_recovery_; }
    /// See metadata::Broker.
    bool has_new_disk(base::BrokerId) const;

  private:
    const metadata::Image& image_;
    metadata::ConfigView configs_;
    int min_isr_;
    bool unclean_;
    bool records_recovery_;
};

enum class Election { clean, preferred, unclean };

/// How a partition is to change, before its elections: begins as it is.
struct Change {
    explicit Change(const metadata::Partition& p)
        : replicas(p.replicas),
          isr(p.isr),
          adding(p.adding_replicas),
          removing(p.removing_replicas),
          recovering(p.recovering) {}

    std::vector<base::BrokerId> replicas, isr, adding, removing;
    bool recovering;
    /// A broker that may have lost what it had not synced: it leaves the ELR too.
    base::BrokerId unclean = metadata::kNoBroker;
    /// That broker has nothing at all any more: it isn't the last known leader either.
    bool blank = false;
    Election election = Election::clean;
};

/// Where a change leads (KIP-966): a reassignment is completed once those that are added are in
/// sync and |ISR| stays at min.insync.replicas without those that go; whoever leaves an ISR that is
/// smaller than that joins the ELR, which is empty otherwise; and somebody is elected:
///   1. with Election::preferred the first replica, if it is in the ISR or the ELR and alive;
///   2. who leads now, if in the ISR or the ELR and alive;
///   3. the first replica in the ISR that is alive, or else in the ELR;
///   4. with ISR and ELR empty, the last known leader if alive: unclean;
///   5. with Election::unclean whoever is alive, unclean: the last known leader, or else the first
///      replica, but one whose disk is new only where there is no other;
///   6. nobody.
/// An unclean leader is alone in the ISR, with nobody in the ELR, and the partition is recovering.
/// The leader epoch rises with a change of leader and where a reassignment ends a replica.
metadata::Partition decide(const metadata::Partition&, Change, const metadata::Topic&,
                           const TopicRules&, const Alive&);

/// The record that makes `from` to `to`, if they differ.
std::optional<v1::Record> change_record(const base::TopicId&, const metadata::Partition& from,
                                        const metadata::Partition& to);

/// A broker that comes or goes.
struct Shift {
    base::BrokerId broker = metadata::kNoBroker;
    enum Kind {
        joins,           // may lead from now on: where nobody leads, an election
        leaves,          // leaves all ISRs; may lead no more
        leaves_unclean,  // and the ELRs, but of partitions that have no other replica
        leaves_blank     // and is no last known leader: its disk is another one
    } kind = joins;
};

/// The changes of all partitions that follow from it, where the caller adds the broker's own
/// record; `most` at most, those it leads first. Looks at every partition once.
Records shift(const State&, const Shift&, size_t most = SIZE_MAX);

/// Whether it leads any partition.
bool leads(const metadata::Image&, base::BrokerId);

/// Whether some partition that it is in sync of would go on without it: others that are in sync
/// could lead, and be enough for acks=all.
bool is_spared(const State&, base::BrokerId);

/// Elects leaders of partitions, or of all (KIP-460), each on its own: 3 if unknown, 84 if the
/// preferred one leads already or (unclean) anybody leads, 80 and 83 if who should lead can't; 42
/// for a kind of election that there is not. Where all are asked for, those with 84 are left out.
Decision<kafka::ElectLeadersResponse> elect_leaders(const State&,
                                                    const kafka::ElectLeadersRequest&);

/// For decisions that may lower a min.insync.replicas: adds to their records what makes partitions
/// forget an ELR that their ISR, now large enough, has no need of.
void forget_elr(const State&, Records&);

}  // namespace controller
