#include "controller/wire/ids.h"

#include "proto/raft.pb.h"

namespace wire {

namespace v1 = moldau::raft::v1;

void put(v1::Uuid& out, const base::Uuid& uuid) {
    out.set_hi(uuid.hi);
    out.set_lo(uuid.lo);
}

void put(v1::Member& out, const raft::Member& member) {
    out.set_id(member.id);
    put(*out.mutable_incarnation(), member.incarnation);
}

base::Uuid taken(const v1::Uuid& uuid) { return {uuid.hi(), uuid.lo()}; }
raft::Member taken(const v1::Member& member) { return {member.id(), taken(member.incarnation())}; }

}  // namespace wire
