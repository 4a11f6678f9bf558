#include <algorithm>
#include <string>
#include <vector>

#include "lab/trace.h"

namespace lab {
namespace {

void judge_acknowledged(Trace& trace, Key key, const Sent& sent) {
    PartitionTrace& partition = trace.partitions[sent.partition];
    if (partition.drained_from < 0) return;
    // What was below the log's start when it was drained has been removed on purpose.
    if (sent.offset >= 0 && sent.offset < partition.drained_from) return;
    const Key there = partition.drained.at(sent.offset);
    if (!sent.drained && there != unreadable)
        trace.found(Anomaly::lost, sent.partition, sent.offset, key,
                    there == 0 ? "" : trace.text_of(there) + " is there");
    if (sent.offset >= 0 && there != key && there != unreadable && (there != 0 || sent.drained))
        trace.found(Anomaly::ack_mismatch, sent.partition, sent.offset, key,
                    trace.text_of(there) + " is there");
    if (sent.drained && !sent.polled && partition.watched_from >= 0 &&
        sent.read_at >= partition.watched_from)
        trace.found(Anomaly::unseen, sent.partition, sent.offset, key);
}

void judge_values(Trace& trace) {
    for (uint32_t producer = 0; producer < trace.values.size(); ++producer) {
        const auto& values = trace.values[producer];
        for (uint64_t counter = 0; counter < values.size(); ++counter) {
            const Sent& sent = values[counter];
            const Key key = key_of({producer, counter});
            if (sent.outcome == Outcome::ok) judge_acknowledged(trace, key, sent);
            if (sent.outcome == Outcome::fail && sent.read_at >= 0)
                trace.found(Anomaly::failed_but_present, sent.partition, sent.read_at, key);
        }
    }
}

/// A value whose send is in doubt may come late, after an epoch of its producer that is over; one
/// that was acknowledged comes after all that were sent before it, and before all sent after it.
void judge_order(Trace& trace, uint32_t number) {
    std::vector<int64_t> newest(trace.values.size(), -1);
    trace.partitions[number].drained.for_each([&](base::Offset offset, Key key) {
        if (key == unreadable) return;
        const Value value = value_of(key);
        const Sent& sent = *trace.find(value);
        if (!trace.processes[value.producer].idempotent || sent.read_at != offset) return;
        const auto counter = static_cast<int64_t>(value.counter);
        int64_t& before = newest[value.producer];
        if (sent.outcome == Outcome::ok && counter < before)
            trace.found(Anomaly::producer_reorder, number, offset, key,
                        trace.text_of(key_of({value.producer, static_cast<uint64_t>(before)})) +
                            " stands before it");
        before = std::max(before, counter);
    });
}

void judge_reads(Trace& trace, uint32_t number) {
    const PartitionTrace& partition = trace.partitions[number];
    partition.polled.for_each([&](base::Offset offset, Key key) {
        if (offset < partition.drained_from) return;
        const Key there = partition.drained.at(offset);
        if (there == key || there == unreadable) return;
        trace.found(Anomaly::vanished_read, number, offset, key,
                    trace.text_of(there) + " is there");
        if (there != 0)
            trace.found(Anomaly::divergence, number, offset, key,
                        trace.text_of(there) + " was read there later");
    });
}

}  // namespace

void judge(Trace& trace) {
    judge_values(trace);
    for (uint32_t i = 0; i < trace.partitions.size(); ++i) {
        const PartitionTrace& partition = trace.partitions[i];
        if (partition.drained_from >= 0) {
            judge_order(trace, i);
            judge_reads(trace, i);
        } else if (partition.sent > 0) {
            trace.found(Anomaly::undrained, i, -1, 0);
        }
    }
}

}  // namespace lab
