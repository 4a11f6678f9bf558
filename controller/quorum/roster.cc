#include "controller/quorum/roster.h"

#include <algorithm>
#include <string>

namespace quorum {

namespace {

std::string name(int32_t id) { return "controller " + std::to_string(id); }

base::Status admits_sender(const Roster& roster, const raft::Member& from) {
    if (roster.open || roster.members.contains(from)) return base::ok();
    const auto known =
        std::ranges::find(roster.members, from.id, [](const auto& row) { return row.first.id; });
    if (known == roster.members.end())
        return absl::PermissionDeniedError(name(from.id) + " is not a member");
    return absl::AbortedError(name(from.id) + " is known with incarnation " +
                              known->first.incarnation.to_string() + ", not " +
                              from.incarnation.to_string());
}

}  // namespace

base::Status admits(const Roster& roster, const base::Uuid& cluster, const raft::Member& self,
                    const Hello& hello) {
    const auto& [theirs, from, to] = hello.link;
    if (hello.version != kProtocolVersion)
        return base::precondition("protocol version " + std::to_string(hello.version) +
                                  "; this node speaks " + std::to_string(kProtocolVersion));
    if (theirs != cluster)
        return base::precondition("this node is of cluster " + cluster.to_string() + ", not " +
                                  theirs.to_string());
    if (to.id != self.id)
        return base::precondition("this is " + name(self.id) + ", not " + std::to_string(to.id));
    if (to != self)
        return absl::AbortedError(name(self.id) + " has incarnation " +
                                  self.incarnation.to_string() + ", not " +
                                  to.incarnation.to_string());
    if (from.id == self.id)
        return absl::PermissionDeniedError("this node itself is " + name(self.id));
    return admits_sender(roster, from);
}

}  // namespace quorum
