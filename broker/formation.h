#pragma once
#include <functional>

#include "base/status.h"
#include "broker/settings.h"
#include "controller/quorum/log_store.h"
#include "io/shard.h"

namespace broker {

/// Whether the member that was opened has taken part in no cluster yet.
bool is_blank(const quorum::LogStore::Opened&);

/// Makes a blank member one of a cluster, on its disk:
/// - alone, or with no other voter configured, it founds one of itself;
/// - if another configured voter is of a cluster, it joins that, without a vote, as its log may
/// once
///   have held promises that this disk has lost;
/// - if all others answer and are blank too, the one with the lowest id founds a cluster of itself,
///   and the others join it: two can't found one each, as each would need the other to be blank.
/// Listens meanwhile, blocks until one of these holds, and tells in the log what it waits for.
/// kFailedPrecondition if the address can't be listened on, if the others are of another cluster
/// than is configured, or one answers by another id; kCancelled when `stopping` says so.
base::Status form(quorum::LogStore::Opened&, const Settings&, io::Shard& home,
                  const std::function<bool()>& stopping);

}  // namespace broker
