#include "broker/rpc/fields.h"

#include "base/varint.h"
#include "google/protobuf/wire_format_lite.h"

namespace broker::rpc {

using google::protobuf::internal::WireFormatLite;

bool Fields::next() {
    if (!ok_) return false;
    tag_ = in_.ReadTag();
    if (tag_ == 0) {
        // Also what a tag that can't be read gives.
        ok_ = in_.ConsumedEntireMessage();
        return false;
    }
    switch (WireFormatLite::GetTagWireType(tag_)) {
        case WireFormatLite::WIRETYPE_VARINT:
            return in_.ReadVarint64(&value_) || fail();
        case WireFormatLite::WIRETYPE_LENGTH_DELIMITED: {
            uint32_t size = 0;
            if (!in_.ReadVarint32(&size)) return fail();
            const auto at = static_cast<size_t>(in_.CurrentPosition());
            if (size > message_.size() - at || !in_.Skip(static_cast<int>(size))) return fail();
            bytes_ = message_.subspan(at, size);
            return true;
        }
        default:
            return WireFormatLite::SkipField(&in_, tag_) || fail();
    }
}

void put_field(base::Bytes& out, uint32_t number, uint64_t value) {
    base::put_varint(out, varint_tag(number));
    base::put_varint(out, value);
}

void put_bytes_head(base::Bytes& out, uint32_t number, size_t size) {
    base::put_varint(out, bytes_tag(number));
    base::put_varint(out, size);
}

void put_field(base::Bytes& out, uint32_t number, base::View bytes) {
    put_bytes_head(out, number, bytes.size());
    out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace broker::rpc
