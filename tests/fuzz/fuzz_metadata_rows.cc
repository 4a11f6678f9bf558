// The rows of the metadata log, with right checksums, as a fault in whoever wrote them could leave
// them: the journal refuses them, or can be used. The input is rows one after the other: kind (1
// byte), number (1 byte), length (2 bytes, big-endian), what follows the checksum.
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "controller/journal.h"
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
    switch (kind % 4) {
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
    controller::Journal journal(store, 1);
    const auto image = journal.open();
    if (!image.ok()) {
        CHECK(!base::message(image.status()).empty());
        return 0;
    }
    CHECK((*image)->position() == journal.last());
    CHECK(journal.first() <= journal.last().index + 1);
    const auto entries = journal.read(journal.first(), 1u << 20);
    CHECK(entries.ok()) << entries.status();
    const auto term = journal.begin_term();
    if (!term.ok()) return 0;
    controller::Journal again(store, 1);
    const auto same = again.open();
    CHECK(same.ok()) << same.status();
    CHECK(again.last() == journal.last());
    return 0;
}
