#include "kafka/messages/describe_log_dirs.h"

#include <algorithm>
#include <map>

#include "broker/handlers/handlers.h"
#include "io/disk.h"
#include "io/shard.h"
#include "replication/partitions.h"

namespace broker::handlers {

namespace {

using Request = kafka::DescribeLogDirsRequest;
using Response = kafka::DescribeLogDirsResponse;
using Usages = std::vector<replication::Partitions::Usage>;

bool wanted(const Request& request, const std::string& topic, int32_t index) {
    if (!request.topics) return true;
    for (const auto& t : *request.topics)
        if (t.topic == topic)
            return std::find(t.partitions.begin(), t.partitions.end(), index) != t.partitions.end();
    return false;
}

Response describe(const Call& call, const Request& request, const Usages& usages) {
    const auto& dirs = call.services.partitions.log_dirs();
    std::vector<std::map<std::string, std::vector<Response::DescribeLogDirsPartition>>> by_dir(
        dirs.size());
    for (const auto& usage : usages) {
        const auto topic = call.local.image->topic(usage.id.topic);
        if (!topic || !wanted(request, topic->name, usage.id.index)) continue;
        by_dir[usage.log_dir][topic->name].push_back(
            {.partition_index = usage.id.index,
             .partition_size = static_cast<int64_t>(usage.bytes),
             .offset_lag = usage.lag});
    }
    Response response;
    for (size_t i = 0; i < dirs.size(); ++i) {
        auto& out = response.results.emplace_back();
        out.log_dir = dirs[i];
        if (call.services.partitions.fenced(i)) {
            out.error_code = kafka::ErrorCode::kafka_storage_error;
            continue;
        }
        const auto free = call.services.partitions.free_bytes(i);
        if (free.ok()) out.usable_bytes = static_cast<int64_t>(*free);
        for (auto& [topic, partitions] : by_dir[i])
            out.topics.push_back({topic, std::move(partitions)});
    }
    return response;
}

}  // namespace

void describe_log_dirs(CallPtr call, Request request, Reply<Response> reply) {
    struct State {
        Usages usages;
        size_t left;
    };
    auto& shards = call->services.shards;
    auto state = std::make_shared<State>(State{{}, shards.count()});
    auto finish = std::make_shared<base::Function<void()>>(
        [call, state, request = std::move(request), reply = std::move(reply)]() mutable {
            reply(describe(*call, request, state->usages));
        });
    for (size_t i = 0; i < shards.count(); ++i) {
        shards.at(i).post([call, state, finish, &shard = shards.at(i)] {
            auto usages = call->services.partitions.usage(shard);
            call->local.shard.post([state, finish, usages = std::move(usages)] {
                state->usages.insert(state->usages.end(), usages.begin(), usages.end());
                if (--state->left == 0) (*finish)();
            });
        });
    }
}

}  // namespace broker::handlers
