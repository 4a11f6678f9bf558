// What anybody may send over gRPC (proto/broker.proto), and what another broker answers: it is read
// or refused, views stay inside the message, and what is built of plain records is a whole batch.
#include <cstring>
#include <span>

#include "base/check.h"
#include "broker/rpc/asks.h"
#include "broker/rpc/replies.h"
#include "kafka/records/records.h"

namespace {

using namespace broker::rpc;

void check_batch(base::View message) {
    const auto built = batch_of(message, 1);
    if (!built.ok()) return;
    const kafka::BatchView batch(*built);
    CHECK(batch.crc_ok());
    kafka::RecordReader reader(batch, batch.records());
    RecordsIn records(message);
    while (reader.next()) {
        CHECK(records.next());
        const auto& in = records.record();
        CHECK(in.value.has_value() == reader.record().value.has_value());
        CHECK(in.headers.size() == static_cast<size_t>(reader.record().headers.count()));
    }
    CHECK(reader.ok() && !records.next());
}

void check_produce(base::View bytes) {
    base::Bytes message(bytes.begin(), bytes.end());
    const auto ask = read_produce(message);
    if (!ask.ok()) return;
    CHECK(ask->topic.by_id() || !ask->topic.name.empty());
    CHECK(ask->timeout.count() > 0 && ask->acks >= -1 && ask->acks <= 1);
    if (ask->has_batch) {
        CHECK(ask->batch.size() < message.size());
        CHECK(ask->batch.data() >= message.data() &&
              ask->batch.data() + ask->batch.size() <= message.data() + message.size());
        auto passed_on = encode_head(*ask);
        passed_on.insert(passed_on.end(), ask->batch.begin(), ask->batch.end());
        const auto there = read_produce(passed_on);
        CHECK(there.ok() && there->forwarded && there->acks == ask->acks);
        CHECK(there->batch.size() == ask->batch.size());
    } else {
        check_batch(ask->message);
        const auto at = partition_of(ask->message, 7);
        CHECK(!at.ok() || at->value_or(0) >= 0);
        CHECK(!at.ok() || at->value_or(0) < 7);
    }
}

void check_fetch(base::View message) {
    for (const auto& ask : {read_fetch(message), read_fetch_stream(message)}) {
        if (!ask.ok()) continue;
        CHECK(ask->offset >= FetchAsk::oldest && ask->min_bytes >= 1);
        const auto there = read_fetch(encode(*ask));
        CHECK(there.ok() && there->offset == ask->offset && there->forwarded);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    check_produce(bytes);
    check_fetch(bytes);
    (void)read_produce_reply(bytes);
    return 0;
}
