#pragma once
#include <string>

#include "base/status.h"
#include "controller/rpc/messages.h"
#include "controller/service.h"
#include "kafka/errors.h"

/// How the active controller's answer comes through another node: as it would come from one in this
/// process.
namespace broker {

using CallOutcome = kafka::Outcome<controller::Service::Answered<std::string>>;

controller::rpc::CallResult call_result(CallOutcome);
/// Of what Client::call tells. What the controller did not say itself is
///   41   the node could not be reached, or has not answered: another one may be asked, or it later
///   104  the node is of another cluster
///   42   the request is what no node sends
///   44   the request or its answer is larger than a message may be, or the node has too much to do
///   -1   the node and this one don't understand each other
CallOutcome call_outcome(base::Result<controller::rpc::CallResult>);

}  // namespace broker
