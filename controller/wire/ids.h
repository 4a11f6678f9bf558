#pragma once
#include "controller/raft/types.h"

namespace moldau::raft::v1 {
class Member;
class Uuid;
}  // namespace moldau::raft::v1

/// Ids that proto/raft.proto and proto/controller.proto share.
namespace wire {

void put(moldau::raft::v1::Uuid& out, const base::Uuid&);
void put(moldau::raft::v1::Member& out, const raft::Member&);

/// As they are: what is absent is 0.
base::Uuid taken(const moldau::raft::v1::Uuid&);
raft::Member taken(const moldau::raft::v1::Member&);

}  // namespace wire
