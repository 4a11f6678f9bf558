#include "storage/checkpoint.h"

#include <charconv>

#include "storage/encoding.h"

namespace storage {

namespace {

constexpr uint8_t checkpoint_format = 1;
constexpr uint8_t snapshot_format = 1;
constexpr uint8_t restarting_flag = 1;
constexpr uint8_t distrusted_flag = 2;

std::string digits(int64_t value, size_t width) {
    const std::string text = std::to_string(value);
    return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

bool sane(const SyncedMark& m) {
    return m.segment >= 0 && m.offset >= m.segment && (m.position > 0 || m.offset == m.segment);
}

}  // namespace

std::string Checkpoint::serialize() const {
    Encoder out;
    out.put<uint8_t>(checkpoint_format);
    out.put<uint8_t>(static_cast<uint8_t>((restarting ? restarting_flag : 0) |
                                          (distrusted ? distrusted_flag : 0)));
    out.put<int64_t>(recovery.offset);
    out.put<int64_t>(recovery.segment);
    out.put<uint64_t>(recovery.position);
    out.put<int64_t>(recovery.newest);
    out.put<int64_t>(start);
    out.put<int64_t>(high_watermark);
    out.put<uint32_t>(static_cast<uint32_t>(lineage.size()));
    for (const auto& e : lineage) {
        out.put<int32_t>(e.epoch);
        out.put<int64_t>(e.start);
    }
    return std::move(out).sealed();
}

base::Result<Checkpoint> Checkpoint::parse(std::string_view text) {
    const auto damaged = [] { return base::data_loss("checkpoint row is damaged"); };
    auto in = Decoder::unseal(text);
    if (!in || in->get<uint8_t>() != checkpoint_format) return damaged();
    Checkpoint out;
    const auto flags = in->get<uint8_t>();
    out.restarting = (flags & restarting_flag) != 0;
    out.distrusted = (flags & distrusted_flag) != 0;
    out.recovery.offset = in->get<int64_t>();
    out.recovery.segment = in->get<int64_t>();
    out.recovery.position = in->get<uint64_t>();
    out.recovery.newest = in->get<int64_t>();
    out.start = in->get<int64_t>();
    out.high_watermark = in->get<int64_t>();
    const auto count = in->get<uint32_t>();
    for (uint32_t i = 0; i < count && in->ok(); ++i) {
        Lineage::Entry e;
        e.epoch = in->get<int32_t>();
        e.start = in->get<int64_t>();
        out.lineage.push_back(e);
    }
    if (!in->ok() || !in->done() || !sane(out.recovery) || out.start < 0 ||
        !Lineage::valid(out.lineage)) {
        return damaged();
    }
    return out;
}

std::string ProducerSnapshot::serialize() const {
    Encoder out;
    out.put<uint8_t>(snapshot_format);
    out.put<int64_t>(segment);
    out.put<uint64_t>(position);
    out.put(producers.serialize());
    return std::move(out).sealed();
}

base::Result<ProducerSnapshot> ProducerSnapshot::parse(std::string_view text) {
    auto in = Decoder::unseal(text);
    if (!in || in->get<uint8_t>() != snapshot_format) {
        return base::data_loss("producer snapshot is damaged");
    }
    ProducerSnapshot out;
    out.segment = in->get<int64_t>();
    out.position = in->get<uint64_t>();
    ASSIGN_OR_RETURN(out.producers, Producers::parse(in->take_rest()));
    return out;
}

std::string row_prefix(const base::TopicPartition& id) {
    return "log/" + id.topic.to_string() + "/" + digits(id.index, 10) + "/";
}

std::string checkpoint_key(const base::TopicPartition& id) { return row_prefix(id) + "checkpoint"; }

std::string snapshot_prefix(const base::TopicPartition& id) {
    return row_prefix(id) + "producers/";
}

std::string snapshot_key(const base::TopicPartition& id, base::Offset offset) {
    return snapshot_prefix(id) + digits(offset, 20);
}

std::optional<base::Offset> parse_snapshot_key(const base::TopicPartition& id,
                                               std::string_view key) {
    const std::string prefix = snapshot_prefix(id);
    if (!key.starts_with(prefix)) return std::nullopt;
    key.remove_prefix(prefix.size());
    base::Offset value = 0;
    const char* end = key.data() + key.size();
    const auto [stop, error] = std::from_chars(key.data(), end, value);
    if (key.empty() || error != std::errc() || stop != end || value < 0) return std::nullopt;
    return value;
}

}  // namespace storage
