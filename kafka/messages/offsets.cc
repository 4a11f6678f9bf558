#include "kafka/codec.h"
#include "kafka/messages/offset_commit.h"
#include "kafka/messages/offset_delete.h"
#include "kafka/messages/offset_fetch.h"

namespace kafka {

MOLDAU_WIRE(OffsetCommitRequest);
MOLDAU_WIRE(OffsetCommitResponse);
MOLDAU_WIRE(OffsetFetchRequest);
MOLDAU_WIRE(OffsetFetchResponse);
MOLDAU_WIRE(OffsetDeleteRequest);
MOLDAU_WIRE(OffsetDeleteResponse);

}  // namespace kafka
