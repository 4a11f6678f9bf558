#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/kafka_client.h"
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

/// Of an answer. kAborted: there is no leader to tell; kInternal: it is not of the metadata.
base::Result<Quorum> quorum_of(const kafka::DescribeQuorumResponse& answer);
/// Asks any broker.
base::Result<Quorum> describe_quorum(KafkaClient& client);

}  // namespace cli
