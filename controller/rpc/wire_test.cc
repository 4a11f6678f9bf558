#include "controller/rpc/wire.h"

#include <gmock/gmock.h>

#include "proto/controller.pb.h"

namespace controller::rpc {
namespace {

namespace v1 = moldau::controller::v1;
using testing::HasSubstr;

const Call kCall{
    .cluster_id = "abc", .from = {3}, .api_key = 62, .api_version = 4, .body = {"\0\xff", 2}};
const JoinRequest kJoin{
    .self = {3, {1, 2}}, .address = "host:9093", .cluster_id = "abc", .voter = true};

const TransferRequest kTransfer{"abc", {2}};

template <class T>
void expect_invalid(const base::Result<T>& result, const std::string& why) {
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(base::message(result.status()), HasSubstr(why));
}

TEST(RpcWire, AllComesThrough) {
    EXPECT_EQ(decode_call(encode(kCall)).value(), kCall);
    EXPECT_EQ(decode_join_request(encode(kJoin)).value(), kJoin);
    EXPECT_EQ(decode_transfer_request(encode(kTransfer)).value(), kTransfer);
    const CallResult result{.metadata_index = 1LL << 40, .body = "x"};
    EXPECT_EQ(decode_call_result(encode(result)).value(), result);
    const CallResult error{.error_code = -1, .error_message = "why"};
    EXPECT_EQ(decode_call_result(encode(error)).value(), error);
    const JoinReply reply{.cluster_id = "abc", .self = {1, {8, 9}}, .refusal = "no"};
    EXPECT_EQ(decode_join_reply(encode(reply)).value(), reply);
}

TEST(RpcWire, RefusesWhatCanNotBeRead) {
    expect_invalid(decode_call("\xff\xff"), "can't be read");
    expect_invalid(decode_call_result("\xff\xff"), "can't be read");
    expect_invalid(decode_join_request("\xff\xff"), "can't be read");
    expect_invalid(decode_join_reply("\xff\xff"), "can't be read");
    expect_invalid(decode_transfer_request("\xff\xff"), "can't be read");
}

TEST(RpcWire, RefusesNegativeNumbers) {
    auto call = kCall;
    call.from = {-1};
    expect_invalid(decode_call(encode(call)), "a negative id");
    call = kCall;
    call.api_key = -1;
    expect_invalid(decode_call(encode(call)), "an API key of -1");
    call = kCall;
    call.api_version = -1;
    expect_invalid(decode_call(encode(call)), "an API version of -1");
    expect_invalid(decode_call_result(encode(CallResult{.metadata_index = -1})), "negative");
    auto join = kJoin;
    join.self.id = -1;
    expect_invalid(decode_join_request(encode(join)), "a negative id");
    expect_invalid(decode_transfer_request(encode(TransferRequest{"abc", {-1}})), "a negative id");
    expect_invalid(decode_join_reply(encode(JoinReply{.self = {-1, {}}})), "a negative id");
}

TEST(RpcWire, RefusesWhatIsOutOfRange) {
    v1::CallRequest call;
    call.set_api_key(1 << 15);
    expect_invalid(decode_call(call.SerializeAsString()), "an API key of 32768");
    call.set_api_key(0);
    call.set_api_version(1 << 15);
    expect_invalid(decode_call(call.SerializeAsString()), "an API version of 32768");
    v1::CallReply reply;
    reply.set_error_code(1 << 15);
    expect_invalid(decode_call_result(reply.SerializeAsString()), "an error of 32768");
}

TEST(RpcWire, RefusesAMemberWithoutItsDisk) {
    v1::JoinRequest join;
    join.mutable_self()->set_id(3);
    expect_invalid(decode_join_request(join.SerializeAsString()), "without an incarnation");
    expect_invalid(decode_join_reply(""), "without an incarnation");
}

TEST(RpcWire, RefusesTextsThatAreTooLong) {
    const std::string text(kMostTextBytes + 1, 'x');
    auto call = kCall;
    call.cluster_id = text;
    expect_invalid(decode_call(encode(call)), "too long");
    auto join = kJoin;
    join.cluster_id = text;
    expect_invalid(decode_join_request(encode(join)), "too long");
    join = kJoin;
    join.address = text;
    expect_invalid(decode_join_request(encode(join)), "too long");
    expect_invalid(decode_transfer_request(encode(TransferRequest{text, {1}})), "too long");
}

}  // namespace
}  // namespace controller::rpc
