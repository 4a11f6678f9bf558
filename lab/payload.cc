#include "lab/payload.h"

#include <algorithm>

#include "base/crc32c.h"
#include "base/endian.h"

namespace lab {
namespace {

// Where the fields stand. The checksum is of all that follows it.
constexpr size_t at_crc = 0;
constexpr size_t at_run = 4;
constexpr size_t at_counter = 12;
constexpr size_t at_producer = 20;
constexpr size_t at_partition = 24;
constexpr size_t at_topic_size = 28;
constexpr size_t at_topic = 30;

uint32_t crc_of(base::View bytes) { return base::crc32c(bytes.subspan(at_run)); }

}  // namespace

base::Bytes encode_payload(const Payload& payload, size_t size) {
    base::Bytes out(std::max(size, at_topic + payload.topic.size()));
    base::store_be<uint64_t>(out.data() + at_run, payload.run);
    base::store_be<uint64_t>(out.data() + at_counter, payload.value.counter);
    base::store_be<uint32_t>(out.data() + at_producer, payload.value.producer);
    base::store_be<int32_t>(out.data() + at_partition, payload.partition);
    base::store_be<uint16_t>(out.data() + at_topic_size,
                             static_cast<uint16_t>(payload.topic.size()));
    const auto topic = base::as_bytes(payload.topic);
    std::ranges::copy(topic, out.begin() + at_topic);
    for (size_t i = at_topic + topic.size(); i < out.size(); ++i)
        out[i] = static_cast<std::byte>(payload.value.counter + i);
    base::store_be<uint32_t>(out.data() + at_crc, crc_of(out));
    return out;
}

Received receive_payload(base::View bytes, uint64_t run, std::string_view topic,
                         int32_t partition) {
    if (bytes.size() < at_topic || crc_of(bytes) != base::load_be<uint32_t>(bytes.data() + at_crc))
        return {{}, flag::corrupt};
    if (base::load_be<uint64_t>(bytes.data() + at_run) != run) return {{}, flag::foreign};
    Received out;
    out.value = {base::load_be<uint32_t>(bytes.data() + at_producer),
                 base::load_be<uint64_t>(bytes.data() + at_counter)};
    const size_t topic_size = base::load_be<uint16_t>(bytes.data() + at_topic_size);
    const base::View rest = bytes.subspan(at_topic);
    if (topic_size > rest.size()) return {{}, flag::corrupt};
    if (base::as_text(rest.first(topic_size)) != topic ||
        base::load_be<int32_t>(bytes.data() + at_partition) != partition)
        out.flags = flag::misrouted;
    return out;
}

}  // namespace lab
