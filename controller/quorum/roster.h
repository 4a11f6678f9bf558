#pragma once
#include "base/status.h"
#include "base/uuid.h"
#include "controller/quorum/wire.h"
#include "controller/raft/configuration.h"
#include "controller/raft/types.h"

namespace quorum {

/// Who may speak to this node, and where they listen.
struct Roster {
    /// Member → HOST:PORT. This node may be among them: it is passed over.
    raft::Configuration::Members members;
    /// Whoever knows this node's id and incarnation may speak too, and is answered at the address
    /// that it gives. For a node that has no configuration yet, and for one that has heard no
    /// leader for long: the leader may be one that joined meanwhile, in a configuration that only
    /// the leader can send here (Raft thesis §4.1).
    bool open = false;
};

/// Whether a stream that begins with `hello` is let in by the node `self` of `cluster`.
///   kFailedPrecondition  another protocol version or cluster, or meant for another node
///   kAborted             `self` or the sender is known to the other side by another incarnation
///   kPermissionDenied    not in the roster
base::Status admits(const Roster&, const base::Uuid& cluster, const raft::Member& self,
                    const Hello& hello);

}  // namespace quorum
