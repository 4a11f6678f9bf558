#include "kafka/codec.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/describe_cluster.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/describe_topic_partitions.h"
#include "kafka/messages/find_coordinator.h"
#include "kafka/messages/metadata.h"

namespace kafka {

MOLDAU_WIRE(ApiVersionsRequest);
MOLDAU_WIRE(ApiVersionsResponse);
MOLDAU_WIRE(MetadataRequest);
MOLDAU_WIRE(MetadataResponse);
MOLDAU_WIRE(DescribeTopicPartitionsRequest);
MOLDAU_WIRE(DescribeTopicPartitionsResponse);
MOLDAU_WIRE(DescribeClusterRequest);
MOLDAU_WIRE(DescribeClusterResponse);
MOLDAU_WIRE(DescribeLogDirsRequest);
MOLDAU_WIRE(DescribeLogDirsResponse);
MOLDAU_WIRE(FindCoordinatorRequest);
MOLDAU_WIRE(FindCoordinatorResponse);

}  // namespace kafka
