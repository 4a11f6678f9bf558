#include "controller/raft/configuration.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/varint.h"

namespace raft {

namespace {

// Version of the encoding. Then voters and learners, each: count, and for each member its id, the
// two halves of the incarnation, the address's size and bytes; all integers are varints. Where
// learners are promised a vote the version is 2, and their count and ids follow, in order: without
// one all is as it was before there were promises.
constexpr uint64_t kVersion = 1;
constexpr uint64_t kVersionWithPromises = 2;

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

bool take_promises(base::View& in, Configuration& c) {
    const auto count = base::take_varint(in, 5);
    if (!count || *count == 0 || *count > c.learners.size()) return false;
    for (uint64_t i = 0; i < *count; ++i) {
        const auto id = base::take_varint(in, 5);
        if (!id || *id > INT32_MAX) return false;
        const auto member = c.find_id(static_cast<int32_t>(*id));
        if (!member || !c.has_learner(*member)) return false;
        if (!c.promised.empty() && *member < *c.promised.rbegin()) return false;
        c.promised.insert(*member);
    }
    return c.promised.size() == *count;
}

bool fits(const Configuration& c) {
    if (c.voters.size() + c.learners.size() > Configuration::kMostMembers) return false;
    for (const auto* members : {&c.voters, &c.learners})
        for (const auto& [member, address] : *members)
            if (address.size() > Configuration::kMostAddressBytes) return false;
    std::vector<int32_t> ids;
    for (const auto& [member, address] : c.voters) ids.push_back(member.id);
    for (const auto& [member, address] : c.learners) ids.push_back(member.id);
    std::ranges::sort(ids);
    return std::ranges::adjacent_find(ids) == ids.end();
}

}  // namespace

std::optional<Member> Configuration::find_id(int32_t id) const {
    for (const auto* some : {&voters, &learners})
        for (const auto& [member, address] : *some)
            if (member.id == id) return member;
    return std::nullopt;
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
    base::put_varint(out, promised.empty() ? kVersion : kVersionWithPromises);
    put(out, voters);
    put(out, learners);
    if (!promised.empty()) {
        base::put_varint(out, promised.size());
        for (const auto& member : promised) base::put_varint(out, static_cast<uint32_t>(member.id));
    }
    return std::string(base::as_text(out));
}

std::optional<Configuration> Configuration::decode(std::string_view bytes) {
    auto in = base::as_bytes(bytes);
    Configuration c;
    const auto version = base::take_varint(in, 5);
    if (version != kVersion && version != kVersionWithPromises) return std::nullopt;
    if (!take(in, c.voters) || !take(in, c.learners) || !fits(c)) return std::nullopt;
    if (version == kVersionWithPromises && !take_promises(in, c)) return std::nullopt;
    if (!in.empty()) return std::nullopt;
    return c;
}

namespace {

/// False if it doesn't fit.
bool apply(Configuration& c, const AddLearner& add) {
    if (add.member.id < 0 || c.find_id(add.member.id)) return false;
    c.learners.emplace(add.member, add.address);
    if (add.promised) c.promised.insert(add.member);
    return true;
}

bool apply(Configuration& c, const Promote& promote) {
    auto learner = c.learners.extract(promote.member);
    if (learner.empty()) return false;
    c.promised.erase(promote.member);
    c.voters.insert(std::move(learner));
    return true;
}

bool apply(Configuration& c, const Remove& remove) {
    c.promised.erase(remove.member);
    return c.voters.erase(remove.member) + c.learners.erase(remove.member) > 0;
}

bool apply(Configuration& c, const Replace& replace) {
    if (replace.member.id != replace.old.id || replace.member == replace.old) return false;
    const bool votes = c.has_voter(replace.old) || c.promised.contains(replace.old);
    return apply(c, Remove{replace.old}) &&
           apply(c, AddLearner{replace.member, replace.address, votes});
}

bool apply(Configuration& c, const Move& move) {
    if (!c.has(move.member) || c.address(move.member) == move.address) return false;
    (c.has_voter(move.member) ? c.voters : c.learners)[move.member] = move.address;
    return true;
}

}  // namespace

std::optional<Configuration> changed(const Configuration& now, const Change& change) {
    auto next = now;
    if (!std::visit([&next](const auto& c) { return apply(next, c); }, change)) return std::nullopt;
    if (next.voters.empty() || !fits(next)) return std::nullopt;
    return next;
}

}  // namespace raft
