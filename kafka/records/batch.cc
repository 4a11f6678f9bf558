#include "kafka/records/batch.h"

#include "base/crc32c.h"

namespace kafka {

std::string_view name(Codec codec) {
    switch (codec) {
        case Codec::none:
            return "none";
        case Codec::gzip:
            return "gzip";
        case Codec::snappy:
            return "snappy";
        case Codec::lz4:
            return "lz4";
        case Codec::zstd:
            return "zstd";
    }
    return "unknown";
}

bool BatchView::crc_ok() const {
    return base::crc32c(bytes_.subspan(batch_field::attributes)) == crc();
}

void BatchEditor::set_codec(Codec codec) {
    const auto others = view().attributes() & ~batch_attribute::codec_mask;
    set_attributes(static_cast<int16_t>(others | static_cast<int16_t>(codec)));
}

void BatchEditor::set_timestamp_type(TimestampType type) {
    const auto others = view().attributes() & ~batch_attribute::log_append_time;
    const auto bit = type == TimestampType::log_append_time ? batch_attribute::log_append_time : 0;
    set_attributes(static_cast<int16_t>(others | bit));
}

void BatchEditor::update_crc() {
    set(batch_field::crc, base::crc32c(base::View(bytes_).subspan(batch_field::attributes)));
}

BatchPeek peek_batch(base::View in) {
    using Found = BatchPeek::Found;
    if (in.size() < batch_frame_size) return {};
    const auto length = base::load_be<int32_t>(in.data() + batch_field::length);
    if (length < 0) return {.found = Found::bad_size};
    const size_t size = batch_frame_size + static_cast<size_t>(length);
    if (in.size() < batch_peek_size) return {.found = Found::cut, .size = size};
    const auto magic = static_cast<int8_t>(in[batch_field::magic]);
    if (magic != batch_magic) return {.found = Found::bad_magic, .size = size, .magic = magic};
    if (size < batch_header_size) return {.found = Found::bad_size, .magic = magic};
    const auto found = in.size() < size ? Found::cut : Found::batch;
    return {.found = found, .size = size, .magic = magic};
}

std::optional<BatchView> take_batch(base::View& in) {
    const auto peek = peek_batch(in);
    if (peek.found != BatchPeek::Found::batch) return std::nullopt;
    const BatchView batch(in.first(peek.size));
    in = in.subspan(peek.size);
    return batch;
}

}  // namespace kafka
