// The rows of the metadata log, of this format and the one before, with right checksums, as a fault
// in whoever wrote them could leave them: the log refuses them, or can be used. The input is rows
// one after the other: kind (1 byte), number (1 byte), length (2 bytes, big-endian), what follows
// the checksum.
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "controller/quorum/log_store.h"
#include "storage/store/memory_store.h"

namespace {

template <class I>
void put(std::string& out, I value) {
    std::byte bytes[sizeof(I)];
    base::store_be(bytes, value);
    out.append(reinterpret_cast<const char*>(bytes), sizeof(I));
}

std::string row_key(uint8_t kind, uint8_t number) {
    std::string key;
    switch (kind % 7) {
        case 0:
            key = "m/entry/";
            put<int64_t>(key, number);
            break;
        case 1:
            key = "m/chunk/";
            put<uint32_t>(key, number);
            break;
        case 2:
            key = "m/snapshot";
            break;
        case 3:
            key = "m/term";
            break;
        case 4:
            key = "m/member";
            break;
        case 5:
            key = "m/state";
            break;
        case 6:
            key = "m/chunk/";
            put<uint64_t>(key, number >> 4);
            put<uint32_t>(key, number & 0xf);
            break;
    }
    return key;
}

void fill(storage::Store& store, std::string_view in) {
    storage::WriteBatch batch;
    while (in.size() >= 4) {
        const std::string key = row_key(static_cast<uint8_t>(in[0]), static_cast<uint8_t>(in[1]));
        const size_t size = base::load_be<uint16_t>(base::as_bytes(in.substr(2)).data());
        const std::string_view body = in.substr(4, size);
        in.remove_prefix(4 + body.size());
        std::string row;
        put(row, base::crc32c_extend(base::crc32c(base::as_bytes(key)), base::as_bytes(body)));
        batch.put(key, row.append(body));
    }
    CHECK(store.write(batch, storage::Store::Durability::synced).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    storage::MemoryStore store;
    fill(store, {reinterpret_cast<const char*>(data), size});
    const auto open = [&store] {
        quorum::LogStore::Options options;
        options.id = 0;
        options.address = "here:19092";
        options.draw = [] { return uint64_t{7}; };
        return quorum::LogStore::open(store, std::move(options));
    };
    const auto opened = open();
    if (!opened.ok()) {
        CHECK(!base::message(opened.status()).empty());
        return 0;
    }
    const auto& stored = opened->stored;
    CHECK(stored.applied <= stored.last && opened->image->position().index == stored.applied);
    const auto entries = opened->log->entries(stored.applied + 1, stored.last + 1, SIZE_MAX);
    CHECK(entries.ok()) << entries.status();
    CHECK(static_cast<raft::Index>(entries->size()) == stored.last - stored.applied);
    const auto again = open();
    CHECK(again.ok()) << again.status();
    CHECK(again->stored.last == stored.last && again->log->self() == opened->log->self());
    return 0;
}
