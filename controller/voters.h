#pragma once
#include <map>
#include <set>
#include <string>

#include "base/function.h"
#include "base/status.h"
#include "controller/service.h"

namespace controller {

/// Who is to take part in the quorum, and is not yet as it should: what the active controller
/// changes, one step at a time, as Raft allows. That a node is to vote is a promise in the
/// configuration itself, which the next active controller keeps if this one can't. The rest is not
/// replicated: whoever wants in asks again.
class Voters {
  public:
    /// Whether the node says of itself that it is no controller; one that is not connected says
    /// nothing.
    using MereBroker = base::Function<bool(const raft::Member&)>;

    explicit Voters(std::set<int32_t> founders) : founders_(std::move(founders)) {}

    /// A node applies. `founding`: the cluster has no state yet. Afterwards step().
    /// kFailedPrecondition if a member with this id and another disk is alive.
    base::Status apply(const quorum::Quorum&, const Application&, bool founding);
    /// Asks for the next changes that can be made now. Whatever is refused is tried at the next
    /// step.
    void step(quorum::Quorum&, MereBroker);
    /// Another node leads.
    void clear() { wanted_.clear(); }

    bool all_founders_vote(const raft::Configuration&) const;

  private:
    struct Wanted {
        Application application;
        bool founder = false;
    };
    /// Whether there is nothing more to do for it.
    static bool step(quorum::Quorum&, const Wanted&);
    /// True if it was taken.
    static bool change(quorum::Quorum&, const raft::Change&, const char* what, int32_t id);

    const std::set<int32_t> founders_;
    std::map<int32_t, Wanted> wanted_;
};

}  // namespace controller
