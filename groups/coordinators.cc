#include "groups/coordinators.h"

#include <algorithm>
#include <random>
#include <utility>

#include "base/check.h"
#include "base/uuid.h"

namespace groups {

using kafka::ErrorCode;

namespace {

class RealEnvironment final : public Environment {
  public:
    Now now() override { return {io::monotonic_clock(), io::wall_clock()}; }
    uint64_t random() override {
        // Shards call at once; a member id must not be guessable from another.
        thread_local std::random_device device;
        return uint64_t{device()} << 32 | device();
    }
};

/// Delivers a reply on the shard that asked.
template <class Response>
base::Function<void(Response)> back_to(io::Shard& from, base::Function<void(Response)> reply) {
    return [&from, reply = std::move(reply)](Response response) mutable {
        if (from.here()) return reply(std::move(response));
        from.post([reply = std::move(reply), response = std::move(response)]() mutable {
            reply(std::move(response));
        });
    };
}

/// Collects the parts of an answer on the shard that asked, in the order of the request.
template <class Part>
class Gather {
  public:
    using Done = base::Function<void(std::vector<Part>)>;
    static std::shared_ptr<Gather> of(size_t parts, Done done) {
        auto gather = std::make_shared<Gather>();
        gather->parts_.resize(parts);
        gather->missing_ = parts;
        gather->done_ = std::move(done);
        if (parts == 0) gather->done_({});
        return gather;
    }
    void put(size_t at, Part part) {
        parts_[at] = std::move(part);
        if (--missing_ == 0) done_(std::move(parts_));
    }

  private:
    std::vector<Part> parts_;
    size_t missing_ = 0;
    Done done_;
};

/// KIP-345: an instance id is named like a topic.
bool valid_instance_id(const std::optional<std::string>& id) {
    if (!id) return true;
    if (id->empty() || id->size() > 249 || *id == "." || *id == "..") return false;
    return std::all_of(id->begin(), id->end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

}  // namespace

Coordinators::Coordinators(io::Shards& shards, const Config& config, const Topics& topics,
                           int32_t partitions, std::unique_ptr<Environment> environment)
    : shards_(shards),
      config_(config),
      topics_(topics),
      environment_(environment ? std::move(environment) : std::make_unique<RealEnvironment>()),
      places_(static_cast<size_t>(partitions)),
      coordinators_(shards.count()) {
    for (auto& place : places_) place = -1;
}

Coordinators::~Coordinators() {
    for (const auto& of_shard : coordinators_)
        for (const auto& [index, coordinator] : of_shard) coordinator->stop();
}

int32_t Coordinators::partition_of(const std::string& group) const {
    return coordinator_partition(group, partitions());
}

void Coordinators::with(int32_t index, std::unique_ptr<Journal> journal,
                        base::Function<void(Coordinator&)> call) {
    CHECK(index >= 0 && index < partitions());
    auto& shard = journal->shard();
    shard.run(
        [this, index, &shard, journal = std::move(journal), call = std::move(call)]() mutable {
            auto& slot = coordinators_[shard.index()][index];
            if (!slot) {
                slot = std::make_shared<Coordinator>(index, std::move(journal), shards_, config_,
                                                     topics_, *environment_);
                slot->start();
                places_[static_cast<size_t>(index)] = static_cast<int32_t>(shard.index());
            }
            const auto keep = slot;  // a reply may bring about its removal
            call(*keep);
        });
}

void Coordinators::follow(int32_t index, std::unique_ptr<Journal> journal) {
    with(index, std::move(journal), [](Coordinator& c) { c.follow(); });
}

void Coordinators::follow(int32_t index, replication::Partition& partition) {
    follow(index, journal_of(partition));
}

void Coordinators::lead(int32_t index, std::unique_ptr<Journal> journal, base::LeaderEpoch epoch) {
    with(index, std::move(journal), [epoch](Coordinator& c) { c.lead(epoch); });
}

void Coordinators::lead(int32_t index, replication::Partition& partition, base::LeaderEpoch epoch) {
    lead(index, journal_of(partition), epoch);
}

void Coordinators::remove(int32_t index, base::Function<void()> done) {
    auto& place = places_[static_cast<size_t>(index)];
    place = -1;
    struct Rest {
        std::atomic<size_t> shards;
        base::Function<void()> done;
    };
    auto rest = std::make_shared<Rest>(shards_.count(), std::move(done));
    // On all of them: what adds it may be on its way to one, and the partition goes next.
    for (size_t s = 0; s < shards_.count(); ++s)
        shards_.at(s).run([this, index, s, rest, &place] {
            auto node = coordinators_[s].extract(index);
            if (!node.empty()) {
                node.mapped()->stop();
                auto here = static_cast<int32_t>(s);
                place.compare_exchange_strong(here, -1);
            }
            if (--rest->shards == 0 && rest->done) rest->done();
        });
}

void Coordinators::at(int32_t index, base::Function<void(Coordinator*)> call) {
    const auto place = places_[static_cast<size_t>(index)].load();
    if (place < 0) return call(nullptr);
    shards_.at(static_cast<size_t>(place))
        .run([this, index, place, call = std::move(call)]() mutable {
            auto& here = coordinators_[static_cast<size_t>(place)];
            const auto it = here.find(index);
            if (it == here.end()) return call(nullptr);
            const auto keep = it->second;  // a reply may bring about its removal
            call(keep.get());
        });
}

void Coordinators::join(io::Shard& from, kafka::JoinGroupRequest request, ClientContext client,
                        Reply<kafka::JoinGroupResponse> reply) {
    if (!valid_instance_id(request.group_instance_id)) {
        kafka::JoinGroupResponse refusal;
        refusal.error_code = ErrorCode::invalid_request;
        return reply(std::move(refusal));
    }
    if (request.rebalance_timeout_ms < 0) request.rebalance_timeout_ms = request.session_timeout_ms;
    const auto partition = partition_of(request.group_id);
    at(partition, [this, request = std::move(request), client = std::move(client),
                   reply = back_to(from, std::move(reply))](Coordinator* c) mutable {
        if (c == nullptr) {
            kafka::JoinGroupResponse refusal;
            refusal.member_id = request.member_id;
            refusal.error_code = ErrorCode::not_coordinator;
            return reply(std::move(refusal));
        }
        const auto unique = base::Uuid::from_random(environment_->random(), environment_->random());
        c->join(request,
                Caller{.request = 0,
                       .version = client.api_version,
                       .client_id = client.client_id,
                       .client_host = client.host,
                       .member_suffix = unique.to_string()},
                std::move(reply));
    });
}

template <class Request, class Response, class Call>
void Coordinators::ask(io::Shard& from, Request request, Reply<Response> reply, Call call) {
    const auto partition = partition_of(request.group_id);
    at(partition, [request = std::move(request), call,
                   reply = back_to(from, std::move(reply))](Coordinator* c) mutable {
        if (c != nullptr) return call(*c, request, std::move(reply));
        if constexpr (std::is_same_v<Request, kafka::OffsetCommitRequest>) {
            reply(refuse(request, ErrorCode::not_coordinator));
        } else {
            Response refusal;
            refusal.error_code = ErrorCode::not_coordinator;
            reply(std::move(refusal));
        }
    });
}

void Coordinators::sync(io::Shard& from, kafka::SyncGroupRequest request, ClientContext client,
                        Reply<kafka::SyncGroupResponse> reply) {
    ask(from, std::move(request), std::move(reply),
        [version = client.api_version](Coordinator& c, const auto& request, auto reply) {
            c.sync(request, version, std::move(reply));
        });
}

void Coordinators::heartbeat(io::Shard& from, kafka::HeartbeatRequest request, ClientContext,
                             Reply<kafka::HeartbeatResponse> reply) {
    ask(from, std::move(request), std::move(reply),
        [](Coordinator& c, const auto& request, auto reply) {
            c.heartbeat(request, std::move(reply));
        });
}

void Coordinators::leave(io::Shard& from, kafka::LeaveGroupRequest request, ClientContext client,
                         Reply<kafka::LeaveGroupResponse> reply) {
    ask(from, std::move(request), std::move(reply),
        [version = client.api_version](Coordinator& c, const auto& request, auto reply) {
            c.leave(request, version, std::move(reply));
        });
}

void Coordinators::commit(io::Shard& from, kafka::OffsetCommitRequest request, ClientContext client,
                          Reply<kafka::OffsetCommitResponse> reply) {
    ask(from, std::move(request), std::move(reply),
        [version = client.api_version](Coordinator& c, const auto& request, auto reply) {
            c.commit(request, version, std::move(reply));
        });
}

void Coordinators::fetch(io::Shard& from, kafka::OffsetFetchRequest request, ClientContext client,
                         Reply<kafka::OffsetFetchResponse> reply) {
    if (client.api_version >= 8) return fetch_groups(from, std::move(request), std::move(reply));
    // Older versions ask for one group, in fields of their own.
    kafka::OffsetFetchRequest one;
    one.require_stable = request.require_stable;
    auto& group = one.groups.emplace_back();
    group.group_id = request.group_id;
    if (request.topics) {
        for (const auto& topic : *request.topics) {
            auto& asked = group.topics->emplace_back();
            asked.name = topic.name;
            asked.partition_indexes = topic.partition_indexes;
        }
    } else {
        group.topics.reset();
    }
    fetch_groups(from, std::move(one),
                 [reply = std::move(reply),
                  asked = std::move(request)](kafka::OffsetFetchResponse all) mutable {
                     reply(single_group(asked, std::move(all.groups[0])));
                 });
}

void Coordinators::fetch_groups(io::Shard& from, kafka::OffsetFetchRequest request,
                                Reply<kafka::OffsetFetchResponse> reply) {
    using Group = kafka::OffsetFetchResponse::OffsetFetchResponseGroup;
    auto gather = Gather<Group>::of(request.groups.size(),
                                    [reply = std::move(reply)](std::vector<Group> groups) mutable {
                                        kafka::OffsetFetchResponse response;
                                        response.groups = std::move(groups);
                                        reply(std::move(response));
                                    });
    for (size_t i = 0; i < request.groups.size(); ++i) {
        const auto partition = partition_of(request.groups[i].group_id);
        auto put =
            back_to<Group>(from, [gather, i](Group group) { gather->put(i, std::move(group)); });
        at(partition, [group = std::move(request.groups[i]), stable = request.require_stable,
                       put = std::move(put)](Coordinator* c) mutable {
            put(c != nullptr ? c->fetch(group, stable) : refuse(group, ErrorCode::not_coordinator));
        });
    }
}

void Coordinators::delete_offsets(io::Shard& from, kafka::OffsetDeleteRequest request,
                                  ClientContext, Reply<kafka::OffsetDeleteResponse> reply) {
    const auto partition = partition_of(request.group_id);
    at(partition, [request = std::move(request),
                   reply = back_to(from, std::move(reply))](Coordinator* c) mutable {
        if (c != nullptr) return c->delete_offsets(request, std::move(reply));
        kafka::OffsetDeleteResponse refusal;
        refusal.error_code = ErrorCode::not_coordinator;
        reply(std::move(refusal));
    });
}

void Coordinators::describe(io::Shard& from, kafka::DescribeGroupsRequest request,
                            ClientContext client, Reply<kafka::DescribeGroupsResponse> reply) {
    using Group = kafka::DescribeGroupsResponse::DescribedGroup;
    auto gather = Gather<Group>::of(request.groups.size(),
                                    [reply = std::move(reply)](std::vector<Group> groups) mutable {
                                        kafka::DescribeGroupsResponse response;
                                        response.groups = std::move(groups);
                                        reply(std::move(response));
                                    });
    for (size_t i = 0; i < request.groups.size(); ++i) {
        auto put =
            back_to<Group>(from, [gather, i](Group group) { gather->put(i, std::move(group)); });
        at(partition_of(request.groups[i]), [id = request.groups[i], version = client.api_version,
                                             put = std::move(put)](Coordinator* c) mutable {
            if (c != nullptr && !id.empty()) return put(c->describe(id, version));
            Group refusal;
            refusal.group_id = id;
            refusal.error_code =
                id.empty() ? ErrorCode::invalid_group_id : ErrorCode::not_coordinator;
            put(std::move(refusal));
        });
    }
}

void Coordinators::list(io::Shard& from, kafka::ListGroupsRequest request, ClientContext,
                        Reply<kafka::ListGroupsResponse> reply) {
    using Response = kafka::ListGroupsResponse;
    auto gather = Gather<Response>::of(
        shards_.count(), [reply = std::move(reply)](std::vector<Response> parts) mutable {
            Response all;
            for (auto& part : parts) {
                if (all.error_code == ErrorCode::none) all.error_code = part.error_code;
                std::move(part.groups.begin(), part.groups.end(), std::back_inserter(all.groups));
            }
            reply(std::move(all));
        });
    for (size_t s = 0; s < shards_.count(); ++s) {
        auto put = back_to<Response>(
            from, [gather, s](Response part) { gather->put(s, std::move(part)); });
        shards_.at(s).run([this, s, request, put = std::move(put)]() mutable {
            Response part;
            for (const auto& [index, coordinator] : coordinators_[s]) {
                const auto e = coordinator->list(request, part.groups);
                if (part.error_code == ErrorCode::none) part.error_code = e;
            }
            put(std::move(part));
        });
    }
}

void Coordinators::delete_groups(io::Shard& from, kafka::DeleteGroupsRequest request, ClientContext,
                                 Reply<kafka::DeleteGroupsResponse> reply) {
    using Response = kafka::DeleteGroupsResponse;
    auto gather =
        Gather<Response>::of(request.groups_names.size(),
                             [reply = std::move(reply)](std::vector<Response> parts) mutable {
                                 Response all;
                                 for (auto& part : parts)
                                     std::move(part.results.begin(), part.results.end(),
                                               std::back_inserter(all.results));
                                 reply(std::move(all));
                             });
    for (size_t i = 0; i < request.groups_names.size(); ++i) {
        const auto& id = request.groups_names[i];
        auto put = back_to<Response>(
            from, [gather, i](Response part) { gather->put(i, std::move(part)); });
        at(partition_of(id), [id, put = std::move(put)](Coordinator* c) mutable {
            if (c != nullptr) return c->delete_group(id, std::move(put));
            Response refusal;
            auto& result = refusal.results.emplace_back();
            result.group_id = id;
            result.error_code = ErrorCode::not_coordinator;
            put(std::move(refusal));
        });
    }
}

void Coordinators::topic_deleted(const std::string& topic, const base::Uuid& id) {
    for (size_t s = 0; s < shards_.count(); ++s) {
        shards_.at(s).post([this, s, topic, id] {
            for (const auto& [index, coordinator] : coordinators_[s])
                coordinator->topic_deleted(topic, id);
        });
    }
}

}  // namespace groups
