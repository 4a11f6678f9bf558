#include "tests/replication/sim/cluster.h"

#include <algorithm>

#include "base/check.h"

namespace replica::sim {

Cluster::Cluster(Settings settings, Metadata& metadata, Outside outside)
    : settings_(settings),
      metadata_(metadata),
      outside_(std::move(outside)),
      ghost_(nodes_, metadata, settings.options.durable) {
    for (const auto& [id, broker] : metadata.image().brokers()) {
        Node& node = nodes_[id];
        node.id = id;
        node.up = true;
        node.incarnation = broker->incarnation;
        node.epoch = broker->epoch;
        node.image = 0;
        node.directory = broker->log_dirs.at(0);
    }
}

void Cluster::trace(const Node& node, const std::string& what) const {
    if (outside_.trace) outside_.trace("broker " + std::to_string(node.id.value) + " " + what);
}

// ------------------------------------------------------------------------- processes and metadata

void Cluster::make_core(Node& node) {
    node.core = std::make_unique<Replica>(Replica::Self{node.id, node.epoch}, settings_.options,
                                          *node.log, node.stored_high_watermark);
    if (!node.log->rot()) node.rot_found = false;
    if (node.rot_found) (void)node.core->set_fit(false, now);
    node.high_watermark = 0;
    node.epoch_seen = -1;
    node.settled = -1;
}

void Cluster::start(Node& node) {
    node.up = true;
    ++node.life;
    node.incarnation = {2, ++incarnations_};
    node.epoch = -1;
    node.stopping = false;
    trace(node, "starts");
    if (node.log) make_core(node);
    follow(node, node.image);
}

std::optional<int64_t> Cluster::enroll(const Node& node) {
    const int64_t before = metadata_.image().broker(node.id)->epoch;
    const auto epoch =
        metadata_.enroll(node.id, {node.incarnation, node.directory, node.clean_epoch}, now);
    if (epoch && *epoch != before) ghost_.enrolled(node.id, node.clean_epoch == before);
    return epoch;
}

void Cluster::registered(Node& node, int64_t epoch) {
    node.epoch = epoch;
    node.clean_epoch = -1;  // from here on the disk is in use
    if (node.core) carry_out(node, node.core->registered(epoch));
    follow(node, node.image);
}

void Cluster::follow(Node& node, int64_t index) {
    node.image = std::max(node.image, index);
    const auto assignment = metadata_.assignment(node.image);
    const auto me = assignment.brokers.find(node.id);
    const bool known =
        node.epoch >= 0 && me != assignment.brokers.end() && me->second.epoch == node.epoch;
    const bool replica =
        std::ranges::find(assignment.row.replicas, node.id) != assignment.row.replicas.end();
    if (known && replica && !node.log) {
        node.log = std::make_unique<Log>(++logs_);
        node.stored_high_watermark = 0;
        node.agrees = 0;
        make_core(node);
    }
    if (node.core) carry_out(node, node.core->assign(assignment, now));
    if (known && !replica) drop_replica(node);
}

void Cluster::drop_replica(Node& node) {
    if (!node.log) return;
    trace(node, "deletes its replica");
    node.dropped = metadata_.row().leader_epoch;
    leave(node);
    node.log.reset();
    node.stored_high_watermark = 0;
}

/// The replica's part in anything ends.
void Cluster::leave(Node& node) {
    node.core.reset();
    node.streams.clear();
    node.waiting.clear();
    node.syncing = false;
}

void Cluster::crash(Node& node, const Fate& fate) {
    trace(node, "crashes");
    node.up = false;
    ++node.life;
    leave(node);
    node.damaged = node.damaged || fate.damages;
    if (!node.log) return;
    node.log->crash(fate.survives, fate.known);
    node.stored_high_watermark = std::min(node.stored_high_watermark, node.log->end());
}

void Cluster::stop(Node& node) {
    // What a failed disk has nobody knows: no such end is an orderly one.
    if (node.log && node.log->failed())
        return crash(node, {.survives = node.log->durable(),
                            .known = node.log->synced(),
                            .damages = !settings_.options.durable});
    trace(node, "stops");
    if (node.core) node.stored_high_watermark = node.core->high_watermark();
    node.up = false;
    ++node.life;
    leave(node);
    if (node.log) node.log->close();
    node.clean_epoch = node.epoch;
}

void Cluster::wipe(Node& node) {
    CHECK(!node.up);
    trace(node, "loses its disk");
    node.log.reset();
    node.stored_high_watermark = 0;
    node.clean_epoch = -1;
    node.image = 0;
    node.damaged = true;
    node.directory = {3, ++disks_};
}

// --------------------------------------------------------------------------------------- effects

void Cluster::carry_out(Node& node, Effects e) {
    if (e.role_changed) take_role(node);
    if (e.too_few_in_sync) node.waiting.clear();
    if (e.start) node.log->advance_start(*e.start);
    if (e.high_watermark) {
        if (node.core->leading()) ghost_.advanced(node);
        complete(node);
    }
    if (e.cut) {
        trace(node,
              (e.cut->restart ? "begins anew at " : "cuts back to ") + std::to_string(e.cut->to));
        ghost_.cuts(node, *e.cut);
        if (e.cut->restart) node.log->restart_at(e.cut->to);
        else node.log->truncate_to(e.cut->to);
        node.agrees = std::min(node.agrees, e.cut->to);
        node.stored_high_watermark = std::min(node.stored_high_watermark, e.cut->to);
        carry_out(node, node.core->cut_done(now));
    }
    if (e.propose) outside_.propose(node, *e.propose);
    for (const BrokerId id : e.detached) node.streams.erase(id);
    for (const auto& [to, message] : e.send) {
        if (const auto* reply = std::get_if<AttachReply>(&message))
            if (const auto* accepted = std::get_if<Accepted>(&reply->outcome))
                node.streams[to] = {reply->session, accepted->from};
        std::visit([&, to = to](const auto& m) { outside_.send({node.id, to, m}); }, message);
    }
    if (!node.core || !node.core->leading()) return;
    if (e.high_watermark)
        for (auto& [to, stream] : node.streams) offer(node, to, stream, {});
    push(node);
}

void Cluster::take_role(Node& node) {
    node.streams.clear();
    node.waiting.clear();
    ghost_.took_role(node);
    trace(node, std::string(node.core->leading() ? "leads" : "follows or rests") + " in epoch " +
                    std::to_string(node.core->epoch()) + ", log " +
                    std::to_string(node.log->end()));
    if (node.core->leading()) node.log->begin_epoch(node.core->epoch());
    want_sync(node);  // a restart may have left a tail that nothing has synced
}

void Cluster::complete(Node& node) {
    if (!node.core->leading()) return;
    const Offset safe = node.core->high_watermark();
    std::vector<Waiting> done;
    std::erase_if(node.waiting, [&](const Waiting& w) {
        if (w.offset >= safe) return false;
        done.push_back(w);
        return true;
    });
    for (const auto& w : done) {
        ghost_.acknowledged(node, w);
        if (acknowledged) acknowledged(w.record);
    }
}

void Cluster::push(Node& node) {
    for (auto& [to, stream] : node.streams) {
        const auto [held, synced] = node.core->held_and_synced(to);
        while (stream.next < node.log->end() && stream.next - held < settings_.most_in_flight) {
            if (!node.log->readable(stream.next, stream.next + 1)) {
                outside_.hang_up(node.id, to);
                break;
            }
            offer(node, to, stream, node.log->read(stream.next, settings_.most_records));
        }
    }
}

void Cluster::offer(Node& node, BrokerId to, Node::Stream& stream, std::vector<Record> records) {
    const auto count = static_cast<Offset>(records.size());
    outside_.send({node.id, to, Batch{node.core->offer(to, stream.next), std::move(records)}});
    stream.next += count;
}

void Cluster::want_sync(Node& node) {
    if (node.syncing || node.log->failed() || node.log->synced() >= node.log->end()) return;
    node.syncing = true;
    outside_.sync(node, node.log->take_sync());
}

// ---------------------------------------------------------------------------------------- events

void Cluster::finish_sync(Node& node, const Log::Sync& sync) {
    // The log may be gone, or deleted and another one.
    if (!node.core || node.log->failed() || sync.log != node.log->number()) return;
    node.syncing = false;
    node.log->finish(sync);
    carry_out(node, node.core->log_moved(now));
    want_sync(node);
}

void Cluster::fail_disk(Node& node) {
    if (!node.core) return;
    trace(node, "has a failing disk");
    node.syncing = false;
    node.log->fail();
    carry_out(node, node.core->log_failed(now));
}

void Cluster::deliver(const Envelope& e) {
    Node& node = nodes_.at(e.to);
    if (!node.core) return;
    if (outside_.trace) outside_.trace("  " + describe(e));
    if (const auto* attach = std::get_if<Attach>(&e.body)) {
        carry_out(node, node.core->attach(*attach, now));
    } else if (const auto* reply = std::get_if<AttachReply>(&e.body)) {
        carry_out(node, node.core->attach_answered(*reply, now));
    } else if (const auto* ack = std::get_if<Acknowledgement>(&e.body)) {
        carry_out(node, node.core->acknowledged(*ack, now));
    } else {
        take(node, std::get<Batch>(e.body));
    }
}

void Cluster::take(Node& node, const Batch& batch) {
    if (node.full) return;
    auto effects = node.core->offered(batch.offer, now);
    const bool append = effects.append;
    carry_out(node, std::move(effects));
    if (!append) return;
    const uint64_t before = node.log->appends();
    for (const auto& record : batch.records) node.log->append(record);
    if (node.log->failed() && node.log->appends() > before)
        ghost_.fail("17: an append after a failure");
    carry_out(node, node.core->taken(batch.offer));
    want_sync(node);
}

void Cluster::tick(Node& node) {
    if (!node.core) return;
    if (node.rot_found && !node.log->rot()) told_of_rot(node, false);
    carry_out(node, node.core->set_full(node.full, now));
    carry_out(node, node.core->tick(now));
}

void Cluster::fill(Node& node, bool full) {
    node.full = full;
    trace(node, full ? "has a full disk" : "has room again");
    // What it could not take it asks for once more.
    if (node.core && !full) carry_out(node, node.core->leader_lost(now));
}

void Cluster::told_of_rot(Node& node, bool found) {
    node.rot_found = found;
    trace(node, found ? "finds out what can't be read" : "is whole again");
    if (node.core) carry_out(node, node.core->set_fit(!found, now));
}

/// Who has the same gives it. A leader that others can do without leaves that to them first.
void Cluster::mend(Node& node, const Node& donor) {
    const auto rot = *node.log->rot();
    if (!donor.core || !donor.log->readable(rot.from, rot.until)) return;
    if (node.core->leading() && can_do_without(node)) return;
    for (Offset o = rot.from; o < rot.until; ++o) {
        if (donor.log->at(o).epoch != node.log->at(o).epoch) return;
        if (donor.log->at(o) != node.log->at(o))
            ghost_.fail("20: what is mended is not what was there");
    }
    node.log->mend();
    told_of_rot(node, false);
}

bool Cluster::can_do_without(const Node& leader) const {
    size_t whole = 0;
    const auto& row = leader.core->row();
    for (const BrokerId id : row.isr) {
        const Node& node = nodes_.at(id);
        whole += id != leader.id && !node.rot_found && leader.core->attached(id);
    }
    return whole >= std::min<size_t>(static_cast<size_t>(metadata_.min_isr()), row.replicas.size());
}

void Cluster::broke(BrokerId a, BrokerId b) {
    for (const auto& [one, other] : {std::pair(a, b), std::pair(b, a)}) {
        Node& node = nodes_.at(one);
        if (!node.core) continue;
        carry_out(node, node.core->follower_lost(other));
        if (!node.core->leading() && node.core->row().leader == other)
            carry_out(node, node.core->leader_lost(now));
    }
}

void Cluster::answered(Node& node, uint64_t proposal, Answer answer) {
    if (node.core) carry_out(node, node.core->answered(proposal, answer, now));
}

void Cluster::store_high_watermark(Node& node) {
    if (node.core) node.stored_high_watermark = node.core->high_watermark();
}

void Cluster::delete_records(Node& node, Offset before) {
    if (!node.core || !node.core->leading()) return;
    node.log->advance_start(std::min(before, node.core->high_watermark()));
    carry_out(node, node.core->log_moved(now));
}

Cluster::Produced Cluster::produce(Node& node, uint64_t producer, int64_t sequence, Acks acks) {
    if (!node.core || !node.core->leading() || node.log->failed() || node.full)
        return Produced::refused;
    if (acks == Acks::all && !node.core->enough_in_sync()) return Produced::refused;
    const auto last = node.log->last_of(producer);
    if (last && last->sequence == sequence) {
        if (acks == Acks::all && last->offset >= 0) {
            const Waiting waiting{node.log->at(last->offset), last->offset};
            node.waiting.push_back(waiting);
            complete(node);
        }
        return Produced::duplicate;
    }
    if (last ? sequence != last->sequence + 1 : sequence != 1 && node.log->start() == 0)
        return Produced::gap;
    const Record record{node.core->epoch(), producer, sequence};
    node.log->append(record);
    if (acks == Acks::all) node.waiting.push_back({record, node.log->end() - 1});
    carry_out(node, node.core->log_moved(now));
    want_sync(node);
    return Produced::taken;
}

std::string describe(const Envelope& e) {
    const auto n = [](auto v) { return std::to_string(v); };
    std::string out = n(e.from.value) + " → " + n(e.to.value) + " ";
    if (const auto* a = std::get_if<Attach>(&e.body))
        return out + "attach #" + n(a->session) + " epoch " + n(a->epoch) + " end " + n(a->end) +
               " synced " + n(a->synced) + " last epoch " + n(a->last_epoch);
    if (const auto* r = std::get_if<AttachReply>(&e.body)) {
        out += "answer #" + n(r->session) + " epoch " + n(r->epoch) + ": ";
        if (std::holds_alternative<Accepted>(r->outcome)) return out + "accepted";
        if (const auto* d = std::get_if<Diverged>(&r->outcome))
            return out + "parted, epoch " + n(d->known.epoch) + " ends at " + n(d->known.end);
        if (const auto* s = std::get_if<Restart>(&r->outcome)) return out + "from " + n(s->at);
        return out + "not now";
    }
    if (const auto* a = std::get_if<Acknowledgement>(&e.body))
        return out + "acknowledges #" + n(a->session) + " held " + n(a->held) + " synced " +
               n(a->synced);
    const auto& b = std::get<Batch>(e.body);
    return out + "offers #" + n(b.offer.session) + " epoch " + n(b.offer.epoch) + " from " +
           n(b.offer.from) + ", " + n(b.records.size()) + " records, high watermark " +
           n(b.offer.high_watermark);
}

}  // namespace replica::sim
