// Random writes, as Raft could ask for them, against a model, through failing disks and crashes:
// every write is on disk whole or not at all.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "controller/quorum/log_store.h"
#include "controller/quorum/rows.h"
#include "controller/quorum/testing.h"
#include "storage/store/rocks_store.h"

namespace quorum {
namespace {

/// A write and what goes with it.
struct Step {
    raft::Write write;
    std::vector<std::string> chunks;
};

/// What the disk should hold. Entries lie after the snapshot.
struct Model {
    raft::HardState state;
    raft::SnapshotInfo snapshot;
    std::vector<std::string> chunks;
    std::vector<raft::Entry> entries;
    std::vector<raft::ReceivedChunk> received;

    raft::Index last() const {
        return snapshot.position.index + static_cast<raft::Index>(entries.size());
    }
    raft::Term term_at(raft::Index i) const {
        const auto after = i - snapshot.position.index;
        return after == 0 ? snapshot.position.term : entries[static_cast<size_t>(after - 1)].term;
    }
    void take(const Step&);
};

void Model::take(const Step& step) {
    const auto& w = step.write;
    state = w.state;
    if (w.discard_received) received.clear();
    for (const auto& chunk : w.received) {
        if (chunk.number == 0) received.clear();
        received.push_back(chunk);
    }
    if (w.install) {
        snapshot = *w.install;
        entries.clear();
        chunks.clear();
        for (const auto& chunk : received) chunks.push_back(chunk.bytes);
        received.clear();
    }
    if (w.compact) {
        entries.erase(entries.begin(),
                      entries.begin() + (w.compact->position.index - snapshot.position.index));
        snapshot = *w.compact;
        chunks = step.chunks;
    }
    if (w.from > 0) {
        entries.resize(static_cast<size_t>(w.from - snapshot.position.index - 1));
        entries.insert(entries.end(), w.entries.begin(), w.entries.end());
    }
}

/// Draws what Raft could ask for next.
class Draw {
  public:
    explicit Draw(uint64_t seed) : random_(seed) {}

    uint64_t below(uint64_t n) { return random_() % n; }
    bool one_in(uint64_t n) { return below(n) == 0; }

    Step next(const Model& model) {
        Step step;
        auto& w = step.write;
        w.state = model.state;
        if (one_in(4)) w.state = {model.state.term + 1 + static_cast<raft::Term>(below(3)), {}};
        if (!w.state.vote && one_in(2)) w.state.vote = member();
        raft::Index last = model.last();
        if (one_in(4)) receive(model, w);
        if (w.install) {
            last = w.install->position.index;
            if (one_in(2)) append(w, last + 1, w.install->position.term);
            return step;
        }
        raft::Index low = model.snapshot.position.index;
        if (one_in(5) && last > low) low = compact(model, step);
        if (one_in(2)) {
            // Sometimes the entries of a lost term go.
            const auto from =
                one_in(4)
                    ? low + 1 +
                          static_cast<raft::Index>(below(static_cast<uint64_t>(last - low) + 1))
                    : last + 1;
            append(w, from, from > low + 1 ? model.term_at(from - 1) : model.term_at(low));
        }
        return step;
    }

  private:
    raft::Member member() { return {static_cast<int32_t>(below(3)), {below(5), 1}}; }
    raft::Configuration configuration() {
        raft::Configuration c;
        for (int32_t id = 0; id < 1 + static_cast<int32_t>(below(3)); ++id)
            c.voters.emplace(raft::Member{id, {below(100), 2}}, "host");
        return c;
    }

    void append(raft::Write& w, raft::Index from, raft::Term term) {
        w.from = from;
        for (uint64_t n = 1 + below(4); n > 0; --n) {
            if (one_in(3)) term = std::max(term, w.state.term);
            w.entries.push_back({term, static_cast<raft::EntryKind>(below(3)),
                                 std::string(below(40), static_cast<char>(below(256)))});
        }
    }

    raft::Index compact(const Model& model, Step& step) {
        const auto low = model.snapshot.position.index;
        const auto at =
            low + 1 + static_cast<raft::Index>(below(static_cast<uint64_t>(model.last() - low)));
        step.write.compact = {{at, model.term_at(at)}, configuration()};
        step.chunks = chunks_of(*image_with_topics(below(12), {at, 1}), 1 + below(200));
        return at;
    }

    void receive(const Model& model, raft::Write& w) {
        w.discard_received = one_in(5);
        if (sending_.empty() || w.discard_received || model.received.empty()) {
            const auto at = model.last() + 1 + static_cast<raft::Index>(below(10));
            info_ = {{at, w.state.term}, configuration()};
            sending_ = chunks_of(*image_with_topics(below(12), {at, w.state.term}), 1 + below(200));
        }
        auto number = w.discard_received ? 0 : static_cast<uint32_t>(model.received.size());
        for (uint64_t n = 1 + below(4); n > 0 && number < sending_.size(); --n, ++number)
            w.received.push_back({info_, number, sending_[number]});
        if (number < sending_.size()) return;
        // Its log may have come past the snapshot in the meantime.
        if (info_.position.index > model.last()) {
            w.install = info_;
        } else {
            w.received.clear();
            w.discard_received = true;
        }
        sending_.clear();
    }

    std::mt19937_64 random_;
    raft::SnapshotInfo info_;
    std::vector<std::string> sending_;
};

std::vector<std::string> chunks_in(const LogStore& log, raft::Index snapshot) {
    std::vector<std::string> out;
    for (bool last = false; !last;) {
        auto chunk = log.snapshot_chunk(snapshot, static_cast<uint32_t>(out.size()));
        if (!chunk.ok()) break;
        last = chunk->last;
        out.push_back(std::move(chunk->bytes));
    }
    return out;
}

/// What can be read is the model's.
bool same_log(const LogStore& log, const Model& model) {
    const auto low = model.snapshot.position.index;
    const auto entries = log.entries(low + 1, model.last() + 1, SIZE_MAX);
    return entries.ok() && *entries == model.entries && chunks_in(log, low) == model.chunks;
}

/// What a start found in `store` is the model's, and nothing else is there.
bool same(const storage::Store& store, const LogStore::Opened& opened, const Model& model) {
    const auto& s = opened.stored;
    const auto at = model.snapshot.position;
    return s.state == model.state && s.snapshot == model.snapshot && s.last == model.last() &&
           s.applied == at.index && same_log(*opened.log, model) &&
           opened.image->position() == metadata::LogPosition{at.index, at.term} &&
           rows_of(store, rows::kAll).size() == 3 + model.chunks.size() + model.entries.size();
}

const raft::Configuration kFounding{.voters = {{{1, {2, 3}}, "here"}}, .learners = {}};

Model founded() {
    Model model;
    model.snapshot.configuration = kFounding;
    return model;
}

/// Writes, with failing disks and crashes in between, going on from what is left.
class Sequence {
  public:
    explicit Sequence(uint64_t seed) : draw_(seed) {
        start();
        CHECK(opened_.log->found(kCluster, kFounding).ok());
    }

    void step() {
        const auto step = draw_.next(model_);
        Model after = model_;
        after.take(step);
        if (draw_.one_in(6)) return fail(step, after);
        ASSERT_TRUE(opened_.log->write(step.write, step.chunks).ok());
        model_ = after;
        ASSERT_TRUE(same_log(*opened_.log, model_));
        const auto lost = store_->after_power_loss(draw_.below(1000));
        const auto opened = open_log(*lost);
        ASSERT_TRUE(opened.ok()) << opened.status();
        ASSERT_TRUE(same(*lost, *opened, model_)) << "a synced write was lost";
    }
    uint64_t kept = 0;
    uint64_t torn = 0;

  private:
    void start() {
        auto opened = open_log(*store_);
        CHECK(opened.ok()) << opened.status();
        opened_ = *std::move(opened);
    }
    void fail(const Step& step, const Model& after) {
        store_->fail_write();
        ASSERT_FALSE(opened_.log->write(step.write, step.chunks).ok());
        store_ = draw_.one_in(3) ? store_->after_process_crash()
                                 : store_->after_power_loss(draw_.below(1000));
        start();
        const bool whole = same(*store_, opened_, after);
        ASSERT_TRUE(whole || same(*store_, opened_, model_)) << "neither before nor after a write";
        ++(whole ? kept : torn);
        if (whole) model_ = after;
        model_.received.clear();
    }

    Draw draw_;
    std::unique_ptr<storage::MemoryStore> store_ = std::make_unique<storage::MemoryStore>();
    LogStore::Opened opened_;
    Model model_ = founded();
};

TEST(LogStoreSim, EveryWriteIsThereWholeOrNotAtAll) {
    uint64_t kept = 0;
    uint64_t torn = 0;
    for (uint64_t seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Sequence run(seed);
        for (int i = 0; i < 60; ++i) ASSERT_NO_FATAL_FAILURE(run.step()) << "step " << i;
        kept += run.kept;
        torn += run.torn;
    }
    EXPECT_GT(kept, 100u);
    EXPECT_GT(torn, 100u);
}

TEST(LogStoreSim, HoldsOnARealDisk) {
    const auto directory =
        std::filesystem::temp_directory_path() / ("moldau.quorum." + std::to_string(::getpid()));
    std::filesystem::remove_all(directory);
    Draw draw(7);
    Model model = founded();
    for (int start = 0; start < 4; ++start) {
        auto store = storage::open_rocks_store(directory);
        ASSERT_TRUE(store.ok()) << store.status();
        auto opened = open_log(**store);
        ASSERT_TRUE(opened.ok()) << opened.status();
        if (start == 0) {
            ASSERT_TRUE(opened->log->found(kCluster, kFounding).ok());
        } else {
            ASSERT_TRUE(same(**store, *opened, model)) << "start " << start;
        }
        model.received.clear();
        for (int i = 0; i < 50; ++i) {
            const auto step = draw.next(model);
            model.take(step);
            ASSERT_TRUE(opened->log->write(step.write, step.chunks).ok());
            ASSERT_TRUE(same_log(*opened->log, model));
        }
    }
    std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace quorum
