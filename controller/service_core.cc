#include "controller/service_core.h"

#include "absl/random/random.h"
#include "base/check.h"
#include "metadata/records.h"
#include "metadata/snapshot.h"

namespace controller {

namespace {

/// The newest kinds of records that this version writes.
constexpr int16_t kMetadataVersion = 1;

}  // namespace

base::Status Service::Core::open() {
    if (!options_.draw)
        options_.draw = [random = absl::BitGen()]() mutable {
            return absl::Uniform<uint64_t>(random);
        };
    ASSIGN_OR_RETURN(auto image, journal_.open());
    controller_ = Controller{image};
    head_ = image;
    // A quorum of one elects itself anew at each start.
    ASSIGN_OR_RETURN(term_, journal_.begin_term());
    if (!image->cluster_id().empty()) {
        if (options_.cluster_id.empty() || options_.cluster_id == image->cluster_id())
            return base::ok();
        return base::precondition("the metadata is of cluster " + image->cluster_id() +
                                  ", but this node's directories or its configuration say " +
                                  options_.cluster_id);
    }
    std::string id = options_.cluster_id.empty() ? draw_uuid().to_string() : options_.cluster_id;
    Entry founding{{next_index(), term_},
                   {metadata::cluster_record(id),
                    metadata::feature_record("metadata.version", kMetadataVersion)}};
    RETURN_IF_ERROR(controller_.replay({&founding, 1}).status());
    head_ = controller_.image();
    return journal_.append({&founding, 1}, *head_);
}

base::Uuid Service::Core::draw_uuid() {
    uint64_t hi = options_.draw();
    return base::Uuid::from_random(hi, options_.draw());
}

void Service::Core::take(Records records, base::Function<void(const base::Status&)> answer) {
    if (!failed_.ok()) return answer(failed_);
    if (records.empty() && !writing_ && waiting_.empty()) return answer(base::ok());
    if (!records.empty()) {
        Entry entry{{next_index(), term_}, std::move(records)};
        metadata::Delta delta{head_};
        for (const auto& r : entry.records)
            CHECK(delta.replay(r).ok()) << "a decision that does not fit: " << r.ShortDebugString();
        head_ = delta.apply(entry.position);
        waiting_.push_back(std::move(entry));
    }
    waiting_answers_.push_back(std::move(answer));
    write_waiting();
}

void Service::Core::write_waiting() {
    if (writing_ || waiting_answers_.empty()) return;
    Answers answers = std::exchange(waiting_answers_, {});
    if (waiting_.empty()) {
        for (auto& answer : answers) answer(base::ok());
        return;
    }
    writing_ = true;
    shards_.block([self = shared_from_this(), entries = std::exchange(waiting_, {}), after = head_,
                   answers = std::move(answers)]() mutable {
        base::Status status = self->journal_.append(entries, *after);
        io::Shard& home = self->home_;
        home.post([self = std::move(self), status = std::move(status), entries = std::move(entries),
                   answers = std::move(answers)]() mutable {
            self->written(status, entries, std::move(answers));
        });
    });
}

void Service::Core::written(const base::Status& status, const std::vector<Entry>& entries,
                            Answers answers) {
    writing_ = false;
    if (!status.ok()) return fail(status, std::move(answers));
    auto delta = controller_.replay(entries);
    CHECK(delta.ok()) << delta.status();
    publish(*delta, std::move(answers));
    write_waiting();
}

void Service::Core::publish(const std::shared_ptr<const metadata::Delta>& delta, Answers answers) {
    // Ends, and gives the answers, when the last subscriber lets go of it.
    struct Round {
        explicit Round(std::shared_ptr<Core> c, Answers a)
            : core(std::move(c)), answers(std::move(a)) {}
        ~Round() {
            io::Shard& home = core->home_;
            home.post([answers = std::move(answers)]() mutable {
                for (auto& answer : answers) answer(base::ok());
            });
        }
        std::shared_ptr<Core> core;
        Answers answers;
    };
    auto round = std::make_shared<Round>(shared_from_this(), std::move(answers));
    for (const auto& s : subscriptions_)
        s.shard->post(
            [call = s.call, image = committed(), delta, round] { (*call)(image, delta); });
}

void Service::Core::fail(const base::Status& status, Answers answers) {
    failed_ = status;
    for (auto& answer : std::exchange(waiting_answers_, {})) answers.push_back(std::move(answer));
    waiting_.clear();
    for (auto& answer : answers) answer(failed_);
    if (options_.on_failure) options_.on_failure(failed_);
}

void Service::Core::subscribe(io::Shard& shard, Subscriber subscriber) {
    auto call = std::make_shared<Subscriber>(std::move(subscriber));
    subscriptions_.push_back({&shard, call});
    auto all = std::make_shared<metadata::Delta>(metadata::Image::empty());
    metadata::for_each_record(*committed(), [&](const v1::Record& r) {
        CHECK(all->replay(r).ok()) << r.ShortDebugString();
    });
    shard.post([call, image = committed(),
                delta = std::shared_ptr<const metadata::Delta>(std::move(all))] {
        (*call)(image, delta);
    });
}

}  // namespace controller
