#include "kafka/records/builder.h"

#include <algorithm>

#include "base/check.h"
#include "base/endian.h"
#include "base/varint.h"

namespace kafka {
namespace {

void put_bytes(base::Bytes& out, std::optional<base::View> bytes) {
    if (!bytes) {
        base::put_zigzag(out, -1);
        return;
    }
    base::put_zigzag(out, static_cast<int64_t>(bytes->size()));
    out.insert(out.end(), bytes->begin(), bytes->end());
}

}  // namespace

BatchBuilder::BatchBuilder(const Options& options) : options_(options), bytes_(batch_header_size) {}

void BatchBuilder::add(const NewRecord& record) {
    if (count_ == 0) base_timestamp_ = record.timestamp;
    max_timestamp_ = std::max(max_timestamp_, record.timestamp);
    body_.clear();
    body_.push_back(std::byte{0});
    base::put_zigzag(body_, record.timestamp - base_timestamp_);
    base::put_zigzag(body_, count_);
    put_bytes(body_, record.key);
    put_bytes(body_, record.value);
    base::put_zigzag(body_, static_cast<int64_t>(record.headers.size()));
    for (const auto& header : record.headers) {
        put_bytes(body_, base::as_bytes(header.key));
        put_bytes(body_, header.value);
    }
    put_bytes(bytes_, body_);
    ++count_;
}

void BatchBuilder::add(base::TimestampMs timestamp, std::string_view key, std::string_view value) {
    add({.timestamp = timestamp, .key = base::as_bytes(key), .value = base::as_bytes(value)});
}

base::Bytes BatchBuilder::build() && {
    if (options_.compression.codec != Codec::none && count_ > 0) {
        base::Bytes packed(batch_header_size);
        compress(options_.compression, base::View(bytes_).subspan(batch_header_size), packed);
        bytes_ = std::move(packed);
    }
    const auto put = [this]<class I>(size_t at, I v) { base::store_be(bytes_.data() + at, v); };
    CHECK(bytes_.size() - batch_frame_size <= 0x7fffffff) << "a batch counts its bytes in 31 bits";
    put(batch_field::base_offset, options_.base_offset);
    put(batch_field::length, static_cast<int32_t>(bytes_.size() - batch_frame_size));
    put(batch_field::leader_epoch, options_.leader_epoch);
    put(batch_field::magic, batch_magic);
    put(batch_field::last_offset_delta, std::max(count_ - 1, 0));
    put(batch_field::base_timestamp, base_timestamp_);
    put(batch_field::max_timestamp, max_timestamp_);
    put(batch_field::producer_id, options_.producer_id.value);
    put(batch_field::producer_epoch, options_.producer_epoch);
    put(batch_field::base_sequence, options_.base_sequence);
    put(batch_field::count, count_);
    const int attributes = (options_.transactional ? batch_attribute::transactional : 0) |
                           (options_.control ? batch_attribute::control : 0);
    BatchEditor editor(bytes_);
    editor.set_attributes(static_cast<int16_t>(attributes));
    if (count_ > 0) editor.set_codec(options_.compression.codec);
    editor.set_timestamp_type(options_.timestamp_type);
    editor.update_crc();
    return std::move(bytes_);
}

}  // namespace kafka
