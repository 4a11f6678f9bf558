#include "kafka/records/records.h"

#include "base/check.h"
#include "base/varint.h"

namespace kafka {
namespace {

// Nearly every varint of a record is one or two bytes long.
template <class I>
[[gnu::always_inline]] inline std::optional<I> take(base::View& in) {
    if (!in.empty() && static_cast<uint8_t>(in[0]) < 0x80) [[likely]] {
        const auto v = static_cast<I>(base::unzigzag(static_cast<uint8_t>(in[0])));
        in = in.subspan(1);
        return v;
    }
    if (in.size() >= 2 && static_cast<uint8_t>(in[1]) < 0x80) {
        const auto low = static_cast<uint32_t>(in[0]) & 0x7f;
        const auto v = static_cast<I>(base::unzigzag(low | static_cast<uint32_t>(in[1]) << 7));
        in = in.subspan(2);
        return v;
    }
    if constexpr (sizeof(I) == 8) return base::take_zigzag64(in);
    else return base::take_zigzag32(in);
}

/// Takes a length and that many bytes. False: cut, or negative without being `nullable`'s -1.
inline bool take_bytes(base::View& in, bool nullable, std::optional<base::View>& out) {
    const auto length = take<int32_t>(in);
    if (!length) return false;
    if (*length == -1 && nullable) {
        out.reset();
        return true;
    }
    if (*length < 0 || static_cast<size_t>(*length) > in.size()) return false;
    out = in.first(static_cast<size_t>(*length));
    in = in.subspan(static_cast<size_t>(*length));
    return true;
}

}  // namespace

RecordHeaders::Iterator::Iterator(base::View rest, int32_t left) : rest_(rest), left_(left) {
    if (left_ > 0) take();
}

RecordHeaders::Iterator& RecordHeaders::Iterator::operator++() {
    if (--left_ > 0) take();
    return *this;
}

void RecordHeaders::Iterator::take() {
    std::optional<base::View> key;
    const bool whole = take_bytes(rest_, false, key) && take_bytes(rest_, true, header_.value);
    CHECK(whole) << "the reader lets no broken header through";
    header_.key = base::as_text(*key);
}

RecordReader::RecordReader(const BatchView& batch, base::View records)
    : rest_(records),
      base_offset_(batch.base_offset()),
      base_timestamp_(batch.base_timestamp()),
      append_time_(batch.max_timestamp()),
      last_delta_(batch.last_offset_delta()),
      count_(batch.count()),
      log_append_time_(batch.timestamp_type() == TimestampType::log_append_time) {}

bool RecordReader::next() {
    if (!ok()) return false;
    ++index_;
    if (index_ >= count_) {
        if (count_ < 0) return fail("the record count is negative");
        if (!rest_.empty()) return fail("bytes are left over after the last record");
        return false;
    }
    const auto length = take<int32_t>(rest_);
    if (!length) return fail("a record's length is cut short");
    if (*length < 0) return fail("a record's length is negative");
    if (static_cast<size_t>(*length) > rest_.size()) return fail("a record is cut short");
    const auto body = rest_.first(static_cast<size_t>(*length));
    rest_ = rest_.subspan(body.size());
    return parse(body);
}

bool RecordReader::parse(base::View body) {
    if (body.empty()) return fail("a record is empty");
    body = body.subspan(1);  // attributes, of which none is in use
    const auto timestamp_delta = take<int64_t>(body);
    if (!timestamp_delta) return fail("a timestamp delta is malformed");
    if (__builtin_add_overflow(base_timestamp_, *timestamp_delta, &record_.timestamp)) {
        return fail("a timestamp is out of range");
    }
    if (log_append_time_) record_.timestamp = append_time_;
    const auto offset_delta = take<int32_t>(body);
    if (!offset_delta) return fail("an offset delta is malformed");
    if (*offset_delta <= previous_delta_) return fail("offsets do not grow");
    if (*offset_delta > last_delta_) return fail("an offset is past the batch's last one");
    previous_delta_ = record_.offset_delta = *offset_delta;
    if (__builtin_add_overflow(base_offset_, *offset_delta, &record_.offset)) {
        return fail("an offset is out of range");
    }
    if (!take_bytes(body, true, record_.key)) return fail("a key is malformed");
    if (!take_bytes(body, true, record_.value)) return fail("a value is malformed");
    const auto headers = take<int32_t>(body);
    if (!headers || *headers < 0) return fail("a header count is malformed");
    const auto header_bytes = body;
    if (*headers > 0 && !skip_headers(body, *headers)) return fail("a header is malformed");
    if (!body.empty()) return fail("a record has bytes left over");
    record_.headers = RecordHeaders(header_bytes, *headers);
    return true;
}

bool RecordReader::skip_headers(base::View& body, int32_t count) {
    // Each takes two bytes at least, so a count without bytes behind it ends soon.
    std::optional<base::View> part;
    for (int32_t i = 0; i < count; ++i) {
        if (!take_bytes(body, false, part) || !take_bytes(body, true, part)) return false;
    }
    return true;
}

}  // namespace kafka
