#pragma once
#include <string>
#include <string_view>

#include "base/status.h"
#include "controller/rpc/messages.h"

/// The messages of proto/controller.proto as bytes.
namespace controller::rpc {

std::string encode(const Call&);
std::string encode(const CallResult&);
std::string encode(const JoinRequest&);
std::string encode(const JoinReply&);
std::string encode(const TransferRequest&);

/// kInvalidArgument for what can't be read and for what no node sends: an id, key, version or index
/// that is negative or out of range, a member without its incarnation, a text of a request above
/// kMostTextBytes.
base::Result<Call> decode_call(std::string_view);
base::Result<CallResult> decode_call_result(std::string_view);
base::Result<JoinRequest> decode_join_request(std::string_view);
base::Result<JoinReply> decode_join_reply(std::string_view);
base::Result<TransferRequest> decode_transfer_request(std::string_view);

}  // namespace controller::rpc
