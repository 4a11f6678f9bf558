#include "lab/checker.h"

#include <utility>

namespace lab {
namespace {

constexpr uint32_t most_partitions = 1'000'000;

bool is_of_a_client(Op op) { return op != Op::replica && op != Op::replica_hash; }
bool needs_an_offset(const Event& e) {
    return e.op == Op::poll || e.op == Op::drain || e.op == Op::replica_hash;
}

}  // namespace

base::Status Checker::name(const Event& e) {
    if (e.op == Op::name_group) return base::ok();
    if (e.op == Op::name_partition) {
        if (e.partition > most_partitions) return base::data_loss("there are too many partitions");
        if (e.partition >= trace_.partitions.size()) trace_.partitions.resize(e.partition + 1);
        trace_.partitions[e.partition].name = e.name;
        return base::ok();
    }
    if (e.process >= most_processes) return base::data_loss("there are too many processes");
    if (e.process >= trace_.processes.size()) {
        trace_.processes.resize(e.process + 1);
        trace_.values.resize(e.process + 1);
    }
    Process& process = trace_.processes[e.process];
    if (!process.name.empty() && process.name != e.name)
        return base::data_loss("process " + std::to_string(e.process) + " has two names");
    process = {e.name, e.group, (e.flags & flag::idempotent) != 0};
    return base::ok();
}

base::Status Checker::known(const Event& e) const {
    if (e.partition >= trace_.partitions.size())
        return base::data_loss("partition " + std::to_string(e.partition) + " has no name");
    if (is_of_a_client(e.op) && e.process >= trace_.processes.size())
        return base::data_loss("process " + std::to_string(e.process) + " has no name");
    if (needs_an_offset(e) && e.offset < 0) return base::data_loss("a message has no offset");
    return base::ok();
}

base::Status Checker::add(const Event& e) {
    if (events_++ == 0) begin_ns_ = e.time_ns;
    if (e.op == Op::name_partition || e.op == Op::name_process || e.op == Op::name_group)
        return name(e);
    RETURN_IF_ERROR(known(e));
    switch (e.op) {
        case Op::send:
            return take_send(trace_, e);
        case Op::list_end:
            take_list_end(trace_, e);
            break;
        case Op::commit:
        case Op::fetch_committed:
            groups_.take(trace_, e);
            break;
        case Op::replica:
        case Op::replica_hash:
            replicas_.take(e);
            break;
        default:
            take_read(trace_, e);
            groups_.take(trace_, e);
    }
    return base::ok();
}

Report Checker::finish() {
    judge(trace_);
    groups_.judge(trace_);
    replicas_.judge(trace_);
    Report out{.events = events_, .begin_ns = begin_ns_};
    for (PartitionTrace& p : trace_.partitions)
        out.partitions.push_back({std::move(p.name), p.sent, p.acknowledged, p.refused, p.in_doubt,
                                  p.polls, p.drains, p.drained_from, p.drained_until, p.longest,
                                  std::move(p.gaps)});
    for (Process& p : trace_.processes) out.processes.push_back(std::move(p.name));
    out.compared_blocks = replicas_.compared_blocks();
    out.findings = std::move(trace_.findings);
    return out;
}

std::string Report::partition(uint32_t id) const {
    return id < partitions.size() ? partitions[id].name : "partition " + std::to_string(id);
}

std::string Report::process(uint32_t id) const {
    return id < processes.size() && !processes[id].empty() ? processes[id]
                                                           : "process " + std::to_string(id);
}

}  // namespace lab
