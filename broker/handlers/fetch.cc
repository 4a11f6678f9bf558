#include "kafka/messages/fetch.h"

#include <algorithm>

#include "broker/assignments.h"
#include "broker/handlers/handlers.h"
#include "broker/resolve.h"
#include "io/shard.h"
#include "replication/partitions.h"

namespace broker::handlers {

namespace {

using kafka::ErrorCode;
using replication::Partition;
using Request = kafka::FetchRequest;
using Response = kafka::FetchResponse;

/// One Fetch in work. All its partitions are read side by side, each on its own shard; then the
/// answer is put together in the order of the session, within the limits. If that is too little,
/// the partitions are watched, and all is read again when one of them has more or the time is up.
class Fetch : public std::enable_shared_from_this<Fetch> {
  public:
    Fetch(CallPtr call, Request request, Reply<Response> reply)
        : call_(std::move(call)), request_(std::move(request)), reply_(std::move(reply)) {}

    void run() {
        auto& sessions = call_->local.fetch_sessions;
        const auto opened = sessions.open({request_.session_id, request_.session_epoch, by_id()},
                                          io::monotonic_clock());
        if (opened.error != ErrorCode::none) {
            Response refused;
            refused.error_code = opened.error;
            return reply_(refused);
        }
        session_ = opened.session;
        if (session_) change_session();
        else if (opened.create && may_have_session())
            session_ = sessions.create(by_id(), call_->local.random(), io::monotonic_clock());
        full_ = !opened.session;
        collect();
        // One more, for the part of a millisecond that has gone by already.
        deadline_ = io::monotonic_clock() + request_.max_wait_ms + 1;
        read();
    }

  private:
    struct Item {
        FetchWant want;
        Resolved place;
        ErrorCode error = ErrorCode::none;
        std::optional<Partition::Read> read;
        uint64_t watch = 0;
        bool from_follower = false;          // this broker has a replica, but does not lead
        std::vector<base::BrokerId> nearer;  // replicas in the client's rack (KIP-392)
        base::BrokerId preferred{-1};        // of those, the one to ask instead
    };

    bool by_id() const { return call_->version >= 13; }

    FetchTarget target(const std::string& name, const base::Uuid& id, int32_t index) const {
        return by_id() ? FetchTarget{id, {}, index} : FetchTarget{{}, name, index};
    }
    template <class Use>
    void each_requested(Use use) {
        for (const auto& topic : request_.topics)
            for (const auto& p : topic.partitions)
                use(FetchWant{.target = target(topic.topic, topic.topic_id, p.partition),
                              .offset = p.fetch_offset,
                              .max_bytes = p.partition_max_bytes,
                              .current_epoch = p.current_leader_epoch,
                              .last_fetched_epoch = p.last_fetched_epoch});
    }

    /// A session remembers each of its partitions for as long as it lives.
    bool may_have_session() const {
        constexpr size_t most = 10'000;
        size_t partitions = 0;
        for (const auto& topic : request_.topics) partitions += topic.partitions.size();
        return partitions > 0 && partitions <= most;
    }

    void change_session() {
        each_requested([this](FetchWant want) { session_->want(std::move(want)); });
        for (const auto& topic : request_.forgotten_topics_data)
            for (const auto index : topic.partitions)
                session_->forget(target(topic.topic, topic.topic_id, index));
    }

    void collect() {
        if (full_)
            each_requested([this](FetchWant want) {
                if (session_) session_->want(want);
                items_.push_back({.want = std::move(want)});
            });
        else
            for (const auto& want : session_->wants()) items_.push_back({.want = want});
        const int32_t replica =
            call_->version >= 15 ? request_.replica_state.replica_id : request_.replica_id;
        for (Item& item : items_) {
            const auto& t = item.want.target;
            item.place = resolve(*call_->local.image, {t.name, t.topic, by_id()}, t.index,
                                 call_->services.settings.id);
            item.error = item.place.error;
            // Followers speak gRPC; who says here that it is one would move the high watermark.
            if (replica >= 0) item.error = ErrorCode::cluster_authorization_failed;
            else if (request_.max_bytes < 0 || item.want.max_bytes < 0)
                item.error = ErrorCode::invalid_request;
            if (call_->version >= 11) look_for_followers(item);
        }
    }

    /// KIP-392: whoever has a replica may serve a consumer what is committed, and the leader sends
    /// one that says where it is to a replica there.
    void look_for_followers(Item& item) {
        const auto* p =
            item.place.topic ? item.place.topic->partition(item.place.id.index) : nullptr;
        if (p == nullptr) return;
        const auto self = call_->services.settings.id;
        if (item.error == ErrorCode::not_leader_or_follower && has_replica(*p, self)) {
            item.error = ErrorCode::none;
            item.from_follower = true;
        } else if (item.error == ErrorCode::none && selects_by_rack()) {
            const auto& image = *call_->local.image;
            for (const auto id : p->replicas)
                if (image.active(id) && image.broker(id)->rack == request_.rack_id)
                    item.nearer.push_back(id);
            if (std::ranges::find(item.nearer, self) != item.nearer.end()) item.nearer.clear();
        }
    }

    bool selects_by_rack() const {
        return !request_.rack_id.empty() && call_->services.settings.selects_replicas_by_rack;
    }

    /// The one that is known to have most, if it has the offset.
    static base::BrokerId preferred(const Partition& partition, const Partition::ReadFrom& from,
                                    const std::vector<base::BrokerId>& nearer) {
        base::BrokerId best{-1};
        base::Offset most = from.offset - 1;
        for (const auto id : nearer) {
            const auto held = partition.replica().held_and_synced(id).first;
            if (!partition.replica().attached(id) || held <= most) continue;
            best = id;
            most = held;
        }
        return best;
    }

    uint32_t limit() const {
        return std::min(static_cast<uint32_t>(request_.max_bytes),
                        call_->services.settings.fetch_max_bytes);
    }

    void read() {
        left_ = 1;
        for (size_t i = 0; i < items_.size(); ++i)
            if (items_[i].error == ErrorCode::none) read_one(i);
        done_one();
    }

    void read_one(size_t i) {
        ++left_;
        Item& item = items_[i];
        const Partition::ReadFrom from{
            .offset = item.want.offset,
            .max_bytes = std::min(static_cast<uint32_t>(item.want.max_bytes), limit()),
            .at_least_one = true,
            .current_epoch = item.want.current_epoch,
            .last_fetched_epoch = item.want.last_fetched_epoch,
            .from_follower = item.from_follower};
        auto& partitions = call_->services.partitions;
        partitions.home(item.place.id)
            .run([self = shared_from_this(), &partitions, id = item.place.id, from, i,
                  nearer = item.nearer] {
                const auto partition = partitions.find(id);
                auto found = partition.ok() ? (*partition)->read(from)
                                            : kafka::Outcome<Partition::Read>(partition.error());
                base::BrokerId there{-1};
                if (found.ok() && !nearer.empty()) there = preferred(**partition, from, nearer);
                self->call_->local.shard.run([self, i, there, found = std::move(found)]() mutable {
                    Item& item = self->items_[i];
                    item.preferred = there;
                    if (there.value >= 0) found->records = {.slices = {}, .next = item.want.offset};
                    if (found.ok()) item.read = std::move(found).value();
                    else item.error = found.error().code;
                    self->done_one();
                });
            });
    }

    void done_one() {
        if (--left_ > 0) return;
        fit();
        const auto now = io::monotonic_clock();
        if (enough_ || now >= deadline_) return answer();
        if (!reply_.wanted()) return;
        wait(deadline_ - now);
    }

    /// Keeps what fits the limits, in order. The first partition that has something gives at least
    /// one batch, whatever its size, so that a client always makes progress.
    void fit() {
        bytes_ = 0;
        enough_ = request_.max_wait_ms <= 0 || items_.empty();
        for (Item& item : items_) {
            enough_ |= item.error != ErrorCode::none || (item.read && item.read->diverging) ||
                       item.preferred.value >= 0;
            if (!item.read) continue;
            auto& records = item.read->records;
            // More is there than fits: waiting would bring nothing that can be sent.
            enough_ |= records.bytes > 0 && records.next < item.read->high_watermark;
            const uint32_t room = limit() > bytes_ ? limit() - bytes_ : 0;
            const bool fits = records.bytes <= room &&
                              records.bytes <= static_cast<uint32_t>(item.want.max_bytes);
            if (bytes_ > 0 && !fits) records = {.slices = {}, .next = item.want.offset};
            bytes_ += records.bytes;
        }
        enough_ |= bytes_ >= static_cast<uint64_t>(std::max(request_.min_bytes, 0));
    }

    void wait(base::InstantMs at_most) {
        // Looked at now and then, so that a long wait does not outlive its connection by much.
        const auto delay = std::min<base::InstantMs>(at_most, 10'000);
        const uint64_t round = ++round_;
        timer_ =
            call_->local.shard.after(std::chrono::milliseconds(delay),
                                     [self = shared_from_this(), round] { self->wake(round); });
        for (size_t i = 0; i < items_.size(); ++i) {
            Item& item = items_[i];
            const auto beyond = item.read && item.read->records.bytes > 0 ? item.read->records.next
                                                                          : item.want.offset;
            auto& partitions = call_->services.partitions;
            partitions.home(item.place.id)
                .run(
                    [self = shared_from_this(), &partitions, i, beyond, round, id = item.place.id] {
                        auto& home = self->call_->local.shard;
                        const auto wake = [self, &home, round] {
                            home.post([self, round] { self->wake(round); });
                        };
                        const auto partition = partitions.find(id);
                        if (!partition.ok()) return wake();
                        const uint64_t key = (*partition)->watch(beyond, wake);
                        home.run([self, i, key, round] { self->watched(i, key, round); });
                    });
        }
    }

    void watched(size_t i, uint64_t key, uint64_t round) {
        if (round == round_) items_[i].watch = key;
        else unwatch(items_[i].place.id, key);
    }

    void wake(uint64_t round) {
        if (round != round_) return;
        ++round_;
        timer_.reset();
        for (Item& item : items_) unwatch(item.place.id, std::exchange(item.watch, 0));
        for (Item& item : items_) item.read.reset();
        read();
    }

    void unwatch(const base::TopicPartition& id, uint64_t key) {
        if (key == 0) return;
        auto& partitions = call_->services.partitions;
        partitions.home(id).run([&partitions, id, key] {
            if (const auto partition = partitions.find(id); partition.ok())
                (*partition)->unwatch(key);
        });
    }

    void answer() {
        Response response;
        std::vector<std::vector<storage::FileSlice>> files;
        response.session_id = session_ ? session_->id() : 0;
        for (Item& item : items_) {
            const FetchFound found{.error = item.error,
                                   .bytes = item.read ? item.read->records.bytes : 0,
                                   .high_watermark = item.read ? item.read->high_watermark : -1,
                                   .log_start = item.read ? item.read->log_start : -1,
                                   .diverging = item.read && item.read->diverging,
                                   .elsewhere = item.preferred.value >= 0};
            const bool tell = !session_ || session_->must_tell(item.want.target, found);
            if (!tell && !full_) continue;
            topic_of(response, item).partitions.push_back(describe(item, response, files));
        }
        if (session_ && session_->empty()) call_->local.fetch_sessions.close(session_->id());
        reply_(response, std::move(files));
    }

    /// Partitions of one topic stand together if they follow each other.
    Response::FetchableTopicResponse& topic_of(Response& response, const Item& item) {
        const auto& t = item.want.target;
        auto& topics = response.responses;
        if (topics.empty() || topics.back().topic != t.name || topics.back().topic_id != t.topic)
            topics.push_back({.topic = t.name, .topic_id = t.topic, .partitions = {}});
        return topics.back();
    }

    Response::PartitionData describe(Item& item, Response& response,
                                     std::vector<std::vector<storage::FileSlice>>& files) {
        Response::PartitionData out;
        out.partition_index = item.want.target.index;
        out.error_code = item.error;
        out.records = kafka::Records();
        if (request_.isolation_level == 0) out.aborted_transactions.reset();
        if (!item.read) {
            out.high_watermark = -1;
            // Error 56 came with version 6; clients before it know 6 as "look again".
            if (item.error == ErrorCode::kafka_storage_error && call_->version <= 5)
                out.error_code = ErrorCode::not_leader_or_follower;
            if (item.error == ErrorCode::not_leader_or_follower ||
                item.error == ErrorCode::fenced_leader_epoch) {
                out.current_leader = {item.place.leader.value, item.place.leader_epoch};
                add_endpoint(response.node_endpoints, *call_, item.place.leader);
            }
            return out;
        }
        out.high_watermark = item.read->high_watermark;
        out.last_stable_offset = item.read->last_stable_offset;
        out.log_start_offset = item.read->log_start;
        out.preferred_read_replica = item.preferred.value;
        if (item.read->diverging)
            out.diverging_epoch = {item.read->diverging->epoch, item.read->diverging->end};
        if (item.read->records.bytes > 0) {
            out.records = kafka::Records::splice(item.read->records.bytes);
            files.push_back(std::move(item.read->records.slices));
        }
        return out;
    }

    CallPtr call_;
    Request request_;
    Reply<Response> reply_;
    std::shared_ptr<FetchSession> session_;
    bool full_ = true;  // names every partition, changed or not
    std::vector<Item> items_;
    base::InstantMs deadline_ = 0;
    size_t left_ = 0;
    uint64_t bytes_ = 0;
    bool enough_ = false;
    uint64_t round_ = 0;  // of waiting; what comes late from an earlier one is left alone
    std::unique_ptr<io::Timer> timer_;
};

}  // namespace

void fetch(CallPtr call, Request request, Reply<Response> reply) {
    std::make_shared<Fetch>(std::move(call), std::move(request), std::move(reply))->run();
}

}  // namespace broker::handlers
