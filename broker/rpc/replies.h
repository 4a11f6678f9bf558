#pragma once
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "broker/append.h"
#include "broker/rpc/asks.h"
#include "kafka/errors.h"

/// The replies of proto/broker.proto. Pure but for reading the files of what is fetched.
namespace broker::rpc {

base::Bytes encode(const AppendOutcome&, base::PartitionIndex);
/// Of another broker. kInvalidArgument if it can't be read.
base::Result<AppendOutcome> read_produce_reply(base::View);

/// A FetchReply but for its records.
struct FetchHead {
    kafka::Error error;
    base::Offset high_watermark = -1;
    base::Offset last_stable_offset = -1;
    base::Offset log_start = -1;
    base::BrokerId leader{-1};
    base::LeaderEpoch leader_epoch = -1;
    base::Offset next = 0;
};

/// A reply, ready to leave: `payload` follows the head.
struct FetchBytes {
    FetchHead told;
    base::Bytes head;
    base::Slice payload;
};

FetchBytes encode(const FetchHead&);
/// Reads what was found and puts it into the form that was asked for. Of what is decoded as much as
/// max_bytes has room for, or else one record. Blocks.
FetchBytes render(const FetchAsk&, FetchHead, const std::vector<storage::FileSlice>&);

}  // namespace broker::rpc
