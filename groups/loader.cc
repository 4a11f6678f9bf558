#include "groups/loader.h"

#include "kafka/records/batch.h"
#include "kafka/records/compression.h"
#include "kafka/records/records.h"

namespace groups {

namespace {

/// What a coordinator's batch may take decompressed; its own are not compressed at all.
constexpr size_t decompressed_max = 256u << 20;

base::Status at(base::Offset offset, const std::string& why) {
    return base::data_loss("offset " + std::to_string(offset) + ": " + why);
}

base::Status take_records(const kafka::BatchView& batch, base::View records, Loaded& to) {
    kafka::RecordReader reader(batch, records);
    while (reader.next()) {
        const auto& record = reader.record();
        if (!record.key) return at(record.offset, "a record without a key");
        auto parsed = parse(*record.key, record.value);
        if (!parsed.ok()) return at(record.offset, base::message(parsed.status()));
        if (std::holds_alternative<ForeignRecord>(*parsed)) ++to.foreign;
        else to.records.push_back(*std::move(parsed));
    }
    return reader.ok() ? base::ok() : at(batch.base_offset(), std::string(reader.error()));
}

base::Status take_batch(const kafka::BatchView& batch, Loaded& to) {
    if (!batch.crc_ok()) return at(batch.base_offset(), "a batch fails its checksum");
    if (batch.control()) return base::ok();
    if (batch.transactional()) return at(batch.base_offset(), "offsets of a transaction");
    const auto codec = batch.codec();
    if (!codec) return at(batch.base_offset(), "an unknown compression");
    if (*codec == kafka::Codec::none) return take_records(batch, batch.records(), to);
    ASSIGN_OR_RETURN(const auto plain,
                     kafka::decompress(*codec, batch.records(), decompressed_max));
    return take_records(batch, plain.bytes(), to);
}

base::Status load_into(base::View batches, Loaded& to) {
    to.bytes += batches.size();
    while (!batches.empty()) {
        const auto batch = kafka::take_batch(batches);
        if (!batch) return base::data_loss("bytes that are no record batch");
        RETURN_IF_ERROR(take_batch(*batch, to));
        to.epoch = batch->leader_epoch();
    }
    return base::ok();
}

}  // namespace

base::Result<Loaded> load(base::View batches) {
    Loaded loaded;
    RETURN_IF_ERROR(load_into(batches, loaded));
    return loaded;
}

base::Result<Loaded> load(const storage::LogRead& read) {
    Loaded loaded;
    base::Bytes bytes;
    for (const auto& slice : read.slices) {
        bytes.resize(slice.size);
        ASSIGN_OR_RETURN(const size_t got, slice.file->read_at(slice.position, bytes));
        if (got != slice.size)
            return base::data_loss("the file of a segment is shorter than its batches");
        RETURN_IF_ERROR(load_into(bytes, loaded));
    }
    return loaded;
}

}  // namespace groups
