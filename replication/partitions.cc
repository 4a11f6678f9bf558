#include "replication/partitions.h"

#include <future>

#include "absl/strings/numbers.h"
#include "replication/scrub.h"
#include "spdlog/spdlog.h"

namespace replication {

using base::TopicPartition;
using kafka::ErrorCode;

namespace {

std::string directory_name(const TopicPartition& id) {
    return id.topic.to_string() + "." + std::to_string(id.index);
}

/// Whoever waits for an answer of the controller, or of a leader, asks again after a second.
constexpr std::chrono::milliseconds tick_interval{300};

constexpr std::string_view doomed_suffix = ".deleted";

std::optional<TopicPartition> parse_directory_name(const std::string& name) {
    const size_t dot = name.find('.');
    if (dot == std::string::npos) return std::nullopt;
    const auto topic = base::Uuid::parse(std::string_view(name).substr(0, dot));
    TopicPartition id;
    if (!topic || !absl::SimpleAtoi(name.substr(dot + 1), &id.index)) return std::nullopt;
    id.topic = *topic;
    return id;
}

}  // namespace

Partitions::Partitions(io::Shards& shards, io::Disk& disk, storage::Store& store,
                       base::BrokerId self, std::vector<std::string> log_dirs,
                       uint64_t reserve_bytes)
    : shards_(shards), disk_(disk), store_(store), self_(self), log_dirs_(std::move(log_dirs)) {
    CHECK(!log_dirs_.empty());
    for (const auto& dir : log_dirs_)
        shared_.push_back(std::make_shared<LogDir>(shards, disk, dir, reserve_bytes));
    for (size_t i = 0; i < shards_.count(); ++i) {
        locals_.push_back(std::make_unique<Local>());
        locals_.back()->peers = {&alone_, &alone_};
        locals_.back()->scrub = std::make_unique<Scrub>(shards, shards.at(i), *this);
    }
}

Partitions::~Partitions() = default;

size_t Partitions::shard_of(const TopicPartition& id, size_t shards) {
    // Neighbouring partitions of a topic go to neighbouring shards: an even spread for any count.
    const auto spread = id.topic.lo + static_cast<uint64_t>(id.index);
    return spread % shards;
}

io::Shard& Partitions::home(const TopicPartition& id) const {
    return shards_.at(shard_of(id, shards_.count()));
}

void Partitions::connect(const std::vector<Peers>& by_shard) {
    CHECK(by_shard.size() == locals_.size());
    for (size_t i = 0; i < locals_.size(); ++i) locals_[i]->peers = by_shard[i];
}

template <class Tell>
void Partitions::tell_all(Tell tell) {
    for (size_t i = 0; i < locals_.size(); ++i)
        shards_.at(i).post([&local = *locals_[i], tell] { tell(local); });
}

void Partitions::registered(int64_t broker_epoch) {
    tell_all([broker_epoch](Local& local) {
        local.broker_epoch = broker_epoch;
        local.each([&](Partition& p) { p.registered(broker_epoch); });
    });
}

Partitions::Local& Partitions::local(const TopicPartition& id) {
    const io::Shard& shard = home(id);
    CHECK(shard.here());
    return *locals_[shard.index()];
}

storage::Log::Place Partitions::place(const TopicPartition& id, size_t log_dir,
                                      const std::string& name) {
    return {.directory = log_dirs_[log_dir] + "/" + name,
            .id = id,
            .disk = &shared_[log_dir]->disk(),
            .store = &store_};
}

/// Where it lies already, or else the directory with the most space that takes writes.
size_t Partitions::choose_log_dir(const std::string& name) const {
    if (log_dirs_.size() == 1) return 0;
    size_t best = 0;
    std::pair<bool, uint64_t> best_rank;
    for (size_t i = 0; i < log_dirs_.size(); ++i) {
        if (disk_.exists(log_dirs_[i] + "/" + name)) return i;
        // One that can't say how much is free still goes before one that takes nothing.
        const std::pair rank(!fenced(i), disk_.free_bytes(log_dirs_[i]).value_or(0));
        if (i > 0 && rank <= best_rank) continue;
        best = i;
        best_rank = rank;
    }
    return best;
}

void Partitions::set_in_session(bool in_session) {
    tell_all([in_session](Local& local) {
        local.in_session = in_session;
        local.each([&](Partition& p) { p.set_in_session(in_session); });
    });
}

void Partitions::open(const TopicPartition& id, const Settings& settings,
                      const replica::Assignment& to,
                      base::Function<void(const base::Status&)> done) {
    shards_.block([this, id, settings, to, done = std::move(done)]() mutable {
        const std::string name = directory_name(id);
        const size_t dir = choose_log_dir(name);
        Opened opened{dir,
                      storage::Log::open(place(id, dir, name), settings.log, io::wall_clock())};
        home(id).post([this, id, to, options = settings.options, opened = std::move(opened),
                       done = std::move(done)]() mutable {
            const auto status = opened.log.status();
            install(id, std::move(opened), options, to);
            done(status);
        });
    });
}

void Partitions::install(const TopicPartition& id, Opened opened, const Partition::Options& options,
                         const replica::Assignment& to) {
    auto& here = local(id);
    Entry entry{.partition = nullptr, .why_offline = {}, .log_dir = opened.log_dir};
    if (!opened.log.ok()) {
        entry.why_offline = base::message(opened.log.status());
        spdlog::error("partition {} of topic {} is OFFLINE: {}. Nothing was changed on disk.",
                      id.index, id.topic.to_string(), entry.why_offline);
        here.entries.insert_or_assign(id, std::move(entry));
        return;
    }
    const Partition::Identity identity{id, {self_, here.broker_epoch}};
    entry.partition = std::make_unique<Partition>(*std::move(opened.log), shards_, home(id),
                                                  identity, options, *here.peers.exchange,
                                                  *here.peers.proposals, shared_[opened.log_dir]);
    auto& partition = *entry.partition;
    here.entries.insert_or_assign(id, std::move(entry));
    partition.set_in_session(here.in_session);
    partition.on_suspicion(
        [&scrub = *here.scrub, id](base::Offset offset) { scrub.suspect(id, offset); });
    if (partition.log().damaged()) here.scrub->damaged(id);
    partition.assign(to);
    here.peers.exchange->opened(id);
}

void Partitions::remove(const TopicPartition& id, base::Function<void(const base::Status&)> done) {
    home(id).run([this, id, done = std::move(done)]() mutable {
        auto& entries = local(id).entries;
        const auto found = entries.find(id);
        if (found == entries.end()) return done(base::ok());
        const size_t dir = found->second.log_dir;
        auto partition = std::move(found->second.partition);
        entries.erase(found);
        if (partition) partition->abandon();
        local(id).peers.exchange->closed(id);
        shards_.block(
            [this, id, dir, partition = std::move(partition), done = std::move(done)]() mutable {
                partition.reset();
                const auto status = discard(id, dir);
                home(id).post([status, done = std::move(done)]() mutable { done(status); });
            });
    });
}

base::Status Partitions::discard(const TopicPartition& id, size_t dir) {
    // Renamed first: what a crash leaves half deleted is never taken for a partition.
    const std::string name = directory_name(id);
    const auto doomed = place(id, dir, name + std::string(doomed_suffix));
    auto& disk = *doomed.disk;
    const std::string directory = log_dirs_[dir] + "/" + name;
    base::Status status;  // a log without records has no directory
    if (disk.exists(directory)) {
        status = disk.rename(directory, doomed.directory);
        if (status.ok()) status = disk.sync_directory(log_dirs_[dir]);
    }
    if (status.ok()) status = storage::Log::destroy(doomed);
    if (!status.ok())
        spdlog::error("deleting partition {} of topic {}: {}", id.index, id.topic.to_string(),
                      base::message(status));
    return status;
}

void Partitions::remove_strays(const std::function<bool(const TopicPartition&)>& stray) {
    for (size_t dir = 0; dir < log_dirs_.size(); ++dir) {
        const auto names = disk_.list(log_dirs_[dir]);
        if (!names.ok()) continue;
        for (const auto& name : *names) {
            const auto id = parse_directory_name(name);
            if (!id || !stray(*id)) continue;
            spdlog::info("{}/{}: other brokers have this partition now; deleting it",
                         log_dirs_[dir], name);
            discard(*id, dir).IgnoreError();
        }
    }
}

kafka::Outcome<Partition*> Partitions::find(const TopicPartition& id) {
    const auto& entries = local(id).entries;
    const auto found = entries.find(id);
    if (found == entries.end())
        return kafka::Error{ErrorCode::unknown_topic_or_partition, "not on this broker"};
    if (!found->second.partition)
        return kafka::Error{ErrorCode::kafka_storage_error, found->second.why_offline};
    return found->second.partition.get();
}

void Partitions::assign(const TopicPartition& id, const replica::Assignment& to) {
    if (const auto found = find(id); found.ok()) (*found)->assign(to);
}

void Partitions::set_config(const TopicPartition& id, const Settings& settings) {
    if (const auto found = find(id); found.ok())
        (*found)->set_config(settings.log, settings.options);
}

std::vector<Partitions::Usage> Partitions::usage(const io::Shard& shard) const {
    CHECK(shard.here());
    std::vector<Usage> out;
    for (const auto& [id, entry] : locals_[shard.index()]->entries)
        out.push_back({.id = id,
                       .log_dir = entry.log_dir,
                       .bytes = entry.partition ? entry.partition->log().size_bytes() : 0,
                       .lag = entry.partition ? entry.partition->replica().lag() : 0});
    return out;
}

void Partitions::maintain_every(std::chrono::milliseconds interval) {
    for (size_t i = 0; i < shards_.count(); ++i)
        shards_.at(i).post([this, i, interval] {
            schedule_maintenance(i, interval);
            schedule_tick(i);
        });
}

void Partitions::scrub(const ScrubOptions& options, Donors& donors) {
    for (size_t i = 0; i < shards_.count(); ++i)
        shards_.at(i).post(
            [this, i, options, &donors] { locals_[i]->scrub->start(options, donors); });
}

void Partitions::schedule_maintenance(size_t shard, std::chrono::milliseconds interval) {
    locals_[shard]->maintenance = shards_.at(shard).after(interval, [this, shard, interval] {
        const auto now = io::wall_clock();
        for (const auto& dir : shared_) dir->recheck(io::monotonic_clock());
        locals_[shard]->each([&](Partition& p) { p.maintain(now); });
        schedule_maintenance(shard, interval);
    });
}

void Partitions::schedule_tick(size_t shard) {
    locals_[shard]->tick = shards_.at(shard).after(tick_interval, [this, shard] {
        locals_[shard]->each([](Partition& p) { p.tick(); });
        schedule_tick(shard);
    });
}

base::Status Partitions::close() {
    std::vector<std::future<base::Status>> closed;
    for (size_t i = 0; i < shards_.count(); ++i) {
        auto promise = std::make_shared<std::promise<base::Status>>();
        closed.push_back(promise->get_future());
        shards_.at(i).post([this, i, promise] {
            base::Status first;
            locals_[i]->maintenance.reset();
            locals_[i]->tick.reset();
            locals_[i]->scrub->stop();
            for (auto& [id, entry] : locals_[i]->entries) {
                if (entry.partition) first.Update(entry.partition->close());
                locals_[i]->peers.exchange->closed(id);
            }
            locals_[i]->entries.clear();
            promise->set_value(first);
        });
    }
    base::Status first;
    for (auto& one : closed) first.Update(one.get());
    // What each has written last, with one sync for all.
    first.Update(store_.write({}, storage::Store::Durability::synced));
    return first;
}

base::Status Partitions::finish_removals() {
    for (size_t dir = 0; dir < log_dirs_.size(); ++dir) {
        ASSIGN_OR_RETURN(const auto names, disk_.list(log_dirs_[dir]));
        for (const auto& name : names) {
            if (!name.ends_with(doomed_suffix)) continue;
            const auto id =
                parse_directory_name(name.substr(0, name.size() - doomed_suffix.size()));
            if (id) RETURN_IF_ERROR(storage::Log::destroy(place(*id, dir, name)));
        }
    }
    return base::ok();
}

std::vector<std::string> Partitions::unclaimed(
    const std::function<bool(const TopicPartition&)>& known) const {
    std::vector<std::string> out;
    for (const auto& dir : log_dirs_) {
        const auto names = disk_.list(dir);
        if (!names.ok()) continue;
        for (const auto& name : *names)
            if (const auto id = parse_directory_name(name); id && !known(*id))
                out.push_back(dir + "/" + name);
    }
    return out;
}

}  // namespace replication
