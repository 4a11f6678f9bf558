#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"
#include "controller/raft/quorum.h"
#include "controller/raft/raft.h"

namespace raft {

void Raft::tick_leader(Leader& leader) {
    const bool hears_majority =
        majority_of(configuration(), [&](const Member& m) { return heard_recently(leader, m); });
    const bool alone = configuration().voters.size() == 1;
    if (!hears_majority || (stalled() && !alone)) return become_follower(state_.term, std::nullopt);
    if (leader.transfer && now_ >= leader.transfer->until) leader.transfer.reset();
    if (elapsed_ % options_.heartbeat_ticks == 0) broadcast_heartbeat(leader);
}

void Raft::broadcast_heartbeat(Leader& leader) {
    for (const auto& [member, progress] : leader.peers)
        send(member, Heartbeat{std::min(progress.match, committed_), leader.reads.round()});
}

void Raft::broadcast_append(Leader& leader) {
    for (auto& [member, progress] : leader.peers) send_appends(member, progress);
}

Position Raft::append_own(Leader& leader, EntryKind kind, std::string data) {
    Entry entry{state_.term, kind, std::move(data)};
    leader.uncommitted_bytes += entry.bytes();
    log_.append(std::move(entry));
    pending_.changed_from(log_.last());
    return log_.last_position();
}

std::optional<Refusal> Raft::refuses_proposals() const {
    if (!failure_.ok()) return Refusal::halted;
    const auto* leader = std::get_if<Leader>(&role_);
    if (!leader) return Refusal::not_leader;
    if (leader->transfer) return Refusal::transferring;
    return std::nullopt;
}

base::Expected<Position, Refusal> Raft::propose(std::string data) {
    if (const auto refusal = refuses_proposals()) return *refusal;
    auto& leader = std::get<Leader>(role_);
    const size_t size = data.size() + Entry::kOverhead;
    if (size > options_.most_entry_bytes) return Refusal::too_large;
    if (leader.uncommitted_bytes + size > options_.most_uncommitted_bytes &&
        leader.uncommitted_bytes > 0)
        return Refusal::too_much_waiting;
    const auto position = append_own(leader, EntryKind::data, std::move(data));
    broadcast_append(leader);
    return position;
}

// ----------------------------------------------------------------------------------------- sending

bool Raft::may_send(const Progress& progress) const {
    if (const auto* probe = std::get_if<Probe>(&progress.state)) return !probe->sent;
    const auto* replicate = std::get_if<Replicate>(&progress.state);
    return replicate && progress.next <= log_.last() &&
           replicate->in_flight.size() < options_.most_appends_in_flight &&
           replicate->bytes < options_.most_bytes_in_flight;
}

/// Sends what the member may be sent now.
void Raft::send_appends(const Member& to, Progress& progress) {
    while (failure_.ok() && may_send(progress) && send_append(to, progress)) {
    }
}

/// Sends one message with what comes next, be it nothing; false if only a snapshot will do, or the
/// log can't be read.
bool Raft::send_append(const Member& to, Progress& progress) {
    const Position prev{progress.next - 1, log_.term_at(progress.next - 1).value_or(-1)};
    if (prev.term < 0) {
        begin_snapshot(to, progress);
        return false;
    }
    auto entries = log_.entries(progress.next, log_.last() + 1, options_.most_append_entries,
                                options_.most_append_bytes);
    if (!entries.ok()) {
        halt(entries.status());
        return false;
    }
    const auto last = prev.index + static_cast<Index>(entries->size());
    if (auto* probe = std::get_if<Probe>(&progress.state)) {
        probe->sent = true;
    } else if (auto* replicate = std::get_if<Replicate>(&progress.state)) {
        size_t bytes = 0;
        for (const auto& e : *entries) bytes += e.bytes();
        if (bytes > 0) replicate->sent(last, bytes);
        progress.next = last + 1;
    }
    send(to, Append{prev, *std::move(entries), committed_});
    return true;
}

/// Says only how far is committed, whatever is in flight.
void Raft::send_commit(const Member& to, Progress& progress) {
    const Index prev = progress.next - 1;
    if (const auto term = log_.term_at(prev)) send(to, Append{{prev, *term}, {}, committed_});
    else begin_snapshot(to, progress);
}

void Raft::begin_snapshot(const Member& to, Progress& progress) {
    const auto& at = log_.snapshot();
    progress.state = SendSnapshot{{at, log_.configuration_at_snapshot()}, 0, false, 0};
    send_chunk(to, progress);
}

void Raft::send_chunk(const Member& to, Progress& progress) {
    auto& sending = std::get<SendSnapshot>(progress.state);
    const auto index = sending.snapshot.position.index;
    auto chunk = storage_.snapshot_chunk(index, sending.number);
    if (chunk.ok()) {
        sending.out = true;
        sending.sent_at = now_;
        const auto crc = base::crc32c(base::as_bytes(chunk->bytes));
        send(to, SnapshotChunk{sending.snapshot, sending.number, chunk->last,
                               std::move(chunk->bytes), crc});
    } else if (!absl::IsNotFound(chunk.status())) {
        halt(chunk.status());
    } else if (index != log_.snapshot().index) {
        begin_snapshot(to, progress);
    }
    // Or else it is not written yet: the next heartbeat's reply asks again.
}

// ----------------------------------------------------------------------------------------- replies

void Raft::on(const Message& m, const AppendReply& reply) {
    auto* leader = std::get_if<Leader>(&role_);
    if (!leader) return;
    const auto peer = leader->peers.find(m.from);
    if (peer == leader->peers.end() || reply.match > log_.last()) return;
    auto& progress = peer->second;
    progress.heard_at = now_;
    if (!reply.ok) return refused(m.from, progress, reply);
    progress.match = std::max(progress.match, reply.match);
    progress.next = std::max(progress.next, progress.match + 1);
    if (auto* replicate = std::get_if<Replicate>(&progress.state)) {
        replicate->acknowledged(progress.match);
    } else {
        const auto* sending = std::get_if<SendSnapshot>(&progress.state);
        if (!sending || progress.match >= sending->snapshot.position.index) {
            progress.next = progress.match + 1;
            progress.state = Replicate{};
        }
    }
    send_appends(m.from, progress);
    continue_transfer(*leader);
    advance(*leader);
}

void Raft::refused(const Member& member, Progress& progress, const AppendReply& reply) {
    // Entries that it has acknowledged it has: the refusal is of an older message.
    if (reply.match <= progress.match) return;
    const auto* probe = std::get_if<Probe>(&progress.state);
    if (std::holds_alternative<SendSnapshot>(progress.state)) return;
    if (probe && reply.match != progress.next - 1) return;
    // Whole terms are skipped: nothing above the hint can be in both logs.
    const auto meet = log_.newest_of_term(reply.hint.index, reply.hint.term);
    progress.probe_from(std::clamp(meet.index + 1, progress.match + 1, reply.match));
    send_appends(member, progress);
}

void Raft::on(const Message& m, const HeartbeatReply& reply) {
    auto* leader = std::get_if<Leader>(&role_);
    if (!leader) return;
    const auto peer = leader->peers.find(m.from);
    if (peer == leader->peers.end() || reply.round > leader->reads.round()) return;
    auto& progress = peer->second;
    progress.heard_at = now_;
    progress.round = std::max(progress.round, reply.round);
    serve_reads(*leader);
    // What was sent may be lost. A message without news finds out: it is refused where one is
    // missing.
    if (auto* probe = std::get_if<Probe>(&progress.state)) {
        probe->sent = false;
        send_appends(m.from, progress);
    } else if (progress.replicates()) {
        if (progress.match < log_.last()) send_commit(m.from, progress);
    } else {
        const auto& sending = std::get<SendSnapshot>(progress.state);
        if (!sending.out || now_ - sending.sent_at >= options_.election_ticks)
            send_chunk(m.from, progress);
    }
}

void Raft::on(const Message& m, const SnapshotReply& reply) {
    auto* leader = std::get_if<Leader>(&role_);
    if (!leader) return;
    const auto peer = leader->peers.find(m.from);
    if (peer == leader->peers.end()) return;
    auto& progress = peer->second;
    progress.heard_at = now_;
    auto* sending = std::get_if<SendSnapshot>(&progress.state);
    if (!sending || sending->snapshot.position.index != reply.snapshot) return;
    // A repeated reply must not send the same part a second time.
    if (reply.next == sending->number && sending->out) return;
    sending->number = reply.next;
    send_chunk(m.from, progress);
}

/// Commits what a majority of the voters holds durably, if it ends in an entry of this term: older
/// ones, however many hold them, may still be replaced by another leader's (Raft §5.4.2).
void Raft::advance(Leader& leader) {
    const auto durable = [&](const Member& m) {
        return m == options_.self ? pending_.durable() : leader.peers.at(m).match;
    };
    const Index safe = reached_by_majority(configuration(), durable);
    if (safe <= committed_ || log_.term_at(safe) != state_.term) return;
    leader.uncommitted_bytes -= log_.bytes(committed_ + 1, safe + 1);
    commit_to(safe);
    serve_reads(leader);
    // Followers that wait for nothing else hear of it at once.
    for (auto& [member, progress] : leader.peers) {
        if (may_send(progress)) send_appends(member, progress);
        else if (progress.replicates()) send_commit(member, progress);
    }
    step_down_if_removed(leader);
}

}  // namespace raft
