// What a member of the controllers' quorum reads of others: a hello, and a batch of messages. Both
// are refused, or are the same once they are written as we write them and read again.
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "controller/quorum/wire.h"
#include "proto/raft.pb.h"

namespace {

const quorum::Link kLink{.cluster = {1, 2}, .from = {3, {4, 5}}, .to = {6, {7, 8}}};

std::string written(std::vector<raft::Message> messages) {
    moldau::raft::v1::Batch batch;
    for (auto& m : messages) {
        CHECK(raft::check(m).ok());
        CHECK(m.cluster == kLink.cluster && m.from == kLink.from && m.to == kLink.to);
        quorum::add(batch, std::move(m));
    }
    return batch.SerializeAsString();
}

void try_batch(std::string_view bytes) {
    auto batch = quorum::decode(bytes, kLink);
    if (!batch.ok()) {
        CHECK(!base::message(batch.status()).empty());
        return;
    }
    size_t told = 0;
    for (const auto& m : *batch) told += quorum::wire_bytes(m);
    const auto once = written(*std::move(batch));
    CHECK(once.size() <= told) << once.size() << " bytes, but told " << told;
    auto again = quorum::decode(once, kLink);
    CHECK(again.ok()) << again.status();
    CHECK(written(*std::move(again)) == once);
}

void try_hello(std::string_view bytes) {
    const auto hello = quorum::decode_hello(bytes);
    if (!hello.ok()) return;
    CHECK(quorum::decode_hello(quorum::encode(*hello)).value() == *hello);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    try_batch(bytes);
    try_hello(bytes);
    return 0;
}
