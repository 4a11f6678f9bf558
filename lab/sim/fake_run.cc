#include "lab/sim/fake_run.h"

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <string>
#include <utility>

namespace lab::sim {
namespace {

constexpr uint32_t group = 1;
constexpr int steps = 1200;
constexpr base::Offset block = 16;

class Run {
  public:
    explicit Run(uint64_t seed) : random_(seed) {}

    std::vector<Event> all() {
        names();
        for (uint32_t c = first_consumer; c < first_consumer + consumers; ++c)
            for (uint32_t p = 0; p < partitions; ++p) assign(c, p, 0, -1);
        rebalance();
        for (int i = 0; i < steps; ++i) step();
        settle();
        drain();
        replicas();
        return std::move(events_);
    }

  private:
    struct Pending {
        uint64_t counter = 0;
        base::Offset offset = -1;
        Phase outcome = Phase::ok;
        bool done = false;  // written, or never will be
    };
    struct Reader {
        base::Offset position = 0;
        bool assigned = false;
    };

    uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
    bool one_in(uint32_t n) { return below(n) == 0; }

    Event& tell(Op op, Phase phase, uint32_t process, uint32_t partition) {
        now_ += 1 + below(1000);
        events_.push_back({.time_ns = now_,
                           .op = op,
                           .phase = phase,
                           .process = process,
                           .partition = partition});
        return events_.back();
    }

    void name(Op op, uint32_t id, std::string text, uint32_t of_group = 0, uint8_t flags = 0) {
        Event& e =
            tell(op, Phase::ok, op == Op::name_process ? id : 0, op == Op::name_partition ? id : 0);
        e.name = std::move(text);
        e.group = of_group;
        e.flags = flags;
    }
    void names() {
        for (uint32_t p = 0; p < partitions; ++p)
            name(Op::name_partition, p, "topic/" + std::to_string(p));
        name(Op::name_group, 0, "group", group);
        for (uint32_t i = 0; i <= last_reader; ++i) {
            const bool sends = i < producers;
            const bool member = i >= first_member && i < first_member + members;
            name(Op::name_process, i, "process-" + std::to_string(i), member ? group : 0,
                 sends ? flag::idempotent : 0);
        }
    }

    void step() {
        late();
        const uint32_t p = below(partitions);
        switch (below(16)) {
            case 0:
            case 1:
            case 2:
            case 3:
                send(below(producers), p);
                break;
            case 4:
            case 5:
            case 6:
            case 7:
                write(below(producers), p);
                break;
            case 8:
            case 9:
            case 10:
                answer(below(producers), p);
                break;
            case 11:
            case 12:
                poll(first_consumer + below(consumers), p);
                break;
            case 13:
                poll(owner_[p], p);
                break;
            case 14:
                one_in(2) ? commit(p) : list_end(p);
                break;
            default:
                if (one_in(8)) rebalance();
        }
    }

    void send(uint32_t producer, uint32_t p) {
        const uint64_t counter = counters_[producer]++;
        tell(Op::send, Phase::invoke, producer, p).value = {producer, counter};
        pending_[producer][p].push_back({.counter = counter});
    }
    base::Offset append(uint32_t p, Value value) {
        logs_[p].push_back(value);
        return static_cast<base::Offset>(logs_[p].size()) - 1;
    }
    /// The first that has not come to an end yet: a producer's are written in order.
    void write(uint32_t producer, uint32_t p) {
        auto& queue = pending_[producer][p];
        const auto next = std::ranges::find(queue, false, &Pending::done);
        if (next == queue.end()) return;
        next->done = true;
        const Value value{producer, next->counter};
        const uint32_t fate = below(20);
        if (fate == 0) next->outcome = Phase::fail;
        else if (fate <= 3) next->outcome = Phase::info;
        if (fate == 0 || fate == 1) return;
        if (fate == 2) late_.push_back({p, value});
        else next->offset = append(p, value);
    }
    void late() {
        if (late_.empty() || !one_in(10)) return;
        append(late_.front().first, late_.front().second);
        late_.pop_front();
    }
    void answer(uint32_t producer, uint32_t p) {
        auto& queue = pending_[producer][p];
        if (queue.empty() || !queue.front().done) return;
        const Pending first = queue.front();
        queue.pop_front();
        Event& e = tell(Op::send, first.outcome, producer, p);
        e.value = {producer, first.counter};
        if (first.outcome == Phase::ok) e.offset = one_in(50) ? -1 : first.offset;
        else e.code = first.outcome == Phase::fail ? 19 : 7;
    }

    base::Offset end(uint32_t p) const { return static_cast<base::Offset>(logs_[p].size()); }
    void read(Op op, uint32_t process, uint32_t p, base::Offset offset) {
        Event& e = tell(op, Phase::ok, process, p);
        e.offset = offset;
        e.value = logs_[p][static_cast<size_t>(offset)];
    }
    void poll(uint32_t process, uint32_t p) {
        Reader& reader = readers_[process][p];
        for (uint32_t n = 1 + below(4); n > 0 && reader.assigned && reader.position < end(p); --n)
            read(Op::poll, process, p, reader.position++);
    }
    void assign(uint32_t process, uint32_t p, base::Offset offset, int32_t generation) {
        Event& e = tell(Op::assign, Phase::ok, process, p);
        e.offset = offset;
        e.epoch = generation;
        readers_[process][p] = {offset, true};
    }

    void rebalance() {
        for (uint32_t p = 0; p < partitions && generation_ > 0; ++p) {
            if (one_in(2)) commit(p);
            tell(Op::revoke, Phase::ok, owner_[p], p);
            readers_[owner_[p]][p].assigned = false;
        }
        ++generation_;
        for (uint32_t p = 0; p < partitions; ++p) {
            owner_[p] = first_member + below(members);
            tell(Op::fetch_committed, Phase::invoke, owner_[p], p);
            tell(Op::fetch_committed, Phase::ok, owner_[p], p).offset = committed_[p];
            assign(owner_[p], p, std::max<base::Offset>(committed_[p], 0), generation_);
        }
    }
    void commit(uint32_t p) {
        const Reader& reader = readers_[owner_[p]][p];
        if (!reader.assigned) return;
        const bool doubt = one_in(8);
        for (const Phase phase : {Phase::invoke, doubt ? Phase::info : Phase::ok}) {
            Event& e = tell(Op::commit, phase, owner_[p], p);
            e.offset = reader.position;
            e.epoch = generation_;
        }
        if (!doubt || one_in(2)) committed_[p] = reader.position;
    }
    void list_end(uint32_t p) {
        const uint32_t process = first_consumer + below(consumers);
        tell(Op::list_end, Phase::invoke, process, p);
        const base::Offset told = end(p);
        poll(first_consumer, p);
        tell(Op::list_end, Phase::ok, process, p).offset = told;
    }

    /// All that is pending comes to its end, and consumers get everything.
    void settle() {
        for (uint32_t producer = 0; producer < producers; ++producer)
            for (uint32_t p = 0; p < partitions; ++p)
                while (!pending_[producer][p].empty()) {
                    write(producer, p);
                    answer(producer, p);
                }
        while (!late_.empty()) late();
        for (uint32_t p = 0; p < partitions; ++p) {
            for (uint32_t c = first_consumer; c < first_consumer + consumers; ++c) {
                while (readers_[c][p].position < end(p)) poll(c, p);
                tell(Op::finished, Phase::ok, c, p).offset = end(p);
            }
            while (readers_[owner_[p]][p].position < end(p)) poll(owner_[p], p);
            commit(p);
        }
    }
    void drain() {
        for (uint32_t p = 0; p < partitions; ++p) {
            assign(last_reader, p, 0, -1);
            for (base::Offset at = 0; at < end(p); ++at) read(Op::drain, last_reader, p, at);
            Event& e = tell(Op::drained, Phase::ok, last_reader, p);
            e.offset = 0;
            e.until = end(p);
        }
    }
    void replicas() {
        for (uint32_t node = 0; node < nodes; ++node)
            for (uint32_t p = 0; p < partitions; ++p) {
                Event& e = tell(Op::replica, Phase::ok, node, p);
                e.offset = 0;
                e.until = end(p);
                for (base::Offset at = 0; at < end(p); at += block) {
                    Event& one = tell(Op::replica_hash, Phase::ok, node, p);
                    one.offset = at;
                    one.hash = hash(p, at);
                }
            }
    }
    uint64_t hash(uint32_t p, base::Offset from) const {
        uint64_t out = 1;
        for (base::Offset at = from; at < std::min(from + block, end(p)); ++at) {
            const Value value = logs_[p][static_cast<size_t>(at)];
            out = out * 1'000'003 + value.producer * 31 + value.counter;
        }
        return out;
    }

    std::mt19937_64 random_;
    std::vector<Event> events_;
    int64_t now_ = 1;
    std::array<uint64_t, producers> counters_{};
    std::array<std::array<std::deque<Pending>, partitions>, producers> pending_;
    std::deque<std::pair<uint32_t, Value>> late_;
    std::array<std::vector<Value>, partitions> logs_;
    std::array<std::array<Reader, partitions>, last_reader + 1> readers_{};
    std::array<uint32_t, partitions> owner_{};
    std::array<base::Offset, partitions> committed_{-1, -1, -1, -1};
    int32_t generation_ = 0;
};

}  // namespace

std::vector<Event> fake_run(uint64_t seed) { return Run(seed).all(); }

}  // namespace lab::sim
