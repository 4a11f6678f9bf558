#include "controller/quorum/peers.h"

#include <utility>

#include "base/check.h"
#include "controller/quorum/inbound.h"
#include "controller/quorum/outbound.h"

namespace quorum {

Peers::Peers(io::Shard& home, PeerOptions options, PeerEvents events)
    : home_(home), options_(std::move(options)), events_(std::move(events)) {
    CHECK(options_.most_message_bytes <= options_.most_queued_bytes);
    inbound_ = std::make_unique<Inbound>(
        home_, options_.cluster, options_.self,
        Inbound::Events{[this](raft::Message m) { events_.on_message(std::move(m)); },
                        [this](const raft::Member& from) { arrived(from); },
                        [this] { update_links(); }});
    inbound_->keep(alive_.token());
}

Peers::~Peers() { stop(); }

grpc::Service& Peers::service() { return inbound_->service(); }

/// To every member, and to every stranger that an open roster has let in, while its stream lasts.
void Peers::update_links() {
    if (closed_) return;
    auto wanted = roster_.members;
    for (const auto& hello : inbound_->senders()) wanted.emplace(hello.link.from, hello.address);
    std::erase_if(wanted, [this](const auto& row) { return row.first.id == options_.self.id; });
    std::erase_if(links_, [&wanted](const auto& row) { return !wanted.contains(row.first); });
    for (const auto& [member, address] : wanted) {
        auto& link = links_[member];
        if (link == nullptr || link->address() != address)
            link = std::make_unique<Outbound>(home_, options_, events_, member, address,
                                              cut_.contains(member.id), alive_.token());
    }
}

void Peers::set_roster(Roster roster) {
    roster_ = std::move(roster);
    inbound_->set_roster(roster_);
    update_links();
}

void Peers::set_cut(std::set<int32_t> nodes) {
    cut_ = std::move(nodes);
    for (const auto& [member, link] : links_) link->set_cut(cut_.contains(member.id));
    inbound_->set_cut(cut_);
}

void Peers::arrived(const raft::Member& from) {
    update_links();
    links_.at(from)->wake();
}

void Peers::send(raft::Message m) {
    CHECK(m.cluster == options_.cluster && m.from == options_.self) << "a message of another";
    CHECK(wire_bytes(m) <= options_.most_message_bytes) << "a message of " << wire_bytes(m);
    const auto link = links_.find(m.to);
    if (link != links_.end()) link->second->send(std::move(m));
}

std::vector<Peers::State> Peers::states() const {
    std::vector<State> out;
    for (const auto& [member, link] : links_) out.push_back(link->state());
    return out;
}

std::optional<bool> Peers::is_controller(const raft::Member& member) const {
    for (const auto& hello : inbound_->senders())
        if (hello.link.from == member) return hello.controller;
    return std::nullopt;
}

void Peers::stop() {
    CHECK(!home_.here()) << "stop() called on the shard";
    if (std::exchange(stopped_, true)) return;
    home_.post([this] {
        closed_ = true;
        links_.clear();
        inbound_->close();
        alive_.drop();
    });
    alive_.wait();
}

}  // namespace quorum
