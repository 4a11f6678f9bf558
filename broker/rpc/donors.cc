#include "broker/rpc/donors.h"

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <utility>

#include "broker/rpc/asks.h"
#include "broker/rpc/forwarder.h"
#include "broker/rpc/message.h"
#include "kafka/errors.h"
#include "proto/broker.pb.h"

namespace broker::rpc {

namespace {

constexpr char kMethod[] = "/moldau.broker.v1.Broker/Fetch";
constexpr std::chrono::milliseconds kTimeout{10'000};

base::Result<base::Bytes> batches_of(grpc::ByteBuffer& buffer) {
    moldau::broker::v1::FetchReply reply;
    grpc::ProtoBufferReader reader(&buffer);
    if (!reply.ParseFromZeroCopyStream(&reader))
        return base::unavailable("an answer that can't be read");
    if (reply.error_code() != 0)
        return base::unavailable(
            std::string(kafka::name(static_cast<kafka::ErrorCode>(reply.error_code()))));
    const auto bytes = base::as_bytes(reply.batches());
    return base::Bytes(bytes.begin(), bytes.end());
}

}  // namespace

void Donors::fetch(io::Shard& on, const base::TopicPartition& id, base::BrokerId from,
                   base::Offset offset, uint32_t max_bytes, Done done) {
    FetchAsk ask;
    ask.topic.id = id.topic;
    ask.partition = id.index;
    ask.offset = offset;
    ask.max_bytes = max_bytes;
    ask.form = Form::batches;
    ask.forwarded = true;
    ask.any_replica = true;
    forwarder_.call(
        on, from, kMethod, *to_grpc(encode(ask)), kTimeout,
        [done = std::move(done)](const base::Status& status, grpc::ByteBuffer& reply) mutable {
            if (status.ok()) done(batches_of(reply));
            else done(status);
        });
}

}  // namespace broker::rpc
