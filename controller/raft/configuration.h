#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "controller/raft/types.h"

namespace raft {

/// Who takes part. In force on a member as soon as the entry with it is in its log, committed or
/// not (Raft thesis §4.1). One change adds or removes one voter, so that any majority of the old
/// and any of the new have a member in common.
struct Configuration {
    static constexpr size_t kMostMembers = 64;
    static constexpr size_t kMostAddressBytes = 1024;

    /// Member → address, which means nothing to Raft: it tells the others where to connect to.
    using Members = std::map<Member, std::string>;
    Members voters;
    Members learners;  // are sent the log, but have no vote, don't campaign and don't count
    /// Learners that are to vote as soon as they have caught up: whoever leads then is to promote
    /// them. Until then a promise counts for nothing, but it outlives the leader that made it.
    std::set<Member> promised = {};

    bool has_voter(const Member& m) const { return voters.contains(m); }
    bool has_learner(const Member& m) const { return learners.contains(m); }
    bool has(const Member& m) const { return has_voter(m) || has_learner(m); }
    /// Voters and learners.
    Members members() const;
    /// Of a member that takes part.
    const std::string& address(const Member&) const;
    /// The member with that id, under any incarnation; nothing if there is none.
    std::optional<Member> find_id(int32_t id) const;
    bool has_id(int32_t id) const { return find_id(id).has_value(); }
    /// Voters that make a majority.
    size_t majority() const { return voters.size() / 2 + 1; }
    bool operator==(const Configuration&) const = default;

    std::string encode() const;
    /// Nothing if the bytes are not what encode() writes: cut short, too long, above the bounds,
    /// with one id twice, or with a promise to whom it is not for.
    static std::optional<Configuration> decode(std::string_view bytes);
};

/// A controller or broker that is new: it first catches up as a learner.
struct AddLearner {
    Member member;
    std::string address;
    bool promised = false;
};
/// A learner that has caught up becomes a voter.
struct Promote {
    Member member;
};
/// A voter or learner goes, and any promise to it.
struct Remove {
    Member member;
};
/// A member whose disk is lost comes back as another one with the same id: it takes the place as a
/// learner, and is promised the vote that the old one had, or was promised. One voter less counts,
/// so any majorities of the old and the new still meet.
struct Replace {
    Member old;
    Member member;
    std::string address;
};
/// A voter or learner is reached elsewhere from now on.
struct Move {
    Member member;
    std::string address;
};
using Change = std::variant<AddLearner, Promote, Remove, Replace, Move>;

/// The configuration after the change; nothing if it doesn't fit: the id takes part already, the
/// member is not what or where it should be, it is the last voter, or a bound is exceeded.
std::optional<Configuration> changed(const Configuration&, const Change&);

}  // namespace raft
