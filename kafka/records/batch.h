#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/endian.h"
#include "base/ids.h"
#include "base/time.h"

namespace kafka {

/// Compression of a batch's records, as bits 0-2 of its attributes number it.
enum class Codec : uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };
/// Kafka's name of the codec, as in compression.type: "none", "gzip", ...
std::string_view name(Codec);

enum class TimestampType : uint8_t { create_time = 0, log_append_time = 1 };

/// Where the fields of a record batch of format 2 stand, in bytes from its start. All integers are
/// big-endian. https://kafka.apache.org/documentation/#recordbatch
namespace batch_field {
inline constexpr size_t base_offset = 0;         // i64
inline constexpr size_t length = 8;              // i32: bytes after this field
inline constexpr size_t leader_epoch = 12;       // i32
inline constexpr size_t magic = 16;              // i8
inline constexpr size_t crc = 17;                // u32, CRC-32C of what follows it
inline constexpr size_t attributes = 21;         // i16
inline constexpr size_t last_offset_delta = 23;  // i32
inline constexpr size_t base_timestamp = 27;     // i64
inline constexpr size_t max_timestamp = 35;      // i64
inline constexpr size_t producer_id = 43;        // i64
inline constexpr size_t producer_epoch = 51;     // i16
inline constexpr size_t base_sequence = 53;      // i32
inline constexpr size_t count = 57;              // i32
inline constexpr size_t records = 61;            // to the end
}  // namespace batch_field

/// Bytes before the records: the least that a batch can have.
inline constexpr size_t batch_header_size = batch_field::records;
/// Base offset and length: what the length field does not count.
inline constexpr size_t batch_frame_size = 12;
/// Bytes that show size and format of a batch.
inline constexpr size_t batch_peek_size = batch_field::magic + 1;
inline constexpr int8_t batch_magic = 2;

namespace batch_attribute {
inline constexpr int16_t codec_mask = 0x07;
inline constexpr int16_t log_append_time = 0x08;
inline constexpr int16_t transactional = 0x10;
inline constexpr int16_t control = 0x20;
inline constexpr int16_t delete_horizon = 0x40;  // then the base timestamp is the horizon
}  // namespace batch_attribute

/// `first` moved on by `by` >= 0 records. Sequences go from 2^31 - 1 to 0.
constexpr int32_t sequence_plus(int32_t first, int32_t by) {
    constexpr int32_t most = std::numeric_limits<int32_t>::max();
    return first > most - by ? by - (most - first) - 1 : first + by;
}

/// A record batch of format 2 in place. Made by take_batch() or peek_batch(), which check size and
/// magic and nothing else: the rest of the header and the records may still be nonsense.
class BatchView {
  public:
    /// `bytes` is one whole batch, at least batch_header_size long.
    explicit BatchView(base::View bytes) : bytes_(bytes) {}

    base::View bytes() const { return bytes_; }
    size_t size() const { return bytes_.size(); }
    base::View records() const { return bytes_.subspan(batch_field::records); }

    base::Offset base_offset() const { return get<int64_t>(batch_field::base_offset); }
    base::LeaderEpoch leader_epoch() const { return get<int32_t>(batch_field::leader_epoch); }
    uint32_t crc() const { return get<uint32_t>(batch_field::crc); }
    int16_t attributes() const { return get<int16_t>(batch_field::attributes); }
    int32_t last_offset_delta() const { return get<int32_t>(batch_field::last_offset_delta); }
    base::TimestampMs base_timestamp() const { return get<int64_t>(batch_field::base_timestamp); }
    base::TimestampMs max_timestamp() const { return get<int64_t>(batch_field::max_timestamp); }
    base::ProducerId producer_id() const { return {get<int64_t>(batch_field::producer_id)}; }
    int16_t producer_epoch() const { return get<int16_t>(batch_field::producer_epoch); }
    int32_t base_sequence() const { return get<int32_t>(batch_field::base_sequence); }
    /// As the header says; compaction may leave fewer records than last_offset_delta() + 1.
    int32_t count() const { return get<int32_t>(batch_field::count); }

    base::Offset last_offset() const { return base_offset() + last_offset_delta(); }
    base::Offset next_offset() const { return last_offset() + 1; }
    /// Sequence of the last record; -1 without a producer id.
    int32_t last_sequence() const {
        return has_producer() ? sequence_plus(base_sequence(), last_offset_delta()) : -1;
    }

    /// Nothing if the bits name no codec (Kafka error 76).
    std::optional<Codec> codec() const {
        const auto bits = attributes() & batch_attribute::codec_mask;
        return bits <= 4 ? std::optional(static_cast<Codec>(bits)) : std::nullopt;
    }
    bool compressed() const { return has(batch_attribute::codec_mask); }
    TimestampType timestamp_type() const {
        return has(batch_attribute::log_append_time) ? TimestampType::log_append_time
                                                     : TimestampType::create_time;
    }
    bool has_producer() const { return producer_id().value >= 0; }
    bool transactional() const { return has(batch_attribute::transactional); }
    bool control() const { return has(batch_attribute::control); }
    bool has_delete_horizon() const { return has(batch_attribute::delete_horizon); }

    /// Computes the checksum and compares.
    bool crc_ok() const;

  private:
    template <class I>
    I get(size_t at) const {
        return base::load_be<I>(bytes_.data() + at);
    }
    bool has(int16_t bits) const { return (attributes() & bits) != 0; }

    base::View bytes_;
};

/// Changes header fields in place. Offset and leader epoch lie outside the checksum; after the
/// other setters comes update_crc().
class BatchEditor {
  public:
    /// `bytes` is one whole batch, at least batch_header_size long.
    explicit BatchEditor(base::MutableView bytes) : bytes_(bytes) {}

    BatchView view() const { return BatchView(bytes_); }

    void set_base_offset(base::Offset v) { set(batch_field::base_offset, v); }
    void set_leader_epoch(base::LeaderEpoch v) { set(batch_field::leader_epoch, v); }

    void set_attributes(int16_t v) { set(batch_field::attributes, v); }
    void set_codec(Codec);
    void set_timestamp_type(TimestampType);
    void set_base_timestamp(base::TimestampMs v) { set(batch_field::base_timestamp, v); }
    void set_max_timestamp(base::TimestampMs v) { set(batch_field::max_timestamp, v); }
    void update_crc();

  private:
    template <class I>
    void set(size_t at, I v) {
        base::store_be<I>(bytes_.data() + at, v);
    }

    base::MutableView bytes_;
};

/// What stands at the front of some bytes.
struct BatchPeek {
    enum class Found : uint8_t {
        batch,      // `size` bytes, all there
        cut,        // the bytes end before the batch does, or before its size can be seen
        bad_size,   // a length that no batch of this format has
        bad_magic,  // another format; `magic` says which
    };
    Found found = Found::cut;
    size_t size = 0;  // of the whole batch, as its length field says; 0: can't be seen or is bad
    int8_t magic = -1;
};

/// Looks at size and format only. Needs batch_peek_size bytes to say more than `cut` of a good
/// size.
BatchPeek peek_batch(base::View in);

/// Takes the batch at the front of `in`; nothing, and `in` unchanged, if there is no whole one.
std::optional<BatchView> take_batch(base::View& in);

}  // namespace kafka
