#include "kafka/codec.h"
#include "kafka/messages/alter_configs.h"
#include "kafka/messages/describe_configs.h"
#include "kafka/messages/incremental_alter_configs.h"
#include "kafka/messages/list_config_resources.h"

namespace kafka {

MOLDAU_WIRE(DescribeConfigsRequest);
MOLDAU_WIRE(DescribeConfigsResponse);
MOLDAU_WIRE(AlterConfigsRequest);
MOLDAU_WIRE(AlterConfigsResponse);
MOLDAU_WIRE(IncrementalAlterConfigsRequest);
MOLDAU_WIRE(IncrementalAlterConfigsResponse);
MOLDAU_WIRE(ListConfigResourcesRequest);
MOLDAU_WIRE(ListConfigResourcesResponse);

}  // namespace kafka
