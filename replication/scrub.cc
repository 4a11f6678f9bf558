#include "replication/scrub.h"

#include <algorithm>
#include <utility>

#include "replication/partitions.h"
#include "spdlog/spdlog.h"

namespace replication {

using base::BrokerId;
using base::TopicPartition;
using std::chrono::milliseconds;

namespace {

/// Between two of them others have their turn on the pool.
constexpr uint64_t kPieceBytes = 1 << 20;
constexpr size_t kMostSuspects = 64;
/// Passes follow each other no faster, however short the interval.
constexpr base::InstantMs kShortestPassMs = 500;

}  // namespace

Scrub::Scrub(io::Shards& shards, io::Shard& home, Partitions& partitions)
    : shards_(shards),
      home_(home),
      partitions_(partitions),
      alive_(std::make_shared<Scrub*>(this)) {}

Scrub::~Scrub() = default;

void Scrub::start(const ScrubOptions& options, Donors& donors) {
    options_ = options;
    options_.bytes_per_s /= static_cast<int64_t>(shards_.count());
    donors_ = &donors;
    if (options.bytes_per_s > 0) begin_pass();
    check_suspects();
    mend_due();
}

void Scrub::stop() {
    donors_ = nullptr;
    alive_.reset();
    pass_timer_.reset();
    mend_timer_.reset();
}

Partition* Scrub::open(const TopicPartition& id) const {
    const auto found = partitions_.find(id);
    return found.ok() && (*found)->health().ok() ? *found : nullptr;
}

void Scrub::suspect(const TopicPartition& id, base::Offset offset) {
    const std::pair one(id, offset);
    if (suspects_.size() >= kMostSuspects || std::ranges::find(suspects_, one) != suspects_.end())
        return;
    suspects_.push_back(one);
    // Not at once: whoever reads is still at it.
    home_.post([alive = std::weak_ptr(alive_)] {
        if (const auto scrub = alive.lock()) (*scrub)->check_suspects();
    });
}

void Scrub::check_suspects() {
    while (donors_ && !reading_suspect_ && !suspects_.empty()) {
        const auto [id, offset] = suspects_.front();
        suspects_.pop_front();
        const Partition* here = open(id);
        if (here == nullptr) continue;
        const auto segment = here->log().closed_segment(offset, here->high_watermark());
        if (!segment || segment->damaged) continue;
        reading_suspect_ = true;
        read(std::make_shared<Reading>(
            Reading{.id = id, .check = here->log().check(*segment), .urgent = true}));
    }
}

void Scrub::begin_pass() {
    pass_began_ = home_.now();
    for (const auto& one : partitions_.usage(home_)) left_.push_back(one.id);
    std::ranges::sort(left_, std::greater());
    from_ = 0;
    pass_on();
}

/// The next segment of the pass, or the pause before the next one.
void Scrub::pass_on() {
    pass_timer_.reset();
    while (!left_.empty()) {
        const auto id = left_.back();
        const Partition* here = open(id);
        const auto segment = here ? here->log().closed_segment(from_, here->high_watermark())
                                  : std::optional<storage::ClosedSegment>();
        if (!segment) {
            left_.pop_back();
            from_ = 0;
            continue;
        }
        from_ = segment->end;
        if (segment->damaged) {
            damaged(id);
            continue;
        }
        return read(
            std::make_shared<Reading>(Reading{.id = id, .check = here->log().check(*segment)}));
    }
    const auto next = std::max<base::InstantMs>(pass_began_ + options_.interval.count(),
                                                home_.now() + kShortestPassMs);
    pass_timer_ = home_.after(milliseconds(next - home_.now()), [this] { begin_pass(); });
}

void Scrub::read(std::shared_ptr<Reading> reading) {
    reading->began = home_.now();
    shards_.block([&home = home_, alive = std::weak_ptr(alive_), reading]() mutable {
        auto more = reading->check->step(kPieceBytes);
        home.post([alive = std::move(alive), reading = std::move(reading), more = std::move(more)] {
            if (const auto scrub = alive.lock()) (*scrub)->read_on(reading, more);
        });
    });
}

void Scrub::read_on(const std::shared_ptr<Reading>& reading, const base::Result<bool>& more) {
    if (!more.ok()) checked(*reading, more.status());
    const bool over = !more.ok() || !*more;
    if (reading->urgent) {
        if (!over) return read(reading);
        reading_suspect_ = false;
        return check_suspects();
    }
    const uint64_t passed = reading->check->bytes();
    const uint64_t bytes = passed - std::exchange(reading->passed, passed);
    const auto due = reading->began + static_cast<base::InstantMs>(bytes * 1000) /
                                          std::max<int64_t>(options_.bytes_per_s, 1);
    const auto pause = milliseconds(std::max<base::InstantMs>(due - home_.now(), 0));
    pass_timer_ = home_.after(pause, [this, over, reading] {
        if (over) pass_on();
        else read(reading);
    });
}

/// A disk that can't read what it has is no better than one that reads something else.
void Scrub::checked(const Reading& reading, const base::Status& why) {
    Partition* here = open(reading.id);
    const auto& segment = reading.check->segment();
    // It may have been cut or deleted while it was read.
    if (here == nullptr || !here->log().mark_damaged(segment)) return;
    spdlog::error(
        "partition {} of topic {}: a segment that was synced is DAMAGED: {}. Its offsets {} to {} "
        "are refused until they are fetched again from another replica",
        reading.id.index, reading.id.topic.to_string(), base::message(why), segment.base,
        segment.end - 1);
    here->look_if_fit();
    damaged(reading.id);
}

}  // namespace replication
