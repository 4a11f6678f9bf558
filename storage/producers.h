#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"
#include "kafka/errors.h"

namespace storage {

/// One of the last batches of a producer, as kept to recognize retries.
struct ProducerBatch {
    int32_t first_sequence = -1;
    int32_t last_sequence = -1;
    base::Offset first_offset = -1;
    base::Offset last_offset = -1;
    base::TimestampMs timestamp = -1;
};

struct ProducerState {
    static constexpr size_t kept = 5;  // as many as a client may have in flight

    int16_t epoch = -1;
    std::vector<ProducerBatch> batches;  // oldest first, at most `kept`
    base::TimestampMs last_timestamp = -1;
    base::Offset current_transaction_start = -1;  // -1: none
    /// Wall clock when this broker last noted a batch of it; not part of serialize(). Records may
    /// carry old timestamps, and their producer must not be forgotten for that.
    base::TimestampMs seen = -1;
};

/// What every idempotent producer wrote last to one partition. A function of the log's content,
/// apart from expiry; pure.
class Producers {
  public:
    /// What a batch says of its producer.
    struct Claim {
        base::ProducerId id{-1};
        int16_t epoch = -1;
        int32_t first_sequence = -1;
        int32_t last_sequence = -1;
        bool transactional = false;
        bool control = false;  // an end-of-transaction marker: no sequence
    };

    /// Whether the batch may be appended; the earlier append if it is a retry; or 45, 47, 48.
    kafka::Outcome<std::optional<ProducerBatch>> check(const Claim&) const;
    /// Notes a batch that is in the log now.
    void record(const Claim&, const ProducerBatch&, base::TimestampMs now = -1);
    /// Forgets those that wrote nothing for `expiration_ms`.
    void expire(base::TimestampMs now, int64_t expiration_ms);
    void clear() { states_.clear(); }
    /// Counts all, or one that is known, as seen at `now`: after they were rebuilt from the log.
    void touch(base::TimestampMs now);
    void touch(base::ProducerId, base::TimestampMs now);

    const absl::flat_hash_map<base::ProducerId, ProducerState>& states() const { return states_; }

    /// Sorted by id, with a checksum. kDataLoss if it is not what serialize() wrote.
    std::string serialize() const;
    static base::Result<Producers> parse(std::string_view);

  private:
    absl::flat_hash_map<base::ProducerId, ProducerState> states_;
};

}  // namespace storage
