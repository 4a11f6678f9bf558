#include "metadata/fuzz/metadata_fuzz.h"

#include <string_view>
#include <vector>

#include "base/check.h"
#include "metadata/config.h"
#include "metadata/delta.h"
#include "metadata/records.h"
#include "metadata/server_properties.h"
#include "metadata/snapshot.h"

namespace metadata {

int fuzz_properties(const uint8_t* data, size_t size) {
    ConfigSources sources;
    sources.file_name = "f";
    sources.file_text.assign(reinterpret_cast<const char*>(data), size);
    auto read = read_server_properties(sources);
    if (!read.ok()) {
        CHECK(!base::message(read.status()).empty());
        return 0;
    }
    CHECK(!read->listeners.empty());
    const Configs configs = read->configs();
    ConfigView view(*Image::empty(), base::BrokerId{0}, configs);
    for (const auto& e : view.all_broker())
        CHECK(!e.value || parse(*e.option, *e.value).ok()) << e.option->name << "=" << *e.value;
    for (const auto& e : view.all_topic(Configs{}))
        CHECK(!e.value || parse(*e.option, *e.value).ok()) << e.option->name << "=" << *e.value;
    return 0;
}

int fuzz_metadata_records(const uint8_t* data, size_t size) {
    v1::Entry entry;
    if (!entry.ParseFromArray(data, static_cast<int>(size))) return 0;
    Delta delta{Image::empty()};
    for (const auto& record : entry.records()) {
        auto before = hash(*delta.apply());
        const bool taken = delta.replay(record).ok();
        CHECK(taken || hash(*delta.apply()) == before) << record.DebugString();
    }
    auto image = delta.apply();
    std::vector<v1::Record> records;
    for_each_record(*image, [&](const v1::Record& r) { records.push_back(r); });
    auto again = image_of(records, image->position());
    CHECK(again.ok()) << again.status();
    CHECK(hash(**again) == hash(*image));
    CHECK((*again)->partition_count() == image->partition_count());
    return 0;
}

}  // namespace metadata
