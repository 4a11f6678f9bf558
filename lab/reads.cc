#include <algorithm>
#include <string>

#include "lab/trace.h"

namespace lab {
namespace {

void check_continuity(Trace& trace, const Event& e) {
    base::Offset& expected = trace.cursor(e).expected;
    if (expected >= 0 && e.offset != expected) {
        const bool back = e.offset < expected;
        trace.found(
            back ? Anomaly::poll_non_monotone : Anomaly::poll_skip, e,
            trace.processes[e.process].name + " expected offset " + std::to_string(expected));
    }
    expected = e.offset + 1;
}

/// The value that was read, if it is one of this run.
Sent* recognized(Trace& trace, const Event& e) {
    if ((e.flags & flag::corrupt) != 0) {
        trace.found(Anomaly::corrupt, e);
        return nullptr;
    }
    Sent* const sent = (e.flags & flag::foreign) != 0 ? nullptr : trace.find(e.value);
    if (sent == nullptr) {
        trace.found(Anomaly::phantom, e,
                    (e.flags & flag::foreign) != 0 ? "it is of another run" : "");
        return nullptr;
    }
    if ((e.flags & flag::misrouted) != 0 || sent->partition != e.partition)
        trace.found(Anomaly::misrouted, e,
                    "it was sent to " + trace.partitions[sent->partition].name);
    return sent;
}

void note_place(Trace& trace, const Event& e, Sent& sent) {
    if (sent.read_at < 0) sent.read_at = e.offset;
    // One that was sent without idempotence may be there twice.
    if (sent.read_at != e.offset && sent.partition == e.partition &&
        trace.processes[e.value.producer].idempotent)
        trace.found(Anomaly::duplicate, e,
                    "it is at offset " + std::to_string(sent.read_at) + " too");
}

void take_message(Trace& trace, const Event& e) {
    PartitionTrace& partition = trace.partitions[e.partition];
    const bool last = e.op == Op::drain;
    ++(last ? partition.drains : partition.polls);
    check_continuity(trace, e);
    partition.proven = std::max(partition.proven, e.offset + 1);
    Sent* const sent = recognized(trace, e);
    if (sent == nullptr) {
        if (last) partition.drained[e.offset] = unreadable;
        return;
    }
    note_place(trace, e, *sent);
    if (sent->partition == e.partition) {
        sent->drained |= last;
        sent->polled |= !last && trace.processes[e.process].group == 0;
    }
    Key& there = (last ? partition.drained : partition.polled)[e.offset];
    if (there != 0 && there != key_of(e.value))
        trace.found(Anomaly::divergence, e, trace.text_of(there) + " was read there too");
    there = key_of(e.value);
}

/// A consumer that is in no group has read from its assignment to the end.
void finish(Trace& trace, const Event& e) {
    PartitionTrace& partition = trace.partitions[e.partition];
    const base::Offset from = trace.cursor(e).assigned;
    if (trace.processes[e.process].group != 0 || from < 0) return;
    partition.watched_from =
        partition.watched_from < 0 ? from : std::min(partition.watched_from, from);
}

}  // namespace

void take_read(Trace& trace, const Event& e) {
    PartitionTrace& partition = trace.partitions[e.partition];
    switch (e.op) {
        case Op::assign:
            trace.cursor(e).expected = e.offset;
            trace.cursor(e).assigned = e.offset;
            break;
        case Op::revoke:
            trace.cursor(e).expected = -1;
            break;
        case Op::finished:
            finish(trace, e);
            break;
        case Op::drained:
            partition.drained_from = e.offset;
            partition.drained_until = e.until;
            break;
        default:
            take_message(trace, e);
    }
}

void take_list_end(Trace& trace, const Event& e) {
    PartitionTrace& partition = trace.partitions[e.partition];
    base::Offset& proven = trace.cursor(e).end_proven;
    if (e.phase == Phase::invoke) proven = partition.proven;
    if (e.phase != Phase::ok) return;
    if (e.offset < proven)
        trace.found(Anomaly::high_watermark_regress, e,
                    "it was at " + std::to_string(proven) + " before it was asked for");
    partition.proven = std::max(partition.proven, e.offset);
}

}  // namespace lab
