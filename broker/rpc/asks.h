#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"
#include "broker/resolve.h"
#include "broker/rpc/fields.h"
#include "kafka/records/builder.h"

/// The requests of proto/broker.proto, read from bytes that anybody may have sent. Pure.
/// Everything here fails with kInvalidArgument.
namespace broker::rpc {

/// A topic by its name, or by its id.
struct TopicName {
    std::string name;
    base::Uuid id;

    bool by_id() const { return name.empty(); }
    TopicRef ref() const { return {name, id, by_id()}; }
};

struct ProduceAsk {
    TopicName topic;
    std::optional<base::PartitionIndex> partition;  // none: by key, or in turn
    int16_t acks = -1;                              // as in Kafka
    std::chrono::milliseconds timeout{30'000};
    bool forwarded = false;
    /// A record batch as sent, in the message's memory; its bytes are not looked at yet.
    base::MutableView batch;
    bool has_batch = false;
    base::View message;  // whole: its records are read by RecordsIn
};
/// `message` lasts as long as what is read from it.
base::Result<ProduceAsk> read_produce(base::MutableView message);

/// The plain records of a Produce, one after the other, as views into the message.
class RecordsIn {
  public:
    explicit RecordsIn(base::View message) : fields_(message) {}

    /// Moves to the next record; false at the end and at the first fault.
    bool next();
    /// Its timestamp is -1 where the sender set none.
    const kafka::NewRecord& record() const { return record_; }
    base::Status status() const;

  private:
    bool read(base::View);
    bool read_header(base::View);

    Fields fields_;
    kafka::NewRecord record_;
    std::vector<kafka::RecordHeader> headers_;
    bool ok_ = true;
};

/// One batch of the message's records; what has no timestamp gets `now`.
base::Result<base::Bytes> batch_of(base::View message, base::TimestampMs now);
/// The partition out of `count` that the keys of the message's records lead to; nothing if none
/// has a key. Refused if they don't agree.
base::Result<std::optional<base::PartitionIndex>> partition_of(base::View message, int32_t count);

enum class Form : uint8_t { records, batches };

struct FetchAsk {
    static constexpr base::Offset oldest = -2, newest = -1;

    TopicName topic;
    base::PartitionIndex partition = 0;
    base::Offset offset = 0;  // or one of the two above
    uint32_t max_bytes = 1 << 20;
    int32_t min_bytes = 1;
    std::chrono::milliseconds max_wait{0};
    int8_t isolation = 0;  // as in Kafka
    Form form = Form::records;
    bool forwarded = false;
    bool any_replica = false;  // what is held, whoever leads and whatever is committed
};
base::Result<FetchAsk> read_fetch(base::View message);
base::Result<FetchAsk> read_fetch_stream(base::View message);

/// As another broker is asked: the topic by its id.
base::Bytes encode(const FetchAsk&);
/// The same, without the batch, whose head ends it.
base::Bytes encode_head(const ProduceAsk&);

}  // namespace broker::rpc
