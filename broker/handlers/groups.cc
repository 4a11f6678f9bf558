// The APIs of consumer groups: the coordinator of the group answers; here topics get their names
// and those that don't exist are sorted out.
#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "broker/handlers/handlers.h"
#include "broker/resolve.h"
#include "groups/coordinators.h"
#include "kafka/messages/delete_groups.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/heartbeat.h"
#include "kafka/messages/join_group.h"
#include "kafka/messages/leave_group.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/offset_commit.h"
#include "kafka/messages/offset_delete.h"
#include "kafka/messages/offset_fetch.h"
#include "kafka/messages/sync_group.h"

namespace broker::handlers {

namespace {

using kafka::ErrorCode;

groups::ClientContext client(const Call& call) {
    return {
        .client_id = call.client_id, .host = "/" + call.client_host, .api_version = call.version};
}

/// Hands the request to a coordinator as it is.
template <class Request, class Response, class Method>
void pass_on(CallPtr call, Request request, Reply<Response> reply, Method method) {
    auto& coordinators = call->services.groups;
    (coordinators.*method)(
        call->local.shard, std::move(request), client(*call),
        [call, reply = std::move(reply)](Response response) mutable { reply(response); });
}

}  // namespace

#define PASS_ON(handler, method, Name)                                                             \
    void handler(CallPtr call, kafka::Name##Request request, Reply<kafka::Name##Response> reply) { \
        pass_on(std::move(call), std::move(request), std::move(reply),                             \
                &groups::Coordinators::method);                                                    \
    }
PASS_ON(join_group, join, JoinGroup)
PASS_ON(sync_group, sync, SyncGroup)
PASS_ON(heartbeat, heartbeat, Heartbeat)
PASS_ON(leave_group, leave, LeaveGroup)
PASS_ON(describe_groups, describe, DescribeGroups)
PASS_ON(list_groups, list, ListGroups)
PASS_ON(delete_groups, delete_groups, DeleteGroups)
#undef PASS_ON

namespace {

/// Takes out what names no partition of this cluster, and answers for it. Topics by id get names.
kafka::OffsetCommitResponse refuse_unknown(const metadata::Image& image, bool by_id,
                                           kafka::OffsetCommitRequest& request) {
    kafka::OffsetCommitResponse unknown;
    std::erase_if(request.topics, [&](auto& asked) {
        const auto topic = find_topic(image, {asked.name, asked.topic_id, by_id});
        if (topic) {
            asked.name = topic->name;
            asked.topic_id = topic->id;
        }
        const auto code =
            topic || !by_id ? ErrorCode::unknown_topic_or_partition : ErrorCode::unknown_topic_id;
        kafka::OffsetCommitResponse::OffsetCommitResponseTopic out;
        out.name = asked.name;
        out.topic_id = asked.topic_id;
        std::erase_if(asked.partitions, [&](const auto& p) {
            if (topic && topic->partition(p.partition_index) != nullptr) return false;
            out.partitions.push_back({p.partition_index, code});
            return true;
        });
        const bool all = asked.partitions.empty() && (!topic || !out.partitions.empty());
        if (all || !out.partitions.empty()) unknown.topics.push_back(std::move(out));
        return all;
    });
    return unknown;
}

}  // namespace

void offset_commit(CallPtr call, kafka::OffsetCommitRequest request,
                   Reply<kafka::OffsetCommitResponse> reply) {
    using Response = kafka::OffsetCommitResponse;
    Response unknown = refuse_unknown(*call->local.image, call->version >= 10, request);
    if (request.topics.empty() && !unknown.topics.empty()) return reply(unknown);
    absl::flat_hash_map<std::string, base::Uuid> ids;
    for (const auto& asked : request.topics) ids.emplace(asked.name, asked.topic_id);
    auto& coordinators = call->services.groups;
    coordinators.commit(call->local.shard, std::move(request), client(*call),
                        [call, unknown = std::move(unknown), ids = std::move(ids),
                         reply = std::move(reply)](Response response) mutable {
                            for (auto& topic : response.topics) topic.topic_id = ids[topic.name];
                            std::move(unknown.topics.begin(), unknown.topics.end(),
                                      std::back_inserter(response.topics));
                            reply(response);
                        });
}

void offset_delete(CallPtr call, kafka::OffsetDeleteRequest request,
                   Reply<kafka::OffsetDeleteResponse> reply) {
    using Response = kafka::OffsetDeleteResponse;
    std::vector<Response::OffsetDeleteResponseTopic> unknown;
    std::erase_if(request.topics, [&](const auto& asked) {
        if (call->local.image->topic(asked.name)) return false;
        auto& out = unknown.emplace_back();
        out.name = asked.name;
        for (const auto& p : asked.partitions)
            out.partitions.push_back({p.partition_index, ErrorCode::unknown_topic_or_partition});
        return true;
    });
    auto& coordinators = call->services.groups;
    coordinators.delete_offsets(
        call->local.shard, std::move(request), client(*call),
        [call, unknown = std::move(unknown), reply = std::move(reply)](Response response) mutable {
            if (response.error_code == ErrorCode::none)
                std::move(unknown.begin(), unknown.end(), std::back_inserter(response.topics));
            reply(response);
        });
}

namespace {

/// Topics by id in a request get their names; what is not known is taken out and told in the
/// answer.
class NamedFetch {
  public:
    using Response = kafka::OffsetFetchResponse;

    NamedFetch(const metadata::Image& image, kafka::OffsetFetchRequest& request) {
        for (auto& group : request.groups) {
            auto& out = unknown_.emplace_back();
            if (!group.topics) continue;
            std::erase_if(*group.topics, [&](auto& asked) {
                const auto topic = image.topic(asked.topic_id);
                if (topic) {
                    asked.name = topic->name;
                    return false;
                }
                auto& answer = out.emplace_back();
                answer.topic_id = asked.topic_id;
                for (const auto index : asked.partition_indexes) {
                    auto& p = answer.partitions.emplace_back();
                    p.partition_index = index;
                    p.committed_offset = -1;
                    p.error_code = ErrorCode::unknown_topic_id;
                }
                return true;
            });
        }
    }

    void complete(const metadata::Image& image, Response& response) {
        for (size_t g = 0; g < response.groups.size() && g < unknown_.size(); ++g) {
            auto& topics = response.groups[g].topics;
            // A position in a topic that is gone meanwhile has no id to be told under.
            std::erase_if(topics, [&](auto& topic) {
                const auto known = image.topic(topic.name);
                if (known) topic.topic_id = known->id;
                return !known;
            });
            std::move(unknown_[g].begin(), unknown_[g].end(), std::back_inserter(topics));
        }
    }

  private:
    std::vector<std::vector<Response::OffsetFetchResponseTopics>> unknown_;  // by group
};

}  // namespace

void offset_fetch(CallPtr call, kafka::OffsetFetchRequest request,
                  Reply<kafka::OffsetFetchResponse> reply) {
    if (call->version < 10)
        return pass_on(std::move(call), std::move(request), std::move(reply),
                       &groups::Coordinators::fetch);
    NamedFetch named(*call->local.image, request);
    auto& coordinators = call->services.groups;
    coordinators.fetch(call->local.shard, std::move(request), client(*call),
                       [call, named = std::move(named),
                        reply = std::move(reply)](kafka::OffsetFetchResponse response) mutable {
                           named.complete(*call->local.image, response);
                           reply(response);
                       });
}

}  // namespace broker::handlers
