#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/ids.h"
#include "controller/raft/types.h"

/// What nodes ask of each other apart from Raft's own messages: see proto/controller.proto.
namespace controller::rpc {

/// A Kafka request without its header, as a node passes it on to the active controller.
struct Call {
    std::string cluster_id;
    base::BrokerId from;  // the node that asks
    int16_t api_key = 0;
    int16_t api_version = 0;
    std::string body;

    bool operator==(const Call&) const = default;
};

/// The Kafka response without its header. Once the asker has applied the metadata log up to the
/// index, it sees what the call has brought about. Or else the Kafka error of the request as a
/// whole, which is what the controller would tell a client of its own.
struct CallResult {
    int64_t metadata_index = 0;
    std::string body;
    int16_t error_code = 0;
    std::string error_message;

    bool operator==(const CallResult&) const = default;
};

/// A node asks another to be taken into the group, or only who is there.
struct JoinRequest {
    raft::Member self;
    std::string address;     // HOST:PORT where the asker listens
    std::string cluster_id;  // empty: its disk is blank
    bool voter = false;      // a controller; otherwise a mere broker, which never votes

    bool operator==(const JoinRequest&) const = default;
};

struct JoinReply {
    std::string cluster_id;  // empty: the node that answers is blank too
    raft::Member self;       // who answers
    std::string refusal;     // why it does not take the asker in; empty if it does

    bool operator==(const JoinReply&) const = default;
};

/// Whoever runs the cluster asks the leader to let another voter lead. The answer is a status: that
/// the voter was asked to campaign, or why not.
struct TransferRequest {
    std::string cluster_id;
    base::BrokerId to;

    bool operator==(const TransferRequest&) const = default;
};

/// Of a request's address and cluster id: what is longer is neither.
inline constexpr size_t kMostTextBytes = 1024;

}  // namespace controller::rpc
