#include "controller/raft/configuration.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/varint.h"

namespace raft {

namespace {

// Version of the encoding. Then voters and learners, each: count, and for each member its id, the
// two halves of the incarnation, the address's size and bytes; all integers are varints.
constexpr uint64_t kVersion = 1;

void put(base::Bytes& out, const Configuration::Members& members) {
    base::put_varint(out, members.size());
    for (const auto& [member, address] : members) {
        base::put_varint(out, static_cast<uint32_t>(member.id));
        base::put_varint(out, member.incarnation.hi);
        base::put_varint(out, member.incarnation.lo);
        base::put_varint(out, address.size());
        const auto bytes = base::as_bytes(address);
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
}

bool take(base::View& in, Configuration::Members& members) {
    const auto count = base::take_varint(in, 5);
    if (!count || *count > Configuration::kMostMembers) return false;
    for (uint64_t i = 0; i < *count; ++i) {
        const auto id = base::take_varint(in, 5);
        const auto hi = base::take_varint(in, 10);
        const auto lo = base::take_varint(in, 10);
        const auto size = base::take_varint(in, 5);
        if (!id || !hi || !lo || !size || *id > INT32_MAX) return false;
        if (*size > Configuration::kMostAddressBytes || *size > in.size()) return false;
        const Member member{static_cast<int32_t>(*id), {*hi, *lo}};
        members.emplace(member, base::as_text(in.first(*size)));
        in = in.subspan(*size);
    }
    return members.size() == *count;
}

bool fits(const Configuration& c) {
    if (c.voters.size() + c.learners.size() > Configuration::kMostMembers) return false;
    std::vector<int32_t> ids;
    for (const auto& [member, address] : c.voters) ids.push_back(member.id);
    for (const auto& [member, address] : c.learners) ids.push_back(member.id);
    std::ranges::sort(ids);
    return std::ranges::adjacent_find(ids) == ids.end();
}

}  // namespace

bool Configuration::has_id(int32_t id) const {
    const auto same = [id](const auto& m) { return m.first.id == id; };
    return std::ranges::any_of(voters, same) || std::ranges::any_of(learners, same);
}

Configuration::Members Configuration::members() const {
    auto all = voters;
    all.insert(learners.begin(), learners.end());
    return all;
}

const std::string& Configuration::address(const Member& m) const {
    return has_voter(m) ? voters.at(m) : learners.at(m);
}

std::string Configuration::encode() const {
    base::Bytes out;
    base::put_varint(out, kVersion);
    put(out, voters);
    put(out, learners);
    return std::string(base::as_text(out));
}

std::optional<Configuration> Configuration::decode(std::string_view bytes) {
    auto in = base::as_bytes(bytes);
    Configuration c;
    if (base::take_varint(in, 5) != kVersion) return std::nullopt;
    if (!take(in, c.voters) || !take(in, c.learners) || !in.empty() || !fits(c))
        return std::nullopt;
    return c;
}

std::optional<Configuration> changed(const Configuration& now, const Change& change) {
    auto next = now;
    if (const auto* add = std::get_if<AddLearner>(&change)) {
        if (add->member.id < 0 || now.has_id(add->member.id)) return std::nullopt;
        if (add->address.size() > Configuration::kMostAddressBytes) return std::nullopt;
        next.learners.emplace(add->member, add->address);
    } else if (const auto* promote = std::get_if<Promote>(&change)) {
        auto learner = next.learners.extract(promote->member);
        if (learner.empty()) return std::nullopt;
        next.voters.insert(std::move(learner));
    } else if (const auto* move = std::get_if<Move>(&change)) {
        if (!now.has(move->member) || now.address(move->member) == move->address ||
            move->address.size() > Configuration::kMostAddressBytes)
            return std::nullopt;
        (now.has_voter(move->member) ? next.voters : next.learners)[move->member] = move->address;
    } else {
        const auto& member = std::get<Remove>(change).member;
        if (next.voters.erase(member) + next.learners.erase(member) == 0) return std::nullopt;
    }
    if (next.voters.empty() || !fits(next)) return std::nullopt;
    return next;
}

}  // namespace raft
