#include "controller/voters.h"

#include <algorithm>

#include "spdlog/spdlog.h"

namespace controller {

base::Status Voters::apply(const quorum::Quorum& quorum, const Application& application,
                           bool founding) {
    const raft::Member& member = application.member;
    const auto there = quorum.raft().configuration().find_id(member.id);
    if (there && *there != member && quorum.raft().hears(*there))
        return base::precondition(
            "node " + std::to_string(member.id) +
            " is a member with another disk, and alive: two processes must not share an id");
    wanted_[member.id] = {application, founding && founders_.contains(member.id)};
    return base::ok();
}

bool Voters::change(quorum::Quorum& quorum, const raft::Change& change, const char* what,
                    int32_t id) {
    if (!quorum.change(change).ok()) return false;
    spdlog::info("node {} {}", id, what);
    return true;
}

bool Voters::step(quorum::Quorum& quorum, const Wanted& wanted) {
    const auto& configuration = quorum.raft().configuration();
    const auto& [member, address, controller] = wanted.application;
    const auto there = configuration.find_id(member.id);
    if (there && *there != member) {
        if (quorum.raft().hears(*there)) return false;
        // At once, so that no other leader finds it half done. A mere broker gets no vote.
        if (controller)
            change(quorum, raft::Replace{*there, member, address},
                   "has another disk now, and is taken in anew", member.id);
        else change(quorum, raft::Remove{*there}, "lost its disk, and is taken out", member.id);
        return false;
    }
    if (!there) {
        change(quorum, raft::AddLearner{member, address, wanted.founder}, "is taken in", member.id);
        return false;
    }
    if (configuration.address(member) == address) return true;
    change(quorum, raft::Move{member, address}, "is reached elsewhere now", member.id);
    return false;
}

void Voters::step(quorum::Quorum& quorum, MereBroker is_mere_broker) {
    // A change may end the leadership, which clears the list.
    for (const auto& [id, wanted] : std::map(wanted_))
        if (quorum.standing().active && step(quorum, wanted)) wanted_.erase(id);
    for (const auto& member : std::set(quorum.raft().configuration().promised))
        if (quorum.standing().active && !is_mere_broker(member))
            change(quorum, raft::Promote{member}, "has caught up, and votes", member.id);
}

bool Voters::all_founders_vote(const raft::Configuration& configuration) const {
    return std::all_of(founders_.begin(), founders_.end(), [&](int32_t id) {
        return std::any_of(configuration.voters.begin(), configuration.voters.end(),
                           [&](const auto& v) { return v.first.id == id; });
    });
}

}  // namespace controller
