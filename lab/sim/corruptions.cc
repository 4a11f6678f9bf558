#include "lab/sim/corruptions.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>

#include "lab/sim/fake_run.h"

namespace lab::sim {
namespace {

using Events = std::vector<Event>;
using Random = std::mt19937_64;
using Which = std::function<bool(const Event&)>;

bool is(const Event& e, Op op, Phase phase = Phase::ok) { return e.op == op && e.phase == phase; }
bool in_group(const Event& e) {
    return e.process >= first_member && e.process < first_member + members;
}
bool is_read(const Event& e) { return e.op == Op::poll || e.op == Op::drain; }

/// One of those that fit, drawn; null if there is none.
Event* one_of(Events& events, Random& random, const Which& fits) {
    std::vector<Event*> found;
    for (Event& e : events)
        if (fits(e)) found.push_back(&e);
    return found.empty() ? nullptr : found[random() % found.size()];
}

void drop(Events& events, const Which& which) { std::erase_if(events, which); }

Event* drained_of(Events& events, uint32_t partition) {
    const auto found = std::ranges::find_if(
        events, [&](const Event& e) { return is(e, Op::drained) && e.partition == partition; });
    return found == events.end() ? nullptr : &*found;
}

/// What the last reader gets after all else in the partition.
void drain_more(Events& events, uint32_t partition, Value value, uint8_t flags = 0) {
    Event* const end = drained_of(events, partition);
    Event more = *end;
    more.op = Op::drain;
    more.offset = end->until++;
    more.until = -1;
    more.value = value;
    more.flags = flags;
    events.insert(events.begin() + (end - events.data()), more);
}

/// The last message of a partition, if it was acknowledged.
Event* last_acknowledged(Events& events, Random& random) {
    std::map<uint32_t, base::Offset> ends;
    for (const Event& e : events)
        if (is(e, Op::drained)) ends[e.partition] = e.until;
    return one_of(events, random, [&](const Event& e) {
        return is(e, Op::send) && e.offset >= 0 && e.offset == ends[e.partition] - 1;
    });
}

/// A value in doubt that was not written.
Event* unwritten(Events& events, Random& random) {
    std::map<uint32_t, std::map<uint64_t, bool>> read;
    for (const Event& e : events)
        if (is_read(e)) read[e.value.producer][e.value.counter] = true;
    return one_of(events, random, [&](const Event& e) {
        return is(e, Op::send, Phase::info) && !read[e.value.producer][e.value.counter];
    });
}

bool lose(Events& events, Random& random) {
    const Event* const last = last_acknowledged(events, random);
    if (last == nullptr) return false;
    const Value value = last->value;
    --drained_of(events, last->partition)->until;
    drop(events, [&](const Event& e) { return is_read(e) && e.value == value; });
    return true;
}

bool lose_from_the_middle(Events& events, Random& random) {
    const Event* const ack =
        one_of(events, random, [](const Event& e) { return is(e, Op::send) && e.offset >= 0; });
    if (ack == nullptr) return false;
    const Value value = ack->value;
    drop(events, [&](const Event& e) { return is_read(e) && e.value == value; });
    return true;
}

bool keep_from_consumers(Events& events, Random& random) {
    const Event* const last = last_acknowledged(events, random);
    if (last == nullptr) return false;
    const Value value = last->value;
    drop(events,
         [&](const Event& e) { return e.op == Op::poll && e.value == value && !in_group(e); });
    return true;
}

bool write_twice(Events& events, Random& random) {
    const Event* const one =
        one_of(events, random, [](const Event& e) { return is(e, Op::drain); });
    drain_more(events, one->partition, Value(one->value));
    return true;
}

bool read_another_there(Events& events, Random& random) {
    const Event* const other = unwritten(events, random);
    if (other == nullptr) return false;
    const uint32_t partition = other->partition;
    const Value value = other->value;
    const int64_t time = other->time_ns;
    Event* const one = one_of(events, random, [&](const Event& e) {
        return e.op == Op::poll && e.partition == partition && e.time_ns > time;
    });
    if (one == nullptr) return false;
    one->value = value;
    return true;
}

bool acknowledge_two_at_one_place(Events& events, Random& random) {
    Event* const last = last_acknowledged(events, random);
    if (last == nullptr) return false;
    const Event* const other = one_of(events, random, [&](const Event& e) {
        return is(e, Op::send) && e.offset >= 0 && e.partition == last->partition && &e != last;
    });
    if (other == nullptr) return false;
    last->offset = other->offset;
    return true;
}

bool acknowledge_elsewhere(Events& events, Random& random) {
    Event* const last = last_acknowledged(events, random);
    if (last == nullptr) return false;
    ++last->offset;
    return true;
}

bool invent(Events& events, Random& random) {
    drain_more(events, static_cast<uint32_t>(random() % partitions), {0, 1'000'000});
    return true;
}

bool mix_in_another_run(Events& events, Random& random) {
    drain_more(events, static_cast<uint32_t>(random() % partitions), {0, 0}, flag::foreign);
    return true;
}

bool put_into_another_partition(Events& events, Random& random) {
    const Event* const one = unwritten(events, random);
    if (one == nullptr) return false;
    drain_more(events, (one->partition + 1) % partitions, Value(one->value));
    return true;
}

bool damage(Events& events, Random& random) {
    one_of(events, random, is_read)->flags = flag::corrupt;
    return true;
}

bool write_what_was_refused(Events& events, Random& random) {
    const Event* const one =
        one_of(events, random, [](const Event& e) { return is(e, Op::send, Phase::fail); });
    if (one == nullptr) return false;
    drain_more(events, one->partition, Value(one->value));
    return true;
}

/// Two acknowledged values trade places, in acknowledgements and in all reads.
bool swap_places(Events& events, Random& random, bool same_producer) {
    const Event* const a =
        one_of(events, random, [](const Event& e) { return is(e, Op::send) && e.offset >= 0; });
    if (a == nullptr) return false;
    const auto invoked = [&](Value value) {
        return std::ranges::find_if(events,
                                    [&](const Event& e) {
                                        return is(e, Op::send, Phase::invoke) && e.value == value;
                                    })
            ->time_ns;
    };
    const Event* const b = one_of(events, random, [&](const Event& e) {
        return is(e, Op::send) && e.partition == a->partition && e.offset > a->offset &&
               (e.process == a->process) == same_producer &&
               (same_producer || invoked(e.value) > a->time_ns);
    });
    if (b == nullptr) return false;
    const Event first = *a;
    const Event second = *b;
    for (Event& e : events) {
        if (is(e, Op::send) && e.value == first.value) e.offset = second.offset;
        else if (is(e, Op::send) && e.value == second.value) e.offset = first.offset;
        else if (is_read(e) && e.value == first.value) e.value = second.value;
        else if (is_read(e) && e.value == second.value) e.value = first.value;
    }
    return true;
}
bool swap_of_one_producer(Events& events, Random& random) {
    return swap_places(events, random, true);
}
bool swap_of_two_producers(Events& events, Random& random) {
    return swap_places(events, random, false);
}

bool go_back(Events& events, Random& random) {
    const Event* const end =
        one_of(events, random, [](const Event& e) { return is(e, Op::finished); });
    const auto at = events.begin() + (end - events.data());
    const auto older =
        std::find_if(std::make_reverse_iterator(at), events.rend(), [&](const Event& e) {
            return e.op == Op::poll && e.process == end->process && e.partition == end->partition;
        });
    if (older == events.rend()) return false;
    Event again = *older;
    again.time_ns = end->time_ns;
    events.insert(at, again);
    return true;
}

bool jump(Events& events, Random& random) {
    std::map<std::pair<uint32_t, uint32_t>, base::Offset> last;
    for (const Event& e : events)
        if (e.op == Op::poll) last[{e.process, e.partition}] = e.offset;
    const Event* const one = one_of(events, random, [&](const Event& e) {
        return e.op == Op::poll && !in_group(e) && e.offset < last[{e.process, e.partition}];
    });
    if (one == nullptr) return false;
    events.erase(events.begin() + (one - events.data()));
    return true;
}

bool read_what_then_vanishes(Events& events, Random& random) {
    const Event* const one = unwritten(events, random);
    if (one == nullptr) return false;
    const Value value = one->value;
    const auto end = std::ranges::find_if(events, [&](const Event& e) {
        return is(e, Op::finished) && e.partition == one->partition;
    });
    Event more = *end;
    more.op = Op::poll;
    more.value = value;
    events.insert(end, more);
    return true;
}

bool tell_an_old_end(Events& events, Random& random) {
    std::map<uint32_t, base::Offset> polled;
    std::map<std::pair<uint32_t, uint32_t>, base::Offset> proven;
    std::vector<std::pair<Event*, base::Offset>> found;
    for (Event& e : events) {
        if (e.op == Op::poll) polled[e.partition] = std::max(polled[e.partition], e.offset);
        if (is(e, Op::list_end, Phase::invoke))
            proven[{e.process, e.partition}] = polled[e.partition];
        if (is(e, Op::list_end) && proven[{e.process, e.partition}] > 0)
            found.emplace_back(&e, proven[{e.process, e.partition}]);
    }
    if (found.empty()) return false;
    const auto [event, offset] = found[random() % found.size()];
    event->offset = offset;
    return true;
}

bool commit_past_the_unread(Events& events, Random& random) {
    const Event* const commit =
        one_of(events, random, [](const Event& e) { return is(e, Op::commit) && e.offset > 0; });
    if (commit == nullptr) return false;
    const uint32_t partition = commit->partition;
    const base::Offset offset = commit->offset - 1;
    drop(events, [&](const Event& e) {
        return e.op == Op::poll && in_group(e) && e.partition == partition && e.offset == offset;
    });
    return true;
}

/// The event of a group that comes after a commit of its partition was taken.
Event* after_a_commit(Events& events, Random& random, Op op) {
    std::map<uint32_t, base::Offset> committed;
    std::vector<Event*> found;
    for (Event& e : events) {
        if (is(e, op) && committed[e.partition] > 0) found.push_back(&e);
        if (is(e, Op::commit)) committed[e.partition] = e.offset;
    }
    return found.empty() ? nullptr : found[random() % found.size()];
}

bool forget_a_commit(Events& events, Random& random) {
    Event* const told = after_a_commit(events, random, Op::fetch_committed);
    if (told == nullptr) return false;
    told->offset = -1;
    return true;
}

bool commit_less(Events& events, Random& random) {
    Event* const commit = after_a_commit(events, random, Op::commit);
    if (commit == nullptr) return false;
    commit->offset = 0;
    return true;
}

bool assign_twice(Events& events, Random& random) {
    const Event* const one =
        one_of(events, random, [](const Event& e) { return is(e, Op::assign) && in_group(e); });
    Event again = *one;
    again.process = first_member + (again.process - first_member + 1) % members;
    events.insert(events.begin() + (one - events.data()) + 1, again);
    return true;
}

bool take_a_commit_of_old(Events& events, Random& random) {
    Event* const one =
        one_of(events, random, [](const Event& e) { return is(e, Op::commit) && e.epoch > 1; });
    if (one == nullptr) return false;
    --one->epoch;
    return true;
}

bool flip_a_replica(Events& events, Random& random) {
    one_of(events, random, [](const Event& e) { return is(e, Op::replica_hash); })->hash ^= 1;
    return true;
}

bool cut_a_replica(Events& events, Random& random) {
    --one_of(events, random, [](const Event& e) { return is(e, Op::replica); })->until;
    return true;
}

bool drain_nothing(Events& events, Random& random) {
    const auto partition = static_cast<uint32_t>(random() % partitions);
    drop(events, [&](const Event& e) {
        return (e.op == Op::drain || e.op == Op::drained) && e.partition == partition;
    });
    return true;
}

}  // namespace

const std::vector<Corruption>& corruptions() {
    using A = Anomaly;
    static const std::vector<Corruption> all{
        {"lose the last", A::lost, lose, {}},
        {"lose from the middle", A::lost, lose_from_the_middle, {A::poll_skip}},
        {"keep from consumers", A::unseen, keep_from_consumers, {}},
        {"write twice", A::duplicate, write_twice, {}},
        {"read another there", A::divergence, read_another_there, {A::vanished_read, A::unseen}},
        {"acknowledge two at one place",
         A::divergence,
         acknowledge_two_at_one_place,
         {A::ack_mismatch, A::real_time_reorder}},
        {"acknowledge elsewhere",
         A::ack_mismatch,
         acknowledge_elsewhere,
         {A::high_watermark_regress, A::real_time_reorder}},
        {"invent", A::phantom, invent, {}},
        {"mix in another run", A::phantom, mix_in_another_run, {}},
        {"put into another partition", A::misrouted, put_into_another_partition, {}},
        {"damage", A::corrupt, damage, {A::unseen, A::lost}},
        {"write what was refused", A::failed_but_present, write_what_was_refused, {}},
        {"swap of one producer",
         A::producer_reorder,
         swap_of_one_producer,
         {A::real_time_reorder, A::phantom, A::high_watermark_regress, A::vanished_read,
          A::unseen}},
        {"swap of two producers",
         A::real_time_reorder,
         swap_of_two_producers,
         {A::producer_reorder, A::phantom, A::high_watermark_regress, A::vanished_read, A::unseen}},
        {"go back", A::poll_non_monotone, go_back, {}},
        {"jump", A::poll_skip, jump, {A::unseen}},
        {"read what then vanishes", A::vanished_read, read_what_then_vanishes, {}},
        {"tell an old end", A::high_watermark_regress, tell_an_old_end, {}},
        {"commit past the unread", A::group_loss, commit_past_the_unread, {A::poll_skip}},
        {"forget a commit", A::commit_regress, forget_a_commit, {}},
        {"commit less", A::commit_regress, commit_less, {}},
        {"assign twice", A::double_owner, assign_twice, {}},
        {"take a commit of old", A::zombie_commit, take_a_commit_of_old, {}},
        {"flip a replica", A::replica_hash, flip_a_replica, {}},
        {"cut a replica", A::replica_hash, cut_a_replica, {}},
        {"drain nothing", A::undrained, drain_nothing, {}},
    };
    return all;
}

}  // namespace lab::sim
