#pragma once
#include <map>
#include <set>
#include <string>

#include "base/function.h"
#include "broker/call.h"
#include "kafka/errors.h"

namespace broker {

/// Creates topics that somebody asked for and that don't exist, with the broker's defaults
/// (num.partitions, default.replication.factor), or as offsets.topic.* says for the one of groups.
/// `done` runs on the call's shard, once they are in effect here or known not to be: with the
/// errors of those that could not be made. One that somebody else made meanwhile is no error.
void create_on_demand(const CallPtr&, const std::set<std::string>& names,
                      base::Function<void(std::map<std::string, kafka::Error>)> done);

}  // namespace broker
