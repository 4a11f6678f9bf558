#include <cstdio>
#include <optional>
#include <set>

#include "cli/command.h"
#include "cli/kafka_client.h"
#include "cli/offsets.h"
#include "cli/output.h"
#include "cli/rdkafka.h"
#include "cli/record_text.h"
#include "cli/signals.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Consume {
    Common common;
    std::string topic;
    std::optional<int32_t> count;
    std::string from;
    std::vector<int32_t> partitions;
    std::string group;
    std::string format = "%s\\n";
    bool exit_at_end = false;
    std::optional<double> idle_seconds;  // unless given, it waits for messages for ever

    base::Status run() const;

  private:
    /// Checks the topic, and finds where to begin in each partition.
    base::Result<PartitionOffsets> find_begin(Position position) const;
    base::Result<RdKafka> consumer(Position position) const;
    base::Status begin(rd_kafka_t* consumer, const PartitionOffsets& at) const;
};

/// Reads on until there is a reason to stop.
class Loop {
  public:
    Loop(rd_kafka_t* consumer, Signals& signals, const Consume& options)
        : consumer_(consumer), signals_(signals), options_(options), last_(Clock::now()) {}

    base::Status run();

  private:
    /// The next event, or nothing for now: what is there already is taken before any wait.
    RdMessage next();
    base::Status take(const rd_kafka_message_t& message);
    bool at_end_of_all() const;
    void print(const rd_kafka_message_t& message) const;

    rd_kafka_t* consumer_;
    Signals& signals_;
    const Consume& options_;
    Clock::time_point last_;  // when a record came, or the start
    int64_t seen_ = 0;
    bool interrupted_ = false;
    std::set<std::pair<std::string, int32_t>> ended_;  // partitions that are read to their end
};

base::Status Loop::run() {
    while (!interrupted_ && (!options_.count || seen_ < *options_.count)) {
        const RdMessage message = next();
        if (message) RETURN_IF_ERROR(take(*message));
        if (options_.exit_at_end && at_end_of_all()) break;
        if (options_.idle_seconds &&
            Clock::now() - last_ > std::chrono::duration<double>(*options_.idle_seconds))
            return absl::DeadlineExceededError("no message came within --timeout");
    }
    return base::ok();
}

RdMessage Loop::next() {
    RdMessage message(rd_kafka_consumer_poll(consumer_, 0));
    constexpr int64_t look_every = 256;  // a look for a signal costs a system call
    if (message && seen_ % look_every != 0) return message;
    if (signals_.wait(std::chrono::milliseconds{0})) interrupted_ = true;
    if (message || interrupted_) return message;
    std::fflush(stdout);
    constexpr int pause_ms = 100;
    return RdMessage(rd_kafka_consumer_poll(consumer_, pause_ms));
}

base::Status Loop::take(const rd_kafka_message_t& message) {
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        ended_.emplace(rd_kafka_topic_name(message.rkt), message.partition);
        return base::ok();
    }
    if (message.err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
        message.err == RD_KAFKA_RESP_ERR__TRANSPORT)
        return base::ok();  // it goes on by itself once they are back
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rd_failure(message.err, "can't read '" + options_.topic + "'");
    print(message);
    if (std::ferror(stdout) != 0) return base::internal("the output can't be written");
    last_ = Clock::now();
    ++seen_;
    ended_.erase({rd_kafka_topic_name(message.rkt), message.partition});
    if (!options_.group.empty()) {
        // Only what was printed is committed.
        rd_kafka_offset_store(message.rkt, message.partition, message.offset);
    }
    return base::ok();
}

bool Loop::at_end_of_all() const {
    rd_kafka_topic_partition_list_t* raw = nullptr;
    if (rd_kafka_assignment(consumer_, &raw) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    const RdPartitions assigned(raw);
    for (int i = 0; i < assigned->cnt; ++i)
        if (!ended_.contains({assigned->elems[i].topic, assigned->elems[i].partition}))
            return false;
    return assigned->cnt > 0;
}

void Loop::print(const rd_kafka_message_t& message) const {
    const auto view = [](const void* data, size_t size) -> std::optional<std::string_view> {
        if (data == nullptr) return std::nullopt;
        return std::string_view(static_cast<const char*>(data), size);
    };
    RecordView record;
    record.topic = rd_kafka_topic_name(message.rkt);
    record.partition = message.partition;
    record.offset = message.offset;
    record.timestamp = rd_kafka_message_timestamp(&message, nullptr);
    record.key = view(message.key, message.key_len);
    record.value = view(message.payload, message.len);
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char* name = nullptr;
        const void* value = nullptr;
        size_t size = 0;
        for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
                           RD_KAFKA_RESP_ERR_NO_ERROR;
             ++i)
            record.headers.push_back({name, view(value, size)});
    }
    const std::string text = options_.common.format == Format::json
                                 ? record_json(record)
                                 : record_text(record, options_.format);
    std::fwrite(text.data(), 1, text.size(), stdout);
}

base::Result<PartitionOffsets> Consume::find_begin(Position position) const {
    Common first = common;  // brokers that are there but silent count as no message, too
    if (idle_seconds) first.timeout_seconds = *idle_seconds;
    ASSIGN_OR_RETURN(KafkaClient client, KafkaClient::connect(first.bootstrap, first.deadline()));
    ASSIGN_OR_RETURN(const Topic found, client.topic(topic));
    if (!group.empty()) return PartitionOffsets{};
    return find_offsets(client, topic, partitions.empty() ? all_partitions(found) : partitions,
                        position);
}

base::Result<RdKafka> Consume::consumer(Position position) const {
    RdConfig config(common.bootstrap);
    // Without a group nothing is committed, but librdkafka wants a name all the same.
    config.set("group.id", group.empty() ? "moldau-consume" : group)
        .set("enable.auto.commit", group.empty() ? "false" : "true")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", position.kind == Position::Kind::end ? "latest" : "earliest")
        .set("check.crcs", "true");
    ASSIGN_OR_RETURN(RdKafka out, std::move(config).make(RD_KAFKA_CONSUMER));
    rd_kafka_poll_set_consumer(out.get());
    return out;
}

base::Status Consume::begin(rd_kafka_t* consumer, const PartitionOffsets& at) const {
    const RdPartitions list(
        rd_kafka_topic_partition_list_new(static_cast<int>(std::max<size_t>(1, at.size()))));
    if (!group.empty()) {
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
        const rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer, list.get());
        return error == RD_KAFKA_RESP_ERR_NO_ERROR ? base::ok()
                                                   : rd_failure(error, "can't join the group");
    }
    for (const auto& [partition, offset] : at)
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
    const rd_kafka_resp_err_t error = rd_kafka_assign(consumer, list.get());
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? base::ok()
                                               : rd_failure(error, "can't read '" + topic + "'");
}

base::Status Consume::run() const {
    ASSIGN_OR_RETURN(const Position position, Position::parse(from.empty() ? "beginning" : from));
    if (!group.empty() && !partitions.empty())
        return base::invalid("a group shares out partitions itself\nLeave out -p or -g.");
    if (!group.empty() &&
        (position.kind == Position::Kind::offset || position.kind == Position::Kind::time))
        return base::invalid(
            "a group goes on where it has committed\nTo move it: moldau group seek " + group + " " +
            topic + " --to " + from);
    Signals signals;  // before librdkafka starts its threads
    ASSIGN_OR_RETURN(const PartitionOffsets at, find_begin(position));
    ASSIGN_OR_RETURN(const RdKafka client, consumer(position));
    RETURN_IF_ERROR(begin(client.get(), at));
    const base::Status status = Loop(client.get(), signals, *this).run();
    std::fflush(stdout);
    const rd_kafka_resp_err_t error = rd_kafka_consumer_close(client.get());  // commits
    if (status.ok() && error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rd_failure(error, "can't commit what was read");
    return status;
}

}  // namespace

void add_consume(CLI::App& app, Chosen& chosen) {
    auto [command, consume] =
        add_command<Consume>(app, chosen, "consume", "Print a topic's messages as they come");
    add_bootstrap_option(*command, consume->common);
    add_format_option(*command, consume->common);
    command->add_option("TOPIC", consume->topic, "Name")->required();
    command->add_option("-n,--count", consume->count, "Stop after so many")->check(at_least(1));
    command->add_option(
        "--from", consume->from,
        "beginning, end, OFFSET or @MILLISECONDS (default: beginning; a group goes on "
        "where it has committed)");
    command->add_option("-p,--partition", consume->partitions, "Only this one, any number of times")
        ->check(at_least(0))
        ->expected(1)
        ->take_all();
    command->add_option("-g,--group", consume->group,
                        "Share the topic with this group, and commit");
    command
        ->add_option(
            "-f,--format", consume->format,
            "%t topic, %p partition, %o offset, %T timestamp, %k key, %s value, %h headers")
        ->capture_default_str();
    command->add_flag("-e,--exit", consume->exit_at_end, "Stop at the end of the topic");
    constexpr double a_day_seconds = 86400;
    command
        ->add_option("--timeout", consume->idle_seconds,
                     "Seconds without a message after which to give up with exit code 4")
        ->check(CLI::Range(0.001, a_day_seconds));
}

}  // namespace cli
