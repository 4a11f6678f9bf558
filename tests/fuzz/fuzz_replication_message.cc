// What brokers read of each other about the partitions that they share. It is refused, or is the
// same once it is written as we write it and read again, in whatever pieces it came.
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "replication/streams/wire.h"

namespace {

using namespace replication::streams;

constexpr base::BrokerId kFrom{3};

std::string written(const LeaderMessage& message) {
    std::string out;
    if (message.welcome) out += encode(*message.welcome);
    for (const auto& reply : message.replies) out += encode(reply);
    for (const auto& r : message.records)
        out +=
            encode_header(r.id, r.offer, r.batches.size()) + std::string(base::as_text(r.batches));
    return out;
}

void try_leader(std::string_view bytes) {
    const auto all = base::as_bytes(bytes);
    base::Bytes scratch;
    const std::vector<base::View> whole{all};
    const auto message = decode_leader(whole, scratch);
    const size_t cut = bytes.empty() ? 0 : static_cast<uint8_t>(bytes[0]) % bytes.size();
    const std::vector<base::View> halves{all.first(cut), all.subspan(cut)};
    base::Bytes other_scratch;
    const auto same = decode_leader(halves, other_scratch);
    CHECK(message.ok() == same.ok());
    if (!message.ok()) return;
    const auto once = written(*message);
    CHECK(written(*same) == once);
    const std::vector<base::View> again{base::as_bytes(once)};
    const auto read = decode_leader(again, scratch);
    CHECK(read.ok()) << read.status();
    CHECK(written(*read) == once);
}

void try_follower(std::string_view bytes) {
    const auto message = decode_follower(base::as_bytes(bytes), kFrom);
    if (!message.ok()) return;
    const auto once = encode(*message);
    const auto read = decode_follower(base::as_bytes(once), kFrom);
    CHECK(read.ok()) << read.status();
    CHECK(read->attaches == message->attaches);
    CHECK(read->acknowledgements == message->acknowledgements);
}

void try_hello(std::string_view bytes) {
    const auto hello = decode_hello(bytes);
    if (!hello.ok()) return;
    CHECK(decode_hello(encode(*hello)).value() == *hello);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    try_leader(bytes);
    try_follower(bytes);
    try_hello(bytes);
    return 0;
}
