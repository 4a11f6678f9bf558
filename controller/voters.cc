#include "controller/voters.h"

#include <algorithm>

namespace controller {

namespace {

/// The member with that id, whatever its disk; nothing if there is none.
std::optional<raft::Member> find_id(const raft::Configuration& configuration, int32_t id) {
    for (const auto& [member, address] : configuration.members())
        if (member.id == id) return member;
    return std::nullopt;
}

}  // namespace

base::Status Voters::apply(const quorum::Quorum& quorum, const Application& application,
                           bool founding) {
    const auto& configuration = quorum.raft().configuration();
    const raft::Member& member = application.member;
    const auto there = find_id(configuration, member.id);
    const bool another = there && *there != member;
    if (another && quorum.raft().hears(*there))
        return base::precondition(
            "node " + std::to_string(member.id) +
            " is a member with another disk, and alive: two processes must not share an id");
    const bool replaces_voter =
        application.controller && another && configuration.has_voter(*there);
    const auto known = wanted_.find(member.id);
    const bool was_to_vote =
        known != wanted_.end() && known->second.member == member && known->second.votes;
    wanted_[member.id] = {
        member, application.address,
        was_to_vote || replaces_voter || (founding && founders_.contains(member.id))};
    return base::ok();
}

void Voters::promote(const raft::Member& member) { wanted_[member.id] = {member, "", true}; }

bool Voters::step(quorum::Quorum& quorum, const Wanted& wanted) {
    const auto& configuration = quorum.raft().configuration();
    if (const auto there = find_id(configuration, wanted.member.id);
        there && *there != wanted.member) {
        if (!quorum.raft().hears(*there)) (void)quorum.change(raft::Remove{*there});
        return false;
    }
    if (!configuration.has(wanted.member)) {
        // Promoted by an operator, and gone since.
        if (wanted.address.empty()) return true;
        (void)quorum.change(raft::AddLearner{wanted.member, wanted.address});
        return false;
    }
    if (!wanted.address.empty() && configuration.address(wanted.member) != wanted.address) {
        (void)quorum.change(raft::Move{wanted.member, wanted.address});
        return false;
    }
    if (!wanted.votes || configuration.has_voter(wanted.member)) return true;
    (void)quorum.change(raft::Promote{wanted.member});
    return false;
}

void Voters::step(quorum::Quorum& quorum) {
    // A change may end the leadership, which clears the list.
    for (const auto& [id, wanted] : std::map(wanted_))
        if (quorum.standing().active && step(quorum, wanted)) wanted_.erase(id);
}

bool Voters::all_founders_vote(const raft::Configuration& configuration) const {
    return std::all_of(founders_.begin(), founders_.end(), [&](int32_t id) {
        return std::any_of(configuration.voters.begin(), configuration.voters.end(),
                           [&](const auto& v) { return v.first.id == id; });
    });
}

}  // namespace controller
