#pragma once
#include "kafka/records/batch.h"
#include "storage/producers.h"

namespace storage {

/// What the header of a batch says of its producer, and where it stands.
inline Producers::Claim claim_of(const kafka::BatchView& batch) {
    return {.id = batch.producer_id(),
            .epoch = batch.producer_epoch(),
            .first_sequence = batch.base_sequence(),
            .last_sequence = batch.last_sequence(),
            .transactional = batch.transactional(),
            .control = batch.control()};
}

/// Notes a numbered batch that is in the log; nothing if no producer id is in it.
inline void record_producer(Producers& producers, const kafka::BatchView& batch,
                            base::TimestampMs now) {
    if (!batch.has_producer()) return;
    producers.record(claim_of(batch),
                     {.first_sequence = batch.base_sequence(),
                      .last_sequence = batch.last_sequence(),
                      .first_offset = batch.base_offset(),
                      .last_offset = batch.last_offset(),
                      .timestamp = batch.max_timestamp()},
                     now);
}

}  // namespace storage
