#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "controller/quorum/chunks.h"
#include "controller/quorum/log_store.h"
#include "metadata/delta.h"
#include "metadata/records.h"
#include "proto/metadata.pb.h"
#include "storage/store/memory_store.h"

namespace quorum {

constexpr char kCluster[] = "a-cluster";

inline LogStore::Options options_of(int32_t id, std::string cluster_id = kCluster) {
    LogStore::Options options;
    options.id = id;
    options.cluster_id = std::move(cluster_id);
    options.address = "here:19092";
    options.draw = [n = uint64_t{40}]() mutable { return ++n; };
    return options;
}

inline base::Result<LogStore::Opened> open_log(storage::Store& store) {
    return LogStore::open(store, options_of(1));
}

/// Data of an entry that makes a topic named after the number.
inline std::string topic_data(uint64_t n) {
    metadata::v1::Entry entry;
    *entry.add_records() = metadata::topic_record("t" + std::to_string(n), {1, n});
    return entry.SerializeAsString();
}

/// The image after the topics 1…n.
inline metadata::ImagePtr image_with_topics(uint64_t n, const metadata::LogPosition& at) {
    metadata::Delta delta{metadata::Image::empty()};
    CHECK(delta.replay(metadata::cluster_record(kCluster)).ok());
    for (uint64_t i = 1; i <= n; ++i)
        CHECK(delta.replay(metadata::topic_record("t" + std::to_string(i), {1, i})).ok());
    return delta.apply(at);
}

inline std::vector<std::pair<std::string, std::string>> rows_of(const storage::Store& store,
                                                                std::string_view prefix = "") {
    std::vector<std::pair<std::string, std::string>> out;
    CHECK(store
              .scan(prefix,
                    [&](std::string_view key, std::string_view value) {
                        out.emplace_back(key, value);
                        return true;
                    })
              .ok());
    return out;
}

inline void write_row(storage::Store& store, const std::string& key, const std::string& value) {
    storage::WriteBatch batch;
    batch.put(key, value);
    CHECK(store.write(batch, storage::Store::Durability::synced).ok());
}

inline void remove_row(storage::Store& store, const std::string& key) {
    storage::WriteBatch batch;
    batch.remove(key);
    CHECK(store.write(batch, storage::Store::Durability::synced).ok());
}

inline void flip_bit(storage::Store& store, const std::string& key, size_t byte) {
    auto value = **store.get(key);
    value.at(byte) = static_cast<char>(value.at(byte) ^ 1);
    write_row(store, key, value);
}

}  // namespace quorum
