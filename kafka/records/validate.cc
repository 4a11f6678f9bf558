#include "kafka/records/validate.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "kafka/records/records.h"

namespace kafka {
namespace {

using Refusal = std::optional<BatchRefused>;

constexpr size_t record_errors_most = 64;

BatchRefused refuse(ErrorCode code, std::string message) { return {code, std::move(message), {}}; }
BatchRefused invalid(std::string message) {
    return refuse(ErrorCode::invalid_record, std::move(message));
}

/// Exactly one batch of format 2 fills `bytes`.
Refusal check_framing(base::View bytes) {
    using Found = BatchPeek::Found;
    if (bytes.empty()) return invalid("a partition's records hold no batch");
    const auto peek = peek_batch(bytes);
    switch (peek.found) {
        case Found::batch:
            break;
        case Found::cut:
            return refuse(ErrorCode::corrupt_message, "the batch is cut short");
        case Found::bad_size:
            return refuse(ErrorCode::corrupt_message, "the batch's length is wrong");
        case Found::bad_magic:
            if (peek.magic > batch_magic || peek.magic < 0) {
                return invalid(absl::StrCat("batches of magic ", peek.magic, " are not known"));
            }
            return refuse(ErrorCode::unsupported_for_message_format,
                          absl::StrCat("batches of magic ", peek.magic, " are not taken"));
    }
    if (peek.size == bytes.size()) return std::nullopt;
    if (peek_batch(bytes.subspan(peek.size)).found == Found::batch) {
        return invalid("a partition's records hold more than one batch");
    }
    return refuse(ErrorCode::corrupt_message, "bytes are left over after the batch");
}

Refusal check_codec(const BatchView& batch, const BatchRules& rules) {
    const auto codec = batch.codec();
    if (!codec) {
        return refuse(ErrorCode::unsupported_compression_type, "the batch's codec is not known");
    }
    if (*codec == Codec::zstd && !rules.zstd_allowed) {
        return refuse(ErrorCode::unsupported_compression_type,
                      "zstd needs Produce version 7 or later");
    }
    return std::nullopt;
}

Refusal check_header(const BatchView& batch, const BatchRules& rules) {
    if (batch.base_offset() != 0) return invalid("a client's batch begins at offset 0");
    if (batch.count() <= 0) return invalid("the batch counts no record");
    if (batch.last_offset_delta() != batch.count() - 1) {
        return invalid("record count and last offset do not match");
    }
    if (batch.control()) return invalid("clients may not write control batches");
    if (batch.has_delete_horizon()) return invalid("clients may not set a delete horizon");
    if (batch.has_producer()) {
        if (batch.producer_epoch() < 0 || batch.base_sequence() < 0) {
            return invalid("a batch with a producer id needs an epoch and a sequence");
        }
    } else if (batch.transactional()) {
        return invalid("a transactional batch needs a producer id");
    }
    if (rules.timestamp_type == TimestampType::create_time &&
        batch.timestamp_type() == TimestampType::log_append_time) {
        return refuse(ErrorCode::invalid_timestamp,
                      "the topic has CreateTime, the batch claims LogAppendTime");
    }
    return std::nullopt;
}

bool in_window(base::TimestampMs timestamp, const BatchRules& rules, base::TimestampMs now) {
    if (timestamp == -1) return true;
    if (timestamp < 0) return false;
    // Both are non-negative, so the differences can't overflow.
    return timestamp <= now ? now - timestamp <= rules.timestamp_before_max_ms
                            : timestamp - now <= rules.timestamp_after_max_ms;
}

/// The records of one batch, looked at one by one.
class RecordChecks {
  public:
    RecordChecks(const BatchRules& rules, base::TimestampMs now) : rules_(rules), now_(now) {}

    Refusal run(const BatchView& batch, base::View records) {
        RecordReader reader(batch, records);
        while (reader.next()) check(reader.record(), reader.index());
        if (!reader.ok()) {
            auto refused = invalid(std::string(reader.error()));
            if (reader.index() < batch.count()) {
                refused.records.push_back({reader.index(), std::string(reader.error())});
            }
            return refused;
        }
        if (errors_.empty()) return std::nullopt;
        auto message = errors_.front().message;
        return BatchRefused{code_, std::move(message), std::move(errors_)};
    }

    base::TimestampMs max_timestamp() const { return max_timestamp_; }

  private:
    void check(const Record& record, int32_t index) {
        if (record.offset_delta != index) {
            fail(index, ErrorCode::invalid_record, "the record's offset is not its place");
        }
        if (rules_.keys_required && !record.key) {
            fail(index, ErrorCode::invalid_record, "a compacted topic takes no record without key");
        }
        if (rules_.timestamp_type == TimestampType::log_append_time) return;
        if (!in_window(record.timestamp, rules_, now_)) {
            fail(
                index, ErrorCode::invalid_timestamp,
                absl::StrCat("timestamp ", record.timestamp, " is too far from the broker's time"));
        }
        max_timestamp_ = std::max(max_timestamp_, record.timestamp);
    }

    void fail(int32_t index, ErrorCode code, std::string message) {
        // As Kafka answers: a timestamp's error is the batch's, whatever else is wrong.
        if (errors_.empty() || code == ErrorCode::invalid_timestamp) code_ = code;
        if (errors_.size() < record_errors_most) errors_.push_back({index, std::move(message)});
    }

    const BatchRules& rules_;
    base::TimestampMs now_;
    base::TimestampMs max_timestamp_ = -1;
    ErrorCode code_ = ErrorCode::none;
    std::vector<RecordError> errors_;
};

BatchRefused refuse_stream(const base::Status& status) {
    const auto code = absl::IsResourceExhausted(status) ? ErrorCode::message_too_large
                                                        : ErrorCode::corrupt_message;
    return refuse(code, base::message(status));
}

base::Bytes recompress(const BatchView& batch, base::View records, const Compression& compression) {
    base::Bytes out;
    out.reserve(batch_header_size + records.size());
    const auto header = batch.bytes().first(batch_header_size);
    out.assign(header.begin(), header.end());
    compress(compression, records, out);
    base::store_be(out.data() + batch_field::length,
                   static_cast<int32_t>(out.size() - batch_frame_size));
    BatchEditor(out).set_codec(compression.codec);
    return out;
}

/// Sets what the broker answers for. The checksum is computed anew only if something changed.
void stamp(base::MutableView bytes, TimestampType type, base::TimestampMs max_timestamp,
           bool changed) {
    BatchEditor editor(bytes);
    if (editor.view().timestamp_type() != type) {
        editor.set_timestamp_type(type);
        changed = true;
    }
    if (editor.view().max_timestamp() != max_timestamp) {
        editor.set_max_timestamp(max_timestamp);
        changed = true;
    }
    if (changed) editor.update_crc();
}

}  // namespace

base::Expected<BatchAccepted, BatchRefused> validate_batch(base::MutableView bytes,
                                                           const BatchRules& rules,
                                                           base::TimestampMs now) {
    if (auto refused = check_framing(bytes)) return *std::move(refused);
    const BatchView batch(bytes);
    if (auto refused = check_codec(batch, rules)) return *std::move(refused);
    if (!batch.crc_ok()) {
        return refuse(ErrorCode::corrupt_message, "the batch fails its checksum");
    }
    if (batch.size() > rules.max_message_bytes) {
        return refuse(ErrorCode::message_too_large,
                      absl::StrCat("the batch has ", batch.size(), " bytes, allowed are ",
                                   rules.max_message_bytes));
    }
    if (auto refused = check_header(batch, rules)) return *std::move(refused);

    base::View records = batch.records();
    Decompressed decompressed;
    if (batch.compressed()) {
        auto result = decompress(*batch.codec(), records, rules.decompressed_max_bytes);
        if (!result.ok()) return refuse_stream(result.status());
        decompressed = *std::move(result);
        records = decompressed.bytes();
    }
    RecordChecks checks(rules, now);
    if (auto refused = checks.run(batch, records)) return *std::move(refused);

    const bool append_time = rules.timestamp_type == TimestampType::log_append_time;
    BatchAccepted accepted{.count = batch.count(),
                           .max_timestamp = append_time ? now : checks.max_timestamp()};
    const bool rebuild = rules.compression && rules.compression->codec != *batch.codec();
    if (rebuild) accepted.rebuilt = recompress(batch, records, *rules.compression);
    stamp(rebuild ? base::MutableView(*accepted.rebuilt) : bytes, rules.timestamp_type,
          accepted.max_timestamp, rebuild);
    return accepted;
}

}  // namespace kafka
