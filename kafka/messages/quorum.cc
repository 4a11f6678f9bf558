#include "kafka/codec.h"
#include "kafka/messages/add_raft_voter.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/remove_raft_voter.h"
#include "kafka/messages/update_features.h"

namespace kafka {

MOLDAU_WIRE(DescribeQuorumRequest);
MOLDAU_WIRE(DescribeQuorumResponse);
MOLDAU_WIRE(AddRaftVoterRequest);
MOLDAU_WIRE(AddRaftVoterResponse);
MOLDAU_WIRE(RemoveRaftVoterRequest);
MOLDAU_WIRE(RemoveRaftVoterResponse);
MOLDAU_WIRE(UpdateFeaturesRequest);
MOLDAU_WIRE(UpdateFeaturesResponse);

}  // namespace kafka
