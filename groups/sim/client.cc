#include "groups/sim/client.h"

#include <algorithm>

#include "base/endian.h"

namespace groups::sim {

using kafka::ErrorCode;
using Assignment = kafka::SyncGroupRequest::SyncGroupRequestAssignment;

namespace {
void put(base::Bytes& out, int64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::byte>(value >> shift));
}
constexpr size_t topics_size = 2 + 4 + 2 + 1;  // version, count, "t"
}  // namespace

/// A consumer's subscription to topic "t"; what it owns and since when stands in the user data.
base::Bytes Client::metadata() const {
    base::Bytes out;
    put(out, 1, 2);
    put(out, 1, 4);
    put(out, 1, 2);
    out.push_back(std::byte{'t'});
    put(out, static_cast<int64_t>(2 + 4 + owned_.size()), 4);
    put(out, nonce_, 2);
    put(out, generation_, 4);
    if (traits_.cooperative)
        for (const int p : owned_) put(out, p, 1);
    return out;
}

Client::Claim Client::claim_of(const base::Bytes& metadata) {
    Claim claim;
    const auto data = base::View(metadata).subspan(topics_size + 4 + 2);
    claim.generation = base::load_be<int32_t>(data.data());
    for (const auto p : data.subspan(4)) claim.owned.insert(static_cast<int>(p));
    return claim;
}

template <class Response>
Network::Reply Client::expect(void (Client::*on)(const Response&)) {
    return [this, on, step = ++step_](const Answer::Body* body) {
        const auto act = [this, on, step,
                          body = body == nullptr ? std::optional<Answer::Body>() : *body] {
            if (step != step_) return;
            if (body) (this->*on)(std::get<Response>(*body));
            else join_later(0);  // no answer: begin anew, as who it was
        };
        if (paused_until_ <= world_.now()) return act();
        world_.after(paused_until_ - world_.now(), act);
    };
}

void Client::start() {
    state_ = State::joining;
    member_id_.clear();
    generation_ = -1;
    owned_.clear();
    join();
}

void Client::crash() {
    world_.trace("client %d crashes (%s generation %d)", traits_.index, member_id_.c_str(),
                 generation_);
    if (!member_id_.empty()) past_ = {member_id_, generation_};
    ++step_;
    state_ = State::down;
    owned_.clear();
}

void Client::leave() {
    kafka::LeaveGroupRequest request;
    request.group_id = traits_.group;
    request.member_id = member_id_;
    auto& identity = request.members.emplace_back();
    identity.member_id = member_id_;
    identity.group_instance_id = traits_.instance_id;
    network_.send(std::move(request),
                  traits_.instance_id ? 5 : static_cast<int16_t>(world_.chance(50) ? 2 : 5), 1'000,
                  [](const Answer::Body*) {});
    crash();
}

void Client::rejoin(bool changed) {
    if (state_ != State::stable) return;
    if (changed) ++nonce_;
    join_later(0);
}

void Client::join_later(int64_t delay) {
    state_ = State::joining;
    if (!traits_.cooperative) owned_.clear();
    world_.after(delay, [this, step = ++step_] {
        if (step == step_) join();
    });
}

void Client::lose_membership() {
    if (!member_id_.empty()) past_ = {member_id_, generation_};
    member_id_.clear();
    generation_ = -1;
    owned_.clear();
    join_later(10);
}

void Client::join() {
    kafka::JoinGroupRequest request;
    request.group_id = traits_.group;
    request.session_timeout_ms = traits_.session_timeout_ms;
    request.rebalance_timeout_ms = traits_.rebalance_timeout_ms;
    request.member_id = member_id_;
    request.group_instance_id = traits_.instance_id;
    request.protocol_type = "consumer";
    for (const auto& p : traits_.protocols) request.protocols.push_back({p, metadata()});
    world_.trace("client %d joins as '%s'", traits_.index, member_id_.c_str());
    network_.send(std::move(request), traits_.join_version, traits_.rebalance_timeout_ms + 5'000,
                  expect(&Client::on_join));
}

void Client::retry(ErrorCode error) {
    world_.trace("client %d is told %d", traits_.index, static_cast<int>(error));
    switch (error) {
        case ErrorCode::fenced_instance_id:
            ++step_;
            owned_.clear();
            state_ = State::fenced;
            return;
        case ErrorCode::unknown_member_id:
            return lose_membership();
        case ErrorCode::illegal_generation:
            past_ = {member_id_, generation_};
            generation_ = -1;
            owned_.clear();
            return join_later(10);
        case ErrorCode::rebalance_in_progress:
            return join_later(10);
        default:
            return join_later(200);
    }
}

void Client::on_join(const kafka::JoinGroupResponse& response) {
    if (response.error_code == ErrorCode::member_id_required) {
        member_id_ = response.member_id;
        return join_later(0);
    }
    if (response.error_code != ErrorCode::none) return retry(response.error_code);
    member_id_ = response.member_id;
    if (generation_ != response.generation_id && generation_ >= 0)
        past_ = {member_id_, generation_};
    generation_ = response.generation_id;
    protocol_ = response.protocol_name.value_or("");
    if (!traits_.cooperative) owned_.clear();
    state_ = State::syncing;
    const bool leads = response.leader == member_id_ && !response.skip_assignment;
    world_.trace("client %d is %s in generation %d%s", traits_.index, member_id_.c_str(),
                 generation_, leads ? ", leading" : "");
    world_.after(world_.below(100), [this, step = ++step_, leads, response] {
        if (step == step_) sync(leads ? assign(response) : std::vector<Assignment>());
    });
}

std::vector<Assignment> Client::assign(const kafka::JoinGroupResponse& response) const {
    std::vector<Assignment> all;
    std::map<std::string, std::set<int>> target;
    for (const auto& m : response.members) target[m.member_id];
    if (target.empty()) return all;
    auto next = target.begin();
    for (int p = 0; p < traits_.partitions; ++p) {
        next->second.insert(p);
        if (++next == target.end()) next = target.begin();
    }
    if (traits_.cooperative) {
        // What another still owns is given only after it was revoked there: in the next generation.
        // The newest claim counts; the one that made it is asked to give up the partition.
        std::map<int, std::pair<int32_t, std::string>> owner;
        for (const auto& m : response.members) {
            const auto claim = claim_of(m.metadata);
            for (const int p : claim.owned) {
                auto [it, fresh] = owner.try_emplace(p, claim.generation, m.member_id);
                if (!fresh && it->second.first < claim.generation)
                    it->second = {claim.generation, m.member_id};
            }
        }
        for (auto& [id, partitions] : target)
            std::erase_if(partitions, [&, &member = id](int p) {
                const auto it = owner.find(p);
                return it != owner.end() && it->second.second != member;
            });
    }
    for (const auto& [id, partitions] : target) {
        auto& one = all.emplace_back();
        one.member_id = id;
        for (const int p : partitions) one.assignment.push_back(static_cast<std::byte>(p));
    }
    return all;
}

void Client::sync(std::vector<Assignment> assignments) {
    kafka::SyncGroupRequest request;
    request.group_id = traits_.group;
    request.generation_id = generation_;
    request.member_id = member_id_;
    request.group_instance_id = traits_.instance_id;
    request.protocol_type = "consumer";
    request.protocol_name = protocol_;
    request.assignments = std::move(assignments);
    network_.send(std::move(request), 5, 10'000, expect(&Client::on_sync));
}

void Client::on_sync(const kafka::SyncGroupResponse& response) {
    if (response.error_code != ErrorCode::none) return retry(response.error_code);
    std::set<int> assigned;
    for (const auto p : response.assignment) assigned.insert(static_cast<int>(p));
    const bool lost =
        !std::includes(assigned.begin(), assigned.end(), owned_.begin(), owned_.end());
    owned_ = std::move(assigned);
    state_ = State::stable;
    world_.trace("client %d owns %zu partitions in generation %d", traits_.index, owned_.size(),
                 generation_);
    if (traits_.cooperative && lost) return join_later(0);
    const auto loop = ++step_;
    world_.after(world_.below(1'000), [this, loop] { heartbeat(loop); });
}

void Client::heartbeat(uint64_t loop) {
    if (loop != step_ || state_ != State::stable) return;
    if (paused_until_ > world_.now())
        return world_.after(paused_until_ - world_.now(), [this, loop] { heartbeat(loop); });
    kafka::HeartbeatRequest request;
    request.group_id = traits_.group;
    request.generation_id = generation_;
    request.member_id = member_id_;
    request.group_instance_id = traits_.instance_id;
    network_.send(std::move(request), 2'000, [this, loop](const Answer::Body* body) {
        if (loop != step_ || state_ != State::stable) return;
        const auto error = body == nullptr ? ErrorCode::none
                                           : std::get<kafka::HeartbeatResponse>(*body).error_code;
        const bool away = error == ErrorCode::not_coordinator ||
                          error == ErrorCode::coordinator_not_available ||
                          error == ErrorCode::coordinator_load_in_progress;
        if (error != ErrorCode::none && !away) return retry(error);
        world_.after(1'000, [this, loop] { heartbeat(loop); });
    });
}

void Client::commit() { send_commit(member_id_, generation_); }

void Client::commit_as_zombie() {
    if (past_) send_commit(past_->first, past_->second);
}

void Client::send_commit(const std::string& member_id, int32_t generation) {
    kafka::OffsetCommitRequest request;
    request.group_id = traits_.group;
    request.member_id = member_id;
    request.generation_id_or_member_epoch = generation;
    auto& topic = request.topics.emplace_back();
    topic.name = world_.chance(90) ? "t" : "unsubscribed";
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = static_cast<int32_t>(world_.below(traits_.partitions));
    partition.committed_offset = ++next_offset_;
    network_.send(std::move(request), 9, 5'000, [](const Answer::Body*) {});
}

}  // namespace groups::sim
