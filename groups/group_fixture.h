#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "groups/groups.h"

namespace groups {

using kafka::ErrorCode;
using State = Group::State;

/// Groups with a log that is durable when the test says so, and requests told by their number.
class GroupTest : public testing::Test {
  protected:
    Now now() const { return {time, 1'700'000'000'000 + time}; }
    void take(Effects effects) {
        for (auto& a : effects.answers) {
            EXPECT_FALSE(answers.contains(a.to)) << "answered twice";
            answers.emplace(a.to, std::move(a.body));
        }
        for (auto& w : effects.writes) writes.push_back(std::move(w));
    }
    /// The oldest write is durable, or failed.
    void persist(ErrorCode error = ErrorCode::none) {
        ASSERT_FALSE(writes.empty());
        auto write = std::move(writes.front());
        writes.erase(writes.begin());
        if (error == ErrorCode::none)
            for (auto& r : write.records) log.push_back(std::move(r));
        take(groups.persisted(now(), write.id, error));
    }
    void pass(int64_t ms) {
        for (const auto until = time + ms; time < until;) {
            time = std::min(until, std::max(time + 1, groups.alarm()));
            take(groups.tick(now()));
        }
    }
    bool answered(RequestId id) const { return answers.contains(id); }
    template <class Response>
    Response& answer(RequestId id) {
        if (!answers.contains(id)) ADD_FAILURE() << "no answer to " << id;
        return std::get<Response>(answers[id]);
    }
    kafka::JoinGroupResponse& joined(RequestId id) { return answer<kafka::JoinGroupResponse>(id); }
    ErrorCode join_error(RequestId id) { return joined(id).error_code; }
    ErrorCode sync_error(RequestId id) { return answer<kafka::SyncGroupResponse>(id).error_code; }

    struct Who {
        std::string member;
        std::optional<std::string> instance;
        int16_t version = 9;
        std::vector<std::string> protocols{"range"};
        std::string metadata = "m";
        std::string type = "consumer";
    };
    RequestId join(const Who& who) {
        kafka::JoinGroupRequest request;
        request.group_id = "g";
        request.session_timeout_ms = 10'000;
        request.rebalance_timeout_ms = 30'000;
        request.member_id = who.member;
        request.group_instance_id = who.instance;
        request.protocol_type = who.type;
        for (const auto& p : who.protocols) request.protocols.push_back({p, bytes(who.metadata)});
        const auto id = ++last;
        take(groups.join(now(), request, {id, who.version, "client", "/h", std::to_string(id)}));
        return id;
    }
    RequestId sync(const std::string& member, int32_t generation,
                   std::vector<std::pair<std::string, std::string>> assignments = {}) {
        kafka::SyncGroupRequest request;
        request.group_id = "g";
        request.member_id = member;
        request.generation_id = generation;
        for (const auto& [m, a] : assignments) request.assignments.push_back({m, bytes(a)});
        const auto id = ++last;
        take(groups.sync(now(), request, id, 4));
        return id;
    }
    ErrorCode heartbeat(const std::string& member, int32_t generation,
                        std::optional<std::string> instance = {}) {
        kafka::HeartbeatRequest request;
        request.group_id = "g";
        request.member_id = member;
        request.generation_id = generation;
        request.group_instance_id = instance;
        const auto id = ++last;
        take(groups.heartbeat(now(), request, id));
        return answer<kafka::HeartbeatResponse>(id).error_code;
    }
    ErrorCode leave(const std::string& member, std::optional<std::string> instance = {}) {
        kafka::LeaveGroupRequest request;
        request.group_id = "g";
        request.members.push_back(
            {.member_id = member, .group_instance_id = instance, .reason = {}});
        const auto id = ++last;
        take(groups.leave(now(), request, id, 5));
        return answer<kafka::LeaveGroupResponse>(id).members.at(0).error_code;
    }
    RequestId commit(const std::string& member, int32_t generation, int16_t version = 9,
                     const std::string& metadata = "") {
        kafka::OffsetCommitRequest request;
        request.group_id = "g";
        request.member_id = member;
        request.generation_id_or_member_epoch = generation;
        request.topics.push_back(
            {.name = "t",
             .topic_id = {},
             .partitions = {
                 {.partition_index = 0, .committed_offset = 5, .committed_metadata = metadata}}});
        const auto id = ++last;
        take(groups.commit(now(), request, id, version));
        return id;
    }
    ErrorCode commit_error(RequestId id) {
        return answer<kafka::OffsetCommitResponse>(id).topics.at(0).partitions.at(0).error_code;
    }
    static base::Bytes bytes(const std::string& s) {
        const auto v = base::as_bytes(s);
        return {v.begin(), v.end()};
    }
    const Group& group() { return *groups.find("g"); }

    /// Joins them all in one rebalance of a new group and syncs; their member ids.
    std::vector<std::string> stable(const std::vector<Who>& who) {
        std::vector<RequestId> requests;
        for (const auto& w : who) requests.push_back(join(w));
        // No longer than it takes: sessions run from then on.
        for (int i = 0; i < 60 && !answered(requests.back()); ++i) pass(500);
        std::vector<std::string> ids;
        for (const auto r : requests) ids.push_back(joined(r).member_id);
        std::vector<std::pair<std::string, std::string>> assignments;
        for (const auto& id : ids) assignments.emplace_back(id, "a-" + id);
        for (const auto& id : ids)
            sync(id, 1, id == group().leader() ? assignments : decltype(assignments){});
        persist();
        EXPECT_EQ(group().state(), State::stable);
        return ids;
    }

    Config config;
    Groups groups{config};
    base::InstantMs time = 0;
    RequestId last = 0;
    std::map<RequestId, Answer::Body> answers;
    std::vector<Write> writes;
    std::vector<Record> log;
};

}  // namespace groups
