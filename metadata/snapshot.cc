#include "metadata/snapshot.h"

#include "base/check.h"
#include "metadata/delta.h"
#include "metadata/records.h"

namespace metadata {

namespace {

/// FNV-1a, 64 bits.
class Hash {
  public:
    void add(std::string_view bytes) {
        add(bytes.size());
        for (char c : bytes) mix(static_cast<uint8_t>(c));
    }
    void add(uint64_t v) {
        for (int shift = 0; shift < 64; shift += 8) mix(static_cast<uint8_t>(v >> shift));
    }
    uint64_t value() const { return value_; }

  private:
    void mix(uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3; }

    uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace

void for_each_record(const Image& image, const std::function<void(const v1::Record&)>& record) {
    if (!image.cluster_id().empty()) record(cluster_record(image.cluster_id()));
    for (const auto& [name, level] : image.features()) record(feature_record(name, level));
    for (const auto& [id, broker] : image.brokers()) record(broker_record(*broker));
    for (const auto& [id, configs] : image.all_broker_configs())
        for (const auto& [name, value] : *configs) record(broker_config_record(id, name, value));
    for (const auto& [name, topic] : image.topics()) {
        record(topic_record(name, topic->id));
        for (const auto& p : topic->partitions) record(partition_record(topic->id, *p));
        for (const auto& [key, value] : *topic->configs)
            record(topic_config_record(name, key, value));
    }
    if (image.next_producer_id() > 0)
        record(producer_ids_record(image.next_producer_id(), kNoBroker, -1));
}

base::Result<ImagePtr> image_of(const std::vector<v1::Record>& records, const LogPosition& at) {
    Delta delta{Image::empty()};
    for (const auto& r : records) RETURN_IF_ERROR(delta.replay(r));
    return delta.apply(at);
}

uint64_t hash(const Image& image) {
    Hash h;
    h.add(static_cast<uint64_t>(image.position().index));
    h.add(static_cast<uint64_t>(image.position().term));
    std::string bytes;
    for_each_record(image, [&](const v1::Record& r) {
        CHECK(r.SerializeToString(&bytes)) << "metadata record";
        h.add(bytes);
    });
    return h.value();
}

}  // namespace metadata
