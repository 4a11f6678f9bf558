#include "tests/replication/sim/metadata.h"

#include "base/check.h"
#include "controller/configs.h"
#include "controller/elections.h"
#include "controller/features.h"
#include "controller/partitions.h"
#include "controller/reassignments.h"
#include "controller/topics.h"
#include "metadata/config.h"
#include "metadata/records.h"

namespace replica::sim {

namespace {
const std::string kTopic = "t";
}

Metadata::Metadata(const Rules& rules) : sessions_({.session_ms = rules.session_ms}) {
    images_.push_back(controller_.image());
    commit(
        {metadata::cluster_record("simulated"),
         metadata::feature_record(controller::kMetadataVersion, controller::kLevelWithRecovery)});
    sessions_.begin(0);
    // Whoever is asked for at first; the processes register under their own names.
    for (int32_t id = 0; id < rules.brokers; ++id) {
        const auto n = static_cast<uint64_t>(id);
        const auto epoch = enroll(BrokerId{id}, {{1, n}, {2, n}}, 0);
        beat(BrokerId{id}, {.epoch = *epoch, .index = index()}, 0);
    }
    kafka::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = kTopic;
    topic.num_partitions = -1;
    topic.replication_factor = -1;
    auto& row = topic.assignments.emplace_back();
    for (int32_t id = 0; id < rules.replicas; ++id) row.broker_ids.push_back(id);
    commit(controller::create_topics(state(), request, {&partition_.topic, 1}, 0));
    configure("min.insync.replicas", std::to_string(rules.min_isr));
    if (rules.unclean) configure("unclean.leader.election.enable", "true");
}

void Metadata::commit(controller::Records records) {
    if (records.empty()) return;
    const auto* row = image().partition(partition_);
    const auto before = row ? *row : metadata::Partition{};
    const controller::Entry entry{{index() + 1, 1}, std::move(records)};
    const auto delta = controller_.replay({&entry, 1});
    CHECK(delta.ok()) << delta.status();
    images_.push_back(controller_.image());
    ++decisions;
    if (changed) changed(before);
}

int Metadata::min_isr() const {
    return metadata::min_isr(state().configs(), kTopic, row().replicas.size());
}

bool Metadata::unclean_elections() const {
    return loss_accepted_ || state().configs().topic_bool(kTopic, "unclean.leader.election.enable");
}

Assignment Metadata::assignment(int64_t index) const {
    const auto& image = at(index);
    Assignment out;
    const auto* p = image.partition(partition_);
    if (!p) return out;
    out.row = {.epoch = p->leader_epoch,
               .version = p->partition_epoch,
               .leader = p->leader,
               .replicas = p->replicas,
               .isr = p->isr,
               .recovering = p->recovering};
    out.min_isr =
        metadata::min_isr({image, BrokerId{0}, static_configs_}, kTopic, p->replicas.size());
    for (const auto& [id, broker] : image.brokers())
        out.brokers[id] = {.epoch = broker->epoch, .active = image.active(id)};
    return out;
}

std::optional<int64_t> Metadata::enroll(BrokerId id, const Process& process, InstantMs now) {
    metadata::Broker broker;
    broker.id = id;
    broker.incarnation = process.incarnation;
    broker.log_dirs = {process.directory};
    broker.features = controller::supported_features();
    auto outcome = controller::register_broker(state(), {broker, process.clean_epoch}, index() + 1,
                                               sessions_.alive(image(), id, now));
    if (!outcome.ok()) return std::nullopt;
    const int64_t epoch = commit(*std::move(outcome));
    sessions_.heard({id, epoch}, 0, now);
    return epoch;
}

Metadata::Pulse Metadata::beat(BrokerId id, const Beat& beat, InstantMs now) {
    const controller::Heartbeat heartbeat{.broker = id,
                                          .epoch = beat.epoch,
                                          .metadata_index = beat.index,
                                          .wants_shutdown = beat.stops};
    auto outcome =
        controller::heartbeat(state(), heartbeat, sessions_.withdrawal(image(), {id, beat.epoch}));
    if (!outcome.ok()) return Pulse::unknown;
    sessions_.heard({id, beat.epoch}, beat.index, now);
    const auto answer = commit(*std::move(outcome));
    if (answer.leads_nothing) sessions_.withdrawn({id, beat.epoch}, index());
    return answer.may_stop ? Pulse::may_stop : Pulse::lives;
}

void Metadata::expire(InstantMs now) {
    for (const auto& broker : sessions_.expired(image(), now)) fence(broker.id);
}

void Metadata::lost(BrokerId id, int64_t epoch, InstantMs now) { sessions_.lost({id, epoch}, now); }

void Metadata::fence(BrokerId id) {
    auto outcome = controller::fence_broker(state(), id, image().broker(id)->epoch);
    if (outcome.ok()) commit(*std::move(outcome));
}

Answer Metadata::alter(BrokerId asks, int64_t broker_epoch, const Proposal& proposal) {
    kafka::AlterPartitionRequest request;
    request.broker_id = asks.value;
    request.broker_epoch = broker_epoch;
    auto& topic = request.topics.emplace_back();
    topic.topic_id = partition_.topic;
    auto& row = topic.partitions.emplace_back();
    row.partition_index = partition_.index;
    row.leader_epoch = proposal.epoch;
    row.partition_epoch = proposal.version;
    for (const auto& member : proposal.isr)
        row.new_isr_with_epochs.push_back({member.id.value, member.broker_epoch});
    const auto response = commit(controller::alter_partitions(state(), request));
    // Who asks is not the process that is registered: as if the row had changed.
    if (response.error_code != kafka::ErrorCode::none) return Answer::stale;
    switch (response.topics[0].partitions[0].error_code) {
        case kafka::ErrorCode::none:
        case kafka::ErrorCode::new_leader_elected:
            return Answer::taken;
        case kafka::ErrorCode::ineligible_replica:
            return Answer::ineligible;
        case kafka::ErrorCode::not_controller:
            return Answer::unknown;
        default:
            return Answer::stale;
    }
}

void Metadata::move(const std::vector<BrokerId>& to) {
    kafka::AlterPartitionReassignmentsRequest request;
    std::vector<int32_t> ids;
    for (const BrokerId id : to) ids.push_back(id.value);
    request.topics.push_back({kTopic, {{partition_.index, ids}}});
    commit(controller::alter_reassignments(state(), request));
}

void Metadata::take_back_move() {
    kafka::AlterPartitionReassignmentsRequest request;
    request.topics.push_back({kTopic, {{partition_.index, std::nullopt}}});
    commit(controller::alter_reassignments(state(), request));
}

void Metadata::elect_preferred() {
    kafka::ElectLeadersRequest request;
    request.topic_partitions.reset();
    commit(controller::elect_leaders(state(), request));
}

bool Metadata::stuck() const {
    const auto& p = row();
    return p.leader == kNobody && p.isr.empty() && p.elr.empty() && p.last_known_elr.empty();
}

void Metadata::elect_uncleanly() {
    kafka::ElectLeadersRequest request;
    request.election_type = 1;
    request.topic_partitions.reset();
    loss_accepted_ = true;
    commit(controller::elect_leaders(state(), request));
    loss_accepted_ = false;
}

void Metadata::configure(const std::string& option, const std::string& value) {
    kafka::IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = 2;
    resource.resource_name = kTopic;
    auto& config = resource.configs.emplace_back();
    config.name = option;
    config.value = value;
    commit(controller::incremental_alter_configs(state(), request));
}

}  // namespace replica::sim
