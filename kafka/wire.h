// What the Kafka messages in kafka/messages/ are made of, and the calls that turn them into bytes
// and back. Each struct lists its fields once:
//
//     static void fields(auto& m, auto& f) {
//         f("name", m.name, until(12));
//         f("topic_id", m.topic_id, since(13));
//         f("member_id", m.member_id, since(9).null_since(9));
//         f.tag(0, "cluster_id", m.cluster_id, since(12));
//     }
//
// and that list drives reading, writing, sizing and printing of every version. The engine behind
// it is kafka/codec.h; only the .cc files that instantiate it include it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "base/uuid.h"
#include "kafka/api.h"
#include "kafka/errors.h"

namespace kafka {

/// In which versions a field is there, and in which of them it may be null (only a std::optional
/// can be; unless said otherwise, it may be null wherever it is there).
struct When {
    Versions present;
    Versions nullable;

    constexpr When null_since(Version v) const { return {present, {v, present.to}}; }
    constexpr When null_until(Version v) const { return {present, {present.from, v}}; }
};
inline constexpr When always{};
constexpr When since(Version from) { return {{.from = from}, {}}; }
constexpr When until(Version to) { return {{.to = to}, {}}; }
constexpr When between(Version from, Version to) { return {{from, to}, {}}; }

/// Record batches inside a message. Read: a view into the frame, which must outlive it. Written:
/// either a view, whose bytes are copied, or a splice: its size only, so that the bytes can go from
/// file to socket without passing through the message.
class Records {
  public:
    Records() = default;
    explicit Records(base::View bytes)
        : bytes_(bytes), size_(static_cast<uint32_t>(bytes.size())) {}
    static Records splice(uint32_t size) {
        Records r;
        r.size_ = size;
        r.spliced_ = true;
        return r;
    }

    /// Empty if spliced.
    base::View bytes() const { return bytes_; }
    uint32_t size() const { return size_; }
    bool spliced() const { return spliced_; }

    bool operator==(const Records& o) const {
        return size_ == o.size_ && spliced_ == o.spliced_ && base::equal(bytes_, o.bytes_);
    }

  private:
    base::View bytes_;
    uint32_t size_ = 0;
    bool spliced_ = false;
};

/// `size` bytes from elsewhere belong between bytes[position - 1] and bytes[position].
struct Splice {
    size_t position = 0;
    uint32_t size = 0;

    bool operator==(const Splice&) const = default;
};

/// A written message. There is one splice for each Records::splice, in the order of the message.
struct Encoded {
    base::Bytes bytes;
    std::vector<Splice> splices;

    /// Bytes and splices together.
    size_t size() const {
        size_t n = bytes.size();
        for (const Splice& s : splices) n += s.size;
        return n;
    }
};

/// Memory that one message may take once decoded, against frames of a few bytes that claim a
/// million elements. Charged are sizeof(element) for each element of an array, and the bytes of
/// strings and byte fields; records are views and cost nothing. The tightest array of ordinary
/// traffic (topic names of ten characters) takes under 6 bytes for one of the wire.
struct Budget {
    static constexpr size_t floor = 64 << 10;  // what any message may take
    static constexpr size_t factor = 16;       // more for each byte of the frame
    static constexpr size_t cap = 64 << 20;    // what no message may exceed

    size_t bytes = cap;

    static constexpr Budget of_frame(size_t frame_size) {
        const size_t by_size = frame_size < cap / factor ? floor + frame_size * factor : cap;
        return {by_size < cap ? by_size : cap};
    }
};

/// Reads a whole message. kInvalidArgument with the path of the field and what is wrong with it
/// ("topics[2].partitions[0].index: truncated"), if `in` isn't exactly one message of that version,
/// or the version isn't one of T's. Never throws, whatever the bytes are.
template <class T>
base::Result<T> decode(base::View in, Version, Budget);
template <class T>
base::Result<T> decode(base::View in, Version version) {
    return decode<T>(in, version, Budget::of_frame(in.size()));
}

/// Reads a message from the front of `in` and leaves there what follows it.
template <class T>
base::Result<T> decode_front(base::View& in, Version, Budget);

/// Writes a message after `headroom` zero bytes, in one allocation. The version must be one of T's.
/// A field that this version lacks is left out; a null that it doesn't allow is written as empty.
template <class T>
Encoded encode(const T&, Version, size_t headroom = 0);

/// One line of JSON with the fields of that version, for logs and tests. Records show their size
/// only, as "<name>_size_in_bytes"; byte fields are base64, uuids Kafka's text.
template <class T>
std::string json(const T&, Version);

}  // namespace kafka
