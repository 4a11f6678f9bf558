#include <algorithm>

#include "lab/payload.h"
#include "tests/chaos/workload.h"

namespace chaos {

uint32_t Shared::number_of(std::string_view topic, int32_t partition) const {
    const auto found = std::ranges::find_if(
        partitions, [&](const Partition& p) { return p.number == partition && p.topic == topic; });
    return static_cast<uint32_t>(found - partitions.begin());
}

cli::RdConfig Shared::config() const {
    cli::RdConfig out(options.bootstrap);
    out.set("client.id", "workload");
    for (const std::string& one : options.set) {
        const size_t equals = one.find('=');
        out.set(one.substr(0, equals), equals == std::string::npos ? "" : one.substr(equals + 1));
    }
    return out;
}

void note_message(Shared& shared, uint32_t process, lab::Op op, const rd_kafka_message_t& message) {
    const std::string_view topic = rd_kafka_topic_name(message.rkt);
    const uint32_t partition = shared.number_of(topic, message.partition);
    if (partition == shared.partitions.size()) return;
    const base::View bytes{static_cast<const std::byte*>(message.payload), message.len};
    const auto received = lab::receive_payload(bytes, shared.options.run, topic, message.partition);
    shared.history.add({.op = op,
                        .flags = received.flags,
                        .process = process,
                        .partition = partition,
                        .offset = message.offset,
                        .value = received.value});
    ++shared.polled;
}

}  // namespace chaos
