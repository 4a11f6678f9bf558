#include "storage/producers.h"

#include <algorithm>
#include <limits>

#include "storage/encoding.h"

namespace storage {

namespace {

constexpr uint8_t format = 1;

bool follows(int32_t last, int32_t first) {
    return first == (last == std::numeric_limits<int32_t>::max() ? 0 : last + 1);
}

kafka::Error refuse(kafka::ErrorCode code, const Producers::Claim& claim, const std::string& why) {
    return {code, "producer " + std::to_string(claim.id.value) + ": " + why};
}

}  // namespace

kafka::Outcome<std::optional<ProducerBatch>> Producers::check(const Claim& claim) const {
    using Found = std::optional<ProducerBatch>;
    const auto it = states_.find(claim.id);
    if (it == states_.end()) return Found{};
    const ProducerState& state = it->second;

    if (claim.epoch < state.epoch) {
        return refuse(kafka::ErrorCode::invalid_producer_epoch, claim,
                      "epoch " + std::to_string(claim.epoch) + " is older than " +
                          std::to_string(state.epoch));
    }
    if (claim.control) return Found{};
    if (claim.epoch > state.epoch) {
        if (claim.first_sequence == 0) return Found{};
        return refuse(kafka::ErrorCode::out_of_order_sequence_number, claim,
                      "a new epoch begins with sequence " + std::to_string(claim.first_sequence));
    }
    for (const auto& b : state.batches) {
        if (b.first_sequence == claim.first_sequence && b.last_sequence == claim.last_sequence) {
            return Found{b};
        }
    }
    const int32_t last = state.batches.empty() ? -1 : state.batches.back().last_sequence;
    if (!follows(last, claim.first_sequence)) {
        return refuse(
            kafka::ErrorCode::out_of_order_sequence_number, claim,
            "sequence " + std::to_string(claim.first_sequence) + " after " + std::to_string(last));
    }
    if (!claim.transactional && state.current_transaction_start >= 0) {
        return refuse(kafka::ErrorCode::invalid_txn_state, claim,
                      "a batch outside of its open transaction");
    }
    return Found{};
}

void Producers::record(const Claim& claim, const ProducerBatch& batch, base::TimestampMs now) {
    ProducerState& state = states_[claim.id];
    if (claim.epoch != state.epoch) {
        state.epoch = claim.epoch;
        state.batches.clear();
    }
    state.last_timestamp = batch.timestamp;
    state.seen = std::max(state.seen, now);
    if (claim.control) {
        state.current_transaction_start = -1;
        return;
    }
    if (state.batches.size() == ProducerState::kept) state.batches.erase(state.batches.begin());
    state.batches.push_back(batch);
    if (claim.transactional && state.current_transaction_start < 0) {
        state.current_transaction_start = batch.first_offset;
    }
}

void Producers::expire(base::TimestampMs now, int64_t expiration_ms) {
    absl::erase_if(states_, [&](const auto& row) {
        const ProducerState& state = row.second;
        const auto last = std::max(state.last_timestamp, state.seen);
        return state.current_transaction_start < 0 && now - last >= expiration_ms;
    });
}

void Producers::touch(base::TimestampMs now) {
    for (auto& [id, state] : states_) state.seen = std::max(state.seen, now);
}

void Producers::touch(base::ProducerId id, base::TimestampMs now) {
    if (const auto it = states_.find(id); it != states_.end()) {
        it->second.seen = std::max(it->second.seen, now);
    }
}

std::string Producers::serialize() const {
    std::vector<base::ProducerId> ids;
    ids.reserve(states_.size());
    for (const auto& [id, state] : states_) ids.push_back(id);
    std::sort(ids.begin(), ids.end());

    Encoder out;
    out.put<uint8_t>(format);
    out.put<uint32_t>(static_cast<uint32_t>(ids.size()));
    for (const auto id : ids) {
        const ProducerState& state = states_.at(id);
        out.put<int64_t>(id.value);
        out.put<int16_t>(state.epoch);
        out.put<int64_t>(state.last_timestamp);
        out.put<int64_t>(state.current_transaction_start);
        out.put<uint8_t>(static_cast<uint8_t>(state.batches.size()));
        for (const auto& b : state.batches) {
            out.put<int32_t>(b.first_sequence);
            out.put<int32_t>(b.last_sequence);
            out.put<int64_t>(b.first_offset);
            out.put<int64_t>(b.last_offset);
            out.put<int64_t>(b.timestamp);
        }
    }
    return std::move(out).sealed();
}

base::Result<Producers> Producers::parse(std::string_view text) {
    const auto damaged = [] { return base::data_loss("producer snapshot is damaged"); };
    auto in = Decoder::unseal(text);
    if (!in || in->get<uint8_t>() != format) return damaged();
    Producers out;
    const auto count = in->get<uint32_t>();
    for (uint32_t i = 0; i < count && in->ok(); ++i) {
        const base::ProducerId id{in->get<int64_t>()};
        ProducerState state;
        state.epoch = in->get<int16_t>();
        state.last_timestamp = in->get<int64_t>();
        state.current_transaction_start = in->get<int64_t>();
        const auto batches = in->get<uint8_t>();
        if (batches > ProducerState::kept) return damaged();
        for (uint8_t b = 0; b < batches; ++b) {
            ProducerBatch batch;
            batch.first_sequence = in->get<int32_t>();
            batch.last_sequence = in->get<int32_t>();
            batch.first_offset = in->get<int64_t>();
            batch.last_offset = in->get<int64_t>();
            batch.timestamp = in->get<int64_t>();
            state.batches.push_back(batch);
        }
        out.states_[id] = std::move(state);
    }
    if (!in->ok() || !in->done() || out.states_.size() != count) return damaged();
    return out;
}

}  // namespace storage
