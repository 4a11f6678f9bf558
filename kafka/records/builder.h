#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "kafka/records/batch.h"
#include "kafka/records/compression.h"
#include "kafka/records/records.h"

namespace kafka {

/// A record to be put into a batch; the bytes are copied by add().
struct NewRecord {
    base::TimestampMs timestamp = -1;
    std::optional<base::View> key;
    std::optional<base::View> value;
    std::span<const RecordHeader> headers;
};

/// Builds a batch of format 2 as a client or a coordinator sends it.
///
///     BatchBuilder builder({.compression = {Codec::lz4}});
///     builder.add({.timestamp = now, .value = base::as_bytes("hello")});
///     base::Bytes batch = std::move(builder).build();
class BatchBuilder {
  public:
    struct Options {
        Compression compression;
        base::Offset base_offset = 0;
        base::LeaderEpoch leader_epoch = -1;
        TimestampType timestamp_type = TimestampType::create_time;
        base::ProducerId producer_id{-1};
        int16_t producer_epoch = -1;
        int32_t base_sequence = -1;
        bool transactional = false;
        bool control = false;
    };

    BatchBuilder() : BatchBuilder(Options{}) {}
    explicit BatchBuilder(const Options&);

    void add(const NewRecord&);
    /// Key and value as text, without headers.
    void add(base::TimestampMs timestamp, std::string_view key, std::string_view value);

    int32_t count() const { return count_; }
    bool empty() const { return count_ == 0; }
    /// Bytes of the batch so far, before compression.
    size_t size() const { return bytes_.size(); }

    /// The batch; with no record in it, an empty batch as compaction leaves behind.
    base::Bytes build() &&;

  private:
    Options options_;
    base::Bytes bytes_;  // room for the header, then the records
    base::Bytes body_;   // of the record that is being added
    int32_t count_ = 0;
    base::TimestampMs base_timestamp_ = -1;
    base::TimestampMs max_timestamp_ = -1;
};

}  // namespace kafka
