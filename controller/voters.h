#pragma once
#include <map>
#include <set>
#include <string>

#include "base/status.h"
#include "controller/service.h"

namespace controller {

/// Who is to take part in the quorum, and is not yet as it should: the active controller's list of
/// what it changes, one step at a time, as Raft allows. Not replicated: whoever wants in asks
/// again.
class Voters {
  public:
    explicit Voters(std::set<int32_t> founders) : founders_(std::move(founders)) {}

    /// A node applies. `founding`: the cluster has no state yet. Afterwards step().
    /// kFailedPrecondition if a member with this id and another disk is alive.
    base::Status apply(const quorum::Quorum&, const Application&, bool founding);
    /// An operator wants a learner to vote.
    void promote(const raft::Member&);
    /// Asks for the next changes that can be made now. Whatever is refused is tried at the next
    /// step.
    void step(quorum::Quorum&);
    /// Another node leads.
    void clear() { wanted_.clear(); }

    bool all_founders_vote(const raft::Configuration&) const;

  private:
    struct Wanted {
        raft::Member member;
        std::string address;
        bool votes = false;
    };
    /// Whether there is nothing more to do for it.
    static bool step(quorum::Quorum&, const Wanted&);

    const std::set<int32_t> founders_;
    std::map<int32_t, Wanted> wanted_;
};

}  // namespace controller
