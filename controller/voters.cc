#include "controller/voters.h"

#include <algorithm>

namespace controller {

namespace {

/// The member with that id, whatever its disk; nothing if there is none.
const raft::Member* find_id(const raft::Configuration& configuration, int32_t id) {
    for (const auto* members : {&configuration.voters, &configuration.learners})
        for (const auto& [member, address] : *members)
            if (member.id == id) return &member;
    return nullptr;
}

/// Whether the leader has heard it within the time of an election; or leads for less than that.
bool alive(const quorum::Quorum& quorum, const raft::Member& member) {
    constexpr int64_t silent_ticks = 12;
    if (quorum.standing().leader == member) return true;
    const auto peers = quorum.raft().peers();
    return std::any_of(peers.begin(), peers.end(), [&](const auto& p) {
        return p.member == member && p.silent_ticks < silent_ticks;
    });
}

}  // namespace

base::Status Voters::apply(const quorum::Quorum& quorum, const Application& application,
                           bool founding) {
    const auto& configuration = quorum.raft().configuration();
    const raft::Member& member = application.member;
    const raft::Member* there = find_id(configuration, member.id);
    if (there != nullptr && *there != member && alive(quorum, *there))
        return base::precondition(
            "node " + std::to_string(member.id) +
            " is a member with another disk, and alive: two processes must not share an id");
    const bool replaces_voter = application.controller && there != nullptr && *there != member &&
                                configuration.has_voter(*there);
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
    if (const auto* there = find_id(configuration, wanted.member.id);
        there != nullptr && *there != wanted.member) {
        if (!alive(quorum, *there)) (void)quorum.change(raft::Remove{*there});
        return false;
    }
    if (!configuration.has(wanted.member)) {
        // Promoted by an operator, and gone since.
        if (wanted.address.empty()) return true;
        (void)quorum.change(raft::AddLearner{wanted.member, wanted.address});
        return false;
    }
    if (!wanted.votes || configuration.has_voter(wanted.member)) return true;
    (void)quorum.change(raft::Promote{wanted.member});
    return false;
}

void Voters::step(quorum::Quorum& quorum) {
    std::erase_if(wanted_, [&](const auto& w) { return step(quorum, w.second); });
}

bool Voters::all_founders_vote(const raft::Configuration& configuration) const {
    return std::all_of(founders_.begin(), founders_.end(), [&](int32_t id) {
        return std::any_of(configuration.voters.begin(), configuration.voters.end(),
                           [&](const auto& v) { return v.first.id == id; });
    });
}

}  // namespace controller
