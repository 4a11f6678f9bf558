#include "broker/isr_changes.h"

#include <utility>

#include "base/check.h"
#include "replication/partitions.h"
#include "spdlog/spdlog.h"

namespace broker {

using kafka::ErrorCode;
using Request = kafka::AlterPartitionRequest;

namespace {

/// The leader proposes again what it hears nothing of, so there is no use in a longer wait.
constexpr std::chrono::milliseconds kPatience{1000};

Request::PartitionData wanted(const base::TopicPartition& id, const replica::Proposal& proposal) {
    Request::PartitionData out;
    out.partition_index = id.index;
    out.leader_epoch = proposal.epoch;
    out.partition_epoch = proposal.version;
    for (const auto& member : proposal.isr)
        out.new_isr_with_epochs.push_back({member.id.value, member.broker_epoch});
    return out;
}

}  // namespace

replica::Answer meaning(ErrorCode code) {
    switch (code) {
        case ErrorCode::none:
        case ErrorCode::new_leader_elected:
            return replica::Answer::taken;
        case ErrorCode::ineligible_replica:
            return replica::Answer::ineligible;
        case ErrorCode::unknown_topic_or_partition:
        case ErrorCode::invalid_request:
        case ErrorCode::fenced_leader_epoch:
        case ErrorCode::stale_broker_epoch:
        case ErrorCode::invalid_update_version:
        case ErrorCode::unknown_topic_id:
        case ErrorCode::broker_id_not_registered:
            return replica::Answer::stale;
        default:
            return replica::Answer::unknown;
    }
}

IsrChanges::IsrChanges(io::Shard& shard, ControllerLink& controller,
                       replication::Partitions& partitions, base::BrokerId self)
    : shard_(shard), controller_(controller), partitions_(partitions), self_(self) {}

void IsrChanges::propose(const base::TopicPartition& id, const replica::Proposal& proposal) {
    CHECK(shard_.here());
    waiting_.insert_or_assign(id, proposal);
    if (!std::exchange(asking_, true)) shard_.post([this] { ask(); });
}

void IsrChanges::ask() {
    auto asked = std::exchange(waiting_, {});
    asking_ = !asked.empty();
    if (!asking_) return;
    Request request;
    request.broker_id = self_.value;
    for (const auto& [id, proposal] : asked) {
        request.broker_epoch = std::max(request.broker_epoch, proposal.broker_epoch);
        if (request.topics.empty() || request.topics.back().topic_id != id.topic)
            request.topics.push_back({.topic_id = id.topic, .partitions = {}});
        request.topics.back().partitions.push_back(wanted(id, proposal));
    }
    controller_.ask(std::move(request), kPatience, shard_,
                    [this, asked = std::move(asked)](const Outcome& outcome) {
                        answered(asked, outcome);
                        ask();
                    });
}

void IsrChanges::answered(const Proposals& asked, const Outcome& outcome) {
    const auto code = outcome ? outcome->response.error_code : outcome.error().code;
    if (code != ErrorCode::none) {
        spdlog::warn("the controller has not changed the ISR of {} partitions: {}", asked.size(),
                     kafka::name(code));
        return;  // it may have; each is asked for again
    }
    for (const auto& topic : outcome->response.topics)
        for (const auto& p : topic.partitions) {
            const base::TopicPartition id{topic.topic_id, p.partition_index};
            const auto proposal = asked.find(id);
            const auto partition = partitions_.find(id);
            if (proposal == asked.end() || !partition.ok()) continue;
            (*partition)->answered(proposal->second.number, meaning(p.error_code));
        }
}

}  // namespace broker
