#include <string>

#include "lab/trace.h"

namespace lab {
namespace {

std::string at(base::Offset offset) { return "offset " + std::to_string(offset); }

void end_wait(PartitionTrace& partition, int64_t now_ns) {
    const Gap gap{partition.waiting_since_ns, now_ns - partition.waiting_since_ns};
    if (gap.length_ns > partition.longest.length_ns) partition.longest = gap;
    if (gap.length_ns >= least_gap_ns) partition.gaps.push_back(gap);
    partition.waiting_since_ns = now_ns;
}

base::Status invoke(Trace& trace, const Event& e) {
    auto& values = trace.values[e.process];
    if (e.value.counter != values.size())
        return base::data_loss("process " + std::to_string(e.process) + " sends value " +
                               std::to_string(e.value.counter) + " after " +
                               std::to_string(values.size()) + " others");
    PartitionTrace& partition = trace.partitions[e.partition];
    values.push_back({.offset = partition.max_acked, .partition = e.partition});
    ++partition.sent;
    if (partition.pending++ == 0) partition.waiting_since_ns = e.time_ns;
    return base::ok();
}

void acknowledge(Trace& trace, const Event& e, Sent& sent) {
    PartitionTrace& partition = trace.partitions[e.partition];
    const base::Offset before = sent.offset;
    sent.outcome = Outcome::ok;
    sent.offset = e.offset;
    ++partition.acknowledged;
    end_wait(partition, e.time_ns);
    if (e.offset < 0) return;
    if (e.offset <= before)
        trace.found(Anomaly::real_time_reorder, e,
                    at(before) + " was acknowledged before it was sent");
    Key& there = partition.acked[e.offset];
    if (there != 0 && there != key_of(e.value))
        trace.found(Anomaly::divergence, e, "so was " + trace.text_of(there) + " acknowledged");
    there = key_of(e.value);
    partition.max_acked = std::max(partition.max_acked, e.offset);
    if (trace.processes[e.process].idempotent)
        partition.proven = std::max(partition.proven, e.offset + 1);
}

}  // namespace

base::Status take_send(Trace& trace, const Event& e) {
    if (e.value.producer != e.process)
        return base::data_loss("process " + std::to_string(e.process) +
                               " sends a value of process " + std::to_string(e.value.producer));
    if (e.phase == Phase::invoke) return invoke(trace, e);
    Sent* const sent = trace.find(e.value);
    if (sent == nullptr || sent->outcome != Outcome::pending || sent->partition != e.partition)
        return base::data_loss(trace.text_of(key_of(e.value)) + " is answered, but was not sent");
    PartitionTrace& partition = trace.partitions[e.partition];
    --partition.pending;
    if (e.phase == Phase::ok) {
        acknowledge(trace, e, *sent);
        return base::ok();
    }
    sent->offset = -1;
    sent->outcome = e.phase == Phase::fail ? Outcome::fail : Outcome::info;
    ++(e.phase == Phase::fail ? partition.refused : partition.in_doubt);
    return base::ok();
}

}  // namespace lab
