#include "kafka/codec.h"
#include "kafka/messages/delete_records.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/init_producer_id.h"
#include "kafka/messages/list_offsets.h"
#include "kafka/messages/offset_for_leader_epoch.h"
#include "kafka/messages/produce.h"

namespace kafka {

MOLDAU_WIRE(ProduceRequest);
MOLDAU_WIRE(ProduceResponse);
MOLDAU_WIRE(FetchRequest);
MOLDAU_WIRE(FetchResponse);
MOLDAU_WIRE(ListOffsetsRequest);
MOLDAU_WIRE(ListOffsetsResponse);
MOLDAU_WIRE(OffsetForLeaderEpochRequest);
MOLDAU_WIRE(OffsetForLeaderEpochResponse);
MOLDAU_WIRE(DeleteRecordsRequest);
MOLDAU_WIRE(DeleteRecordsResponse);
MOLDAU_WIRE(InitProducerIdRequest);
MOLDAU_WIRE(InitProducerIdResponse);

}  // namespace kafka
