#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/kafka_client.h"
#include "cli/output.h"
#include "kafka/messages/describe_quorum.h"

namespace cli {

/// The quorum of controllers, as DescribeQuorum tells it.
struct Quorum {
    using Replica = kafka::DescribeQuorumResponse::ReplicaState;

    int32_t leader_id = -1;  // -1: not known
    int32_t leader_epoch = 0;
    int64_t high_watermark = 0;
    std::vector<Replica> voters;               // by id
    std::vector<Replica> observers;            // by id
    std::map<int32_t, std::string> addresses;  // HOST:PORT of controller listeners, if told
};

/// A member of the quorum, as it is shown.
struct QuorumRow {
    int32_t node = 0;
    std::string role;  // leader, voter, observer
    std::string address;
    int64_t log_end = 0;
    std::optional<int64_t> lag;            // entries behind the leader; nothing: not known
    std::optional<int64_t> caught_up_ms;   // since it had all that the leader had
    std::optional<int64_t> last_heard_ms;  // since it last asked or answered
};
/// Voters first, each by id.
std::vector<QuorumRow> rows_of(const Quorum&);
Table table_of(const std::vector<QuorumRow>&);
nlohmann::ordered_json json_of(const std::vector<QuorumRow>&);

/// Of an answer. kAborted: there is no leader to tell; kInternal: it is not of the metadata.
base::Result<Quorum> quorum_of(const kafka::DescribeQuorumResponse& answer);
/// Asks any broker.
base::Result<Quorum> describe_quorum(KafkaClient& client);

}  // namespace cli
