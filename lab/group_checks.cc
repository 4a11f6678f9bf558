#include "lab/group_checks.h"

#include <algorithm>

namespace lab {

void GroupChecks::take(Trace& trace, const Event& e) {
    const uint32_t group = trace.processes[e.process].group;
    if (group == 0) return;
    Share& share = shares_[{group, e.partition}];
    switch (e.op) {
        case Op::assign:
            assign(trace, e, share);
            break;
        case Op::poll:
            share.polled[e.offset] = 1;
            break;
        case Op::commit:
            commit(trace, e, share);
            break;
        case Op::fetch_committed:
            fetch(trace, e, share);
            break;
        default:
            break;
    }
}

/// Two in one generation; of an older one nothing can be said, as members learn late of a newer.
void GroupChecks::own(Trace& trace, const Event& e, Share& share, const char* how) {
    if (e.epoch < 0 || e.epoch < share.generation) return;
    if (e.epoch == share.generation && share.owner != e.process)
        trace.found(Anomaly::double_owner, e,
                    trace.processes[e.process].name + how + " in generation " +
                        std::to_string(e.epoch) + ", in which " +
                        trace.processes[share.owner].name + " owns it");
    share.generation = e.epoch;
    share.owner = e.process;
}

void GroupChecks::assign(Trace& trace, const Event& e, Share& share) {
    own(trace, e, share, " was assigned it");
    int32_t& newest = generations_.try_emplace(trace.processes[e.process].group, -1).first->second;
    newest = std::max(newest, e.epoch);
    if (e.offset >= 0) share.start = share.start < 0 ? e.offset : std::min(share.start, e.offset);
}

void GroupChecks::commit(Trace& trace, const Event& e, Share& share) {
    Cursor& cursor = trace.cursor(e);
    const auto newest = generations_.find(trace.processes[e.process].group);
    if (e.phase == Phase::invoke) {
        cursor.generation = newest == generations_.end() ? -1 : newest->second;
        cursor.committed = share.committed;
        return;
    }
    if (e.phase != Phase::ok) return;
    if (e.epoch >= 0 && e.epoch < cursor.generation)
        trace.found(Anomaly::zombie_commit, e,
                    trace.processes[e.process].name + " committed in generation " +
                        std::to_string(e.epoch) + ", when there was " +
                        std::to_string(cursor.generation));
    else own(trace, e, share, " committed");
    if (e.offset < cursor.committed)
        trace.found(Anomaly::commit_regress, e,
                    trace.processes[e.process].name + " committed it after " +
                        std::to_string(cursor.committed));
    share.committed = e.offset;
    share.highest = std::max(share.highest, e.offset);
}

void GroupChecks::fetch(Trace& trace, const Event& e, const Share& share) {
    Cursor& cursor = trace.cursor(e);
    if (e.phase == Phase::invoke) cursor.committed = share.committed;
    if (e.phase == Phase::ok && e.offset < cursor.committed)
        trace.found(Anomaly::commit_regress, e,
                    trace.processes[e.process].name + " was told it, after " +
                        std::to_string(cursor.committed) + " had been committed");
}

void GroupChecks::judge(Trace& trace) const {
    for (const auto& [of, share] : shares_) {
        const uint32_t partition = of.second;
        if (share.start < 0) continue;
        trace.partitions[partition].drained.for_each([&](base::Offset offset, Key key) {
            if (offset >= share.start && offset < share.highest && share.polled.at(offset) == 0)
                trace.found(Anomaly::group_loss, partition, offset, key,
                            "committed up to " + std::to_string(share.highest));
        });
    }
}

}  // namespace lab
