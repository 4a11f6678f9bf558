// Produces a few records to Moldau over gRPC and reads them back:
//
//     grpc_example [HOST:PORT [TOPIC]]

#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "proto/broker.grpc.pb.h"

namespace v1 = moldau::broker::v1;

namespace {

[[noreturn]] void fail(const char* what, const std::string& why) {
    std::fprintf(stderr, "%s: %s\n", what, why.c_str());
    std::exit(1);
}

void set_deadline(grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
}

v1::ProduceRequest request(const std::string& topic, const std::string& value) {
    v1::ProduceRequest out;
    out.set_topic(topic);
    auto& record = *out.add_records();
    record.set_key("greeting");
    record.set_value(value);
    return out;
}

/// One request and its reply. Without a partition the key chooses it, as in Kafka's clients.
v1::ProduceReply produce_one(v1::Broker::Stub& broker, const std::string& topic) {
    grpc::ClientContext context;
    set_deadline(context);
    v1::ProduceReply reply;
    const auto status = broker.Produce(&context, request(topic, "hello"), &reply);
    if (!status.ok()) fail("Produce", status.error_message());
    if (reply.error_code() != 0) fail("not produced", reply.error_message());
    std::printf("hello is at offset %lld of partition %d\n",
                static_cast<long long>(reply.base_offset()), reply.partition());
    return reply;
}

/// Many in flight; the replies come in the order of the requests. The offset of the last.
int64_t produce_more(v1::Broker::Stub& broker, const std::string& topic, int32_t partition) {
    constexpr int count = 10;  // a few; who sends many reads the replies beside
    grpc::ClientContext context;
    set_deadline(context);
    const auto stream = broker.ProduceStream(&context);
    for (int i = 0; i < count; ++i) {
        auto next = request(topic, "hello again " + std::to_string(i));
        next.set_partition(partition);
        if (!stream->Write(next)) break;
    }
    stream->WritesDone();
    v1::ProduceReply reply;
    while (stream->Read(&reply))
        if (reply.error_code() != 0) fail("not produced", reply.error_message());
    const auto status = stream->Finish();
    if (!status.ok()) fail("ProduceStream", status.error_message());
    return reply.base_offset();
}

/// Reads records as they come, until one is at `last`.
void consume(v1::Broker::Stub& broker, const std::string& topic, int32_t partition, int64_t offset,
             int64_t last) {
    grpc::ClientContext context;
    v1::FetchStreamRequest from;
    from.set_topic(topic);
    from.set_partition(partition);
    from.set_offset(offset);
    const auto stream = broker.FetchStream(&context, from);
    v1::FetchReply reply;
    while (stream->Read(&reply)) {
        if (reply.error_code() != 0) fail("not fetched", reply.error_message());
        for (const auto& record : reply.records())
            std::printf("%lld %s %s\n", static_cast<long long>(record.offset()),
                        record.key().c_str(), record.value().c_str());
        if (reply.next_offset() > last) {
            context.TryCancel();
            return;
        }
    }
    fail("FetchStream", stream->Finish().error_message());
}

}  // namespace

int main(int argc, char** argv) {
    const std::string address = argc > 1 ? argv[1] : "localhost:19092";
    const std::string topic = argc > 2 ? argv[2] : "greetings";
    const auto broker =
        v1::Broker::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
    const auto first = produce_one(*broker, topic);
    const auto last = produce_more(*broker, topic, first.partition());
    consume(*broker, topic, first.partition(), first.base_offset(), last);
}
