#include "controller/rpc/wire.h"

#include <climits>
#include <utility>

#include "controller/wire/ids.h"
#include "proto/controller.pb.h"

namespace controller::rpc {

namespace {

namespace v1 = moldau::controller::v1;

template <class Message>
base::Status parse(std::string_view bytes, Message& out) {
    if (bytes.size() > INT_MAX || !out.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
        return base::invalid("a message that can't be read");
    return base::ok();
}

base::Result<int16_t> taken(int32_t value, const char* what) {
    if (value < 0 || value > INT16_MAX)
        return base::invalid(std::string(what) + " of " + std::to_string(value));
    return static_cast<int16_t>(value);
}

base::Result<raft::Member> taken(const moldau::raft::v1::Member& member) {
    if (member.id() < 0) return base::invalid("a negative id");
    if (!member.has_incarnation()) return base::invalid("a member without an incarnation");
    return wire::taken(member);
}

base::Result<std::string> taken(std::string* text) {
    if (text->size() > kMostTextBytes) return base::invalid("a text that is too long");
    return std::move(*text);
}

}  // namespace

std::string encode(const Call& call) {
    v1::CallRequest out;
    out.set_cluster_id(call.cluster_id);
    out.set_from(call.from.value);
    out.set_api_key(call.api_key);
    out.set_api_version(call.api_version);
    out.set_body(call.body);
    return out.SerializeAsString();
}

std::string encode(const CallResult& result) {
    v1::CallReply out;
    out.set_metadata_index(result.metadata_index);
    out.set_body(result.body);
    out.set_error_code(result.error_code);
    out.set_error_message(result.error_message);
    return out.SerializeAsString();
}

std::string encode(const JoinRequest& request) {
    v1::JoinRequest out;
    wire::put(*out.mutable_self(), request.self);
    out.set_address(request.address);
    out.set_cluster_id(request.cluster_id);
    out.set_voter(request.voter);
    return out.SerializeAsString();
}

std::string encode(const JoinReply& reply) {
    v1::JoinReply out;
    out.set_cluster_id(reply.cluster_id);
    wire::put(*out.mutable_self(), reply.self);
    out.set_refusal(reply.refusal);
    return out.SerializeAsString();
}

std::string encode(const TransferRequest& request) {
    v1::TransferRequest out;
    out.set_cluster_id(request.cluster_id);
    out.set_to(request.to.value);
    return out.SerializeAsString();
}

base::Result<Call> decode_call(std::string_view bytes) {
    v1::CallRequest in;
    RETURN_IF_ERROR(parse(bytes, in));
    if (in.from() < 0) return base::invalid("a negative id");
    Call out{.from = {in.from()}};
    ASSIGN_OR_RETURN(out.cluster_id, taken(in.mutable_cluster_id()));
    ASSIGN_OR_RETURN(out.api_key, taken(in.api_key(), "an API key"));
    ASSIGN_OR_RETURN(out.api_version, taken(in.api_version(), "an API version"));
    out.body = std::move(*in.mutable_body());
    return out;
}

base::Result<CallResult> decode_call_result(std::string_view bytes) {
    v1::CallReply in;
    RETURN_IF_ERROR(parse(bytes, in));
    if (in.metadata_index() < 0) return base::invalid("a negative index");
    if (in.error_code() < INT16_MIN || in.error_code() > INT16_MAX)
        return base::invalid("an error of " + std::to_string(in.error_code()));
    return CallResult{in.metadata_index(), std::move(*in.mutable_body()),
                      static_cast<int16_t>(in.error_code()),
                      std::move(*in.mutable_error_message())};
}

base::Result<JoinRequest> decode_join_request(std::string_view bytes) {
    v1::JoinRequest in;
    RETURN_IF_ERROR(parse(bytes, in));
    JoinRequest out{.voter = in.voter()};
    ASSIGN_OR_RETURN(out.self, taken(in.self()));
    ASSIGN_OR_RETURN(out.address, taken(in.mutable_address()));
    ASSIGN_OR_RETURN(out.cluster_id, taken(in.mutable_cluster_id()));
    return out;
}

base::Result<JoinReply> decode_join_reply(std::string_view bytes) {
    v1::JoinReply in;
    RETURN_IF_ERROR(parse(bytes, in));
    JoinReply out;
    ASSIGN_OR_RETURN(out.self, taken(in.self()));
    out.cluster_id = std::move(*in.mutable_cluster_id());
    out.refusal = std::move(*in.mutable_refusal());
    return out;
}

base::Result<TransferRequest> decode_transfer_request(std::string_view bytes) {
    v1::TransferRequest in;
    RETURN_IF_ERROR(parse(bytes, in));
    if (in.to() < 0) return base::invalid("a negative id");
    TransferRequest out{.cluster_id = {}, .to = {in.to()}};
    ASSIGN_OR_RETURN(out.cluster_id, taken(in.mutable_cluster_id()));
    return out;
}

}  // namespace controller::rpc
