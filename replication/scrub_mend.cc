// How a damaged segment is fetched again.
#include <algorithm>

#include "replication/partitions.h"
#include "replication/scrub.h"
#include "spdlog/spdlog.h"

namespace replication {

using base::BrokerId;
using base::TopicPartition;
using std::chrono::milliseconds;

namespace {

constexpr uint32_t kFetchBytes = 1 << 20;
constexpr base::InstantMs kTryAgainMs = 3000;

/// The leader first: it has all there is.
std::vector<BrokerId> donors_of(const replica::Row& row, BrokerId self) {
    std::vector<BrokerId> out;
    for (const BrokerId id : row.replicas)
        if (id != self && id != row.leader) out.push_back(id);
    if (row.leader != self && row.leader != replica::kNobody) out.push_back(row.leader);
    return out;
}

}  // namespace

void Scrub::damaged(const TopicPartition& id) {
    broken_.emplace(id, home_.now());
    home_.post([alive = std::weak_ptr(alive_)] {
        if (const auto scrub = alive.lock()) (*scrub)->mend_due();
    });
}

/// One at a time.
void Scrub::mend_due() {
    if (donors_ == nullptr || mending_ || broken_.empty()) return;
    const auto now = home_.now();
    base::InstantMs next = now + kTryAgainMs;
    for (const auto& [id, due] : std::map(broken_)) {
        if (due > now) next = std::min(next, due);
        else if (begin_mend(id)) return;
    }
    mend_timer_ = home_.after(milliseconds(next - now), [this] { mend_due(); });
}

void Scrub::mend_later(const TopicPartition& id) {
    broken_.insert_or_assign(id, home_.now() + kTryAgainMs);
}

bool Scrub::begin_mend(const TopicPartition& id) {
    Partition* here = open(id);
    const auto segment = here ? here->log().damaged() : std::nullopt;
    if (!segment) {
        broken_.erase(id);
        if (here) here->look_if_fit();
        return false;
    }
    auto donors = donors_of(here->replica().row(), partitions_.self());
    if (donors.empty()) {
        spdlog::error(
            "partition {} of topic {}: no other replica has the damaged offsets {} to {}. They are "
            "refused with CORRUPT_MESSAGE, and all others are served: put back an intact copy of "
            "{} while this broker is stopped, or delete the records before offset {}",
            id.index, id.topic.to_string(), segment->base, segment->end - 1, segment->file->path(),
            segment->end);
        broken_.erase(id);
        return false;
    }
    auto copy = here->log().begin_copy(*segment);
    if (!copy.ok()) {
        spdlog::error("no new copy of {}: {}", segment->file->path(), base::message(copy.status()));
        mend_later(id);
        return false;
    }
    mending_ = true;
    ask(std::make_shared<Mend>(
        Mend{.id = id, .copy = *std::move(copy), .donors = std::move(donors)}));
    return true;
}

void Scrub::ask(std::shared_ptr<Mend> mend) {
    const auto from = mend->donors.back();
    donors_->fetch(home_, mend->id, from, mend->copy->next(), kFetchBytes,
                   [alive = std::weak_ptr(alive_), mend](base::Result<base::Bytes> batches) {
                       if (const auto scrub = alive.lock())
                           (*scrub)->received(mend, std::move(batches));
                   });
}

void Scrub::received(const std::shared_ptr<Mend>& mend, base::Result<base::Bytes> batches) {
    if (!batches.ok()) return give_up_donor(mend, batches.status());
    shards_.block([&home = home_, alive = std::weak_ptr(alive_), mend,
                   batches = *std::move(batches)]() mutable {
        const auto before = mend->copy->next();
        auto status = mend->copy->take(batches);
        if (status.ok() && mend->copy->complete()) status = mend->copy->sync();
        home.post(
            [alive = std::move(alive), mend = std::move(mend), before, status = std::move(status)] {
                if (const auto scrub = alive.lock()) (*scrub)->taken(mend, before, status);
            });
    });
}

void Scrub::taken(const std::shared_ptr<Mend>& mend, base::Offset before,
                  const base::Status& status) {
    if (!status.ok()) return give_up_donor(mend, status);
    if (mend->copy->complete()) return finish(mend);
    if (mend->copy->next() == before) return give_up_donor(mend, base::unavailable("no records"));
    ask(mend);
}

/// What it has sent, and was good, stays.
void Scrub::give_up_donor(const std::shared_ptr<Mend>& mend, const base::Status& why) {
    spdlog::warn("partition {} of topic {}: broker {} gives nothing for the damaged offset {}: {}",
                 mend->id.index, mend->id.topic.to_string(), mend->donors.back().value,
                 mend->copy->next(), base::message(why));
    mend->donors.pop_back();
    if (!mend->donors.empty()) return ask(mend);
    mend->copy->discard();
    mending_ = false;
    mend_later(mend->id);
    mend_due();
}

void Scrub::finish(const std::shared_ptr<Mend>& mend) {
    mending_ = false;
    const auto segment = mend->copy->damaged();
    const auto bytes = mend->copy->bytes();
    if (Partition* here = open(mend->id)) {
        const auto done = here->log().mend(std::move(mend->copy));
        if (done.ok())
            spdlog::info(
                "partition {} of topic {}: offsets {} to {} are WHOLE AGAIN: {} bytes from broker "
                "{}",
                mend->id.index, mend->id.topic.to_string(), segment.base, segment.end - 1, bytes,
                mend->donors.back().value);
        else
            spdlog::warn(
                "partition {} of topic {}: the new copy of offsets {} to {} is of no use: "
                "{}",
                mend->id.index, mend->id.topic.to_string(), segment.base, segment.end - 1,
                base::message(done));
        here->look_if_fit();
    }
    // There may be another damaged segment; if not, begin_mend() sees that.
    broken_.insert_or_assign(mend->id, home_.now());
    mend_due();
}

}  // namespace replication
