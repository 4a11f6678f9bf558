#include "cli/moves.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

namespace cli {

namespace {

using Json = nlohmann::ordered_json;
using Partition = kafka::MetadataResponse::MetadataResponsePartition;

bool has(const std::vector<int32_t>& ids, int32_t id) {
    return std::ranges::find(ids, id) != ids.end();
}

/// Calls `visit` with each move and the partition as it is; not for one that there isn't.
template <class Visit>
void for_each(const Moves& moves, const kafka::MetadataResponse& metadata, Visit visit) {
    for (const Move& move : moves)
        for (const auto& topic : metadata.topics)
            for (const auto& p : topic.partitions)
                if (topic.name == move.topic && p.partition_index == move.partition) visit(move, p);
}

/// How full the brokers in service are, with what is planned.
class Room {
  public:
    explicit Room(const kafka::MetadataResponse& metadata) {
        for (const auto& b : metadata.brokers) brokers_[b.node_id].rack = b.rack.value_or("");
        for (const auto& topic : metadata.topics)
            for (const auto& p : topic.partitions)
                for (int32_t id : p.replica_nodes) add(id);
    }
    /// For a replica in place of that of `from`.
    std::optional<int32_t> take(const Partition& p, int32_t from) {
        std::optional<int32_t> best;
        const auto rank = [&](int32_t id) {
            const auto& [rack, replicas] = brokers_.at(id);
            const bool rack_taken = std::ranges::any_of(p.replica_nodes, [&](int32_t other) {
                const auto it = brokers_.find(other);
                return other != from && it != brokers_.end() && it->second.rack == rack;
            });
            return std::tuple(rack_taken, replicas, id);
        };
        for (const auto& [id, broker] : brokers_)
            if (id != from && !has(p.replica_nodes, id) && (!best || rank(id) < rank(*best)))
                best = id;
        if (best) add(*best);
        return best;
    }

  private:
    struct Broker {
        std::string rack;
        size_t replicas = 0;
    };
    void add(int32_t id) {
        if (const auto it = brokers_.find(id); it != brokers_.end()) ++it->second.replicas;
    }
    std::map<int32_t, Broker> brokers_;
};

}  // namespace

base::Result<std::pair<std::string, int32_t>> parse_partition(const std::string& text) {
    const size_t colon = text.rfind(':');
    int32_t number = -1;
    if (colon != std::string::npos && colon > 0) {
        const char* const end = text.data() + text.size();
        const auto [at, error] = std::from_chars(text.data() + colon + 1, end, number);
        if (error != std::errc{} || at != end) number = -1;
    }
    if (number < 0)
        return base::invalid("'" + text + "' names no partition\nWrite TOPIC:NUMBER, as orders:3.");
    return std::pair(text.substr(0, colon), number);
}

base::Result<Moves> parse_plan(const std::string& text) {
    const auto refused = [](const std::string& why) {
        return base::invalid(
            "the plan can't be used: " + why +
            "\nWrite it as kafka-reassign-partitions has it: {\"version\":1,\"partitions\":"
            "[{\"topic\":\"orders\",\"partition\":3,\"replicas\":[1,2,0]}]}");
    };
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) return refused("it is no JSON");
    if (!json.is_object() || !json.contains("partitions") || !json["partitions"].is_array())
        return refused("it has no list of partitions");
    if (json.contains("version") && json["version"] != 1) return refused("its version is not 1");
    const auto number = [](const Json& j) {
        return j.is_number_integer() && j >= 0 && j <= INT32_MAX;
    };
    Moves out;
    std::set<std::pair<std::string, int32_t>> seen;
    for (const Json& p : json["partitions"]) {
        if (!p.is_object() || !p.contains("topic") || !p["topic"].is_string() ||
            !p.contains("partition") || !number(p["partition"]) || !p.contains("replicas") ||
            !p["replicas"].is_array() || p["replicas"].empty() ||
            !std::ranges::all_of(p["replicas"], number))
            return refused(p.dump() + " is no partition with its replicas");
        for (const Json& dir : p.value("log_dirs", Json::array()))
            if (dir != "any")
                return refused("log_dirs can't be chosen here; leave them out, or write \"any\"");
        Move move{p["topic"], p["partition"], p["replicas"]};
        if (!seen.emplace(move.topic, move.partition).second)
            return refused("partition " + std::to_string(move.partition) + " of '" + move.topic +
                           "' stands in it twice");
        out.push_back(std::move(move));
    }
    if (out.empty()) return refused("it names no partition");
    return out;
}

std::string plan_text(const Moves& moves) {
    Json out{{"version", 1}, {"partitions", Json::array()}};
    for (const Move& m : moves)
        out["partitions"].push_back(
            {{"topic", m.topic}, {"partition", m.partition}, {"replicas", m.to}});
    return out.dump();
}

base::Result<Moves> drained(int32_t broker, const kafka::MetadataResponse& metadata) {
    Room room(metadata);
    Moves out;
    for (const auto& topic : metadata.topics) {
        for (const auto& p : topic.partitions) {
            if (!has(p.replica_nodes, broker)) continue;
            const auto instead = room.take(p, broker);
            if (!instead)
                return base::precondition(
                    "no broker is left that could take partition " +
                    std::to_string(p.partition_index) + " of '" + topic.name.value_or("") +
                    "', which has a replica on each that is in service\nAdd a broker, or move it "
                    "to fewer first: moldau partition move " +
                    topic.name.value_or("") + ":" + std::to_string(p.partition_index) + " --to …");
            Move move{topic.name.value_or(""), p.partition_index, p.replica_nodes};
            std::ranges::replace(move.to, broker, *instead);
            out.push_back(std::move(move));
        }
    }
    return out;
}

std::map<std::string, Throttled> throttled_replicas(const Moves& moves,
                                                    const kafka::MetadataResponse& metadata) {
    std::map<std::string, Throttled> out;
    for_each(moves, metadata, [&](const Move& move, const Partition& p) {
        const auto entry = [&](int32_t id) {
            return std::to_string(move.partition) + ":" + std::to_string(id);
        };
        Throttled& throttled = out[move.topic];
        for (int32_t id : p.replica_nodes) throttled.leaders.insert(entry(id));
        for (int32_t id : move.to)
            if (!has(p.replica_nodes, id)) throttled.followers.insert(entry(id));
    });
    return out;
}

std::set<int32_t> concerned(const Moves& moves, const kafka::MetadataResponse& metadata) {
    std::set<int32_t> out;
    for_each(moves, metadata, [&](const Move& move, const Partition& p) {
        out.insert(move.to.begin(), move.to.end());
        out.insert(p.replica_nodes.begin(), p.replica_nodes.end());
    });
    return out;
}

}  // namespace cli
