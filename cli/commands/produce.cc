#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/command.h"
#include "cli/kafka_client.h"
#include "cli/output.h"
#include "cli/rdkafka.h"

namespace cli {
namespace {

struct Header {
    std::string name;
    std::string value;
};

/// What became of the messages so far; librdkafka's delivery reports add to it.
struct Deliveries {
    int64_t produced = 0;
    int64_t failed = 0;
    std::map<int32_t, int64_t> by_partition;
    rd_kafka_resp_err_t first_error = RD_KAFKA_RESP_ERR_NO_ERROR;

    void add(const rd_kafka_message_t& message) {
        if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            ++produced;
            ++by_partition[message.partition];
            return;
        }
        if (failed++ == 0) first_error = message.err;
    }
};

struct Produce {
    Common common;
    std::string topic;
    std::optional<std::string> key;
    std::string key_separator;
    std::vector<std::string> header_texts;
    int32_t partition = RD_KAFKA_PARTITION_UA;
    std::string acks = "all";
    std::string compression = "none";
    std::optional<int32_t> batch;

    base::Status run() const;

  private:
    base::Result<RdKafka> producer(Deliveries& deliveries) const;
    base::Status send_lines(rd_kafka_t* producer, const std::vector<Header>& headers) const;
    base::Status send(rd_kafka_t* producer, const std::vector<Header>& headers,
                      const std::string& line, int64_t number) const;
    void print(const Deliveries& deliveries) const;
};

base::Result<std::vector<Header>> parse_headers(const std::vector<std::string>& texts) {
    std::vector<Header> out;
    for (const std::string& text : texts) {
        const size_t equals = text.find('=');
        if (equals == std::string::npos)
            return base::invalid("'" + text + "' is not a header: NAME=VALUE");
        out.push_back({text.substr(0, equals), text.substr(equals + 1)});
    }
    return out;
}

base::Status Produce::run() const {
    ASSIGN_OR_RETURN(const auto headers, parse_headers(header_texts));
    // Asked first: without a broker librdkafka would try on until the time-out.
    RETURN_IF_ERROR(KafkaClient::connect(common.bootstrap, common.deadline()).status());
    Deliveries deliveries;
    ASSIGN_OR_RETURN(const RdKafka client, producer(deliveries));
    const base::Status sent = send_lines(client.get(), headers);
    constexpr int forever = -1;  // every message has its own time-out
    rd_kafka_flush(client.get(), forever);
    print(deliveries);
    RETURN_IF_ERROR(sent);
    if (deliveries.failed == 0) return base::ok();
    const base::Status why =
        rd_failure(deliveries.first_error, counted(deliveries.failed, "message") +
                                               (deliveries.failed == 1 ? " was" : " were") +
                                               " not acknowledged by '" + topic + "'");
    return {why.code(), base::message(why) +
                            "\nWhether its partitions have leaders, and replicas in sync: moldau "
                            "topic describe " +
                            topic};
}

base::Result<RdKafka> Produce::producer(Deliveries& deliveries) const {
    RdConfig config(common.bootstrap);
    const std::string timeout_ms = std::to_string(common.timeout().count());
    config.set("acks", acks)
        .set("compression.type", compression)
        .set("message.timeout.ms", timeout_ms)
        .set("topic.metadata.propagation.max.ms", timeout_ms)
        .set("linger.ms", "5");
    // Retries must not make duplicates or change the order.
    if (acks == "all") config.set("enable.idempotence", "true");
    if (batch) config.set("batch.num.messages", std::to_string(*batch));
    rd_kafka_conf_set_opaque(config.raw(), &deliveries);
    rd_kafka_conf_set_dr_msg_cb(config.raw(),
                                [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
                                    static_cast<Deliveries*>(opaque)->add(*message);
                                });
    return std::move(config).make(RD_KAFKA_PRODUCER);
}

base::Status Produce::send_lines(rd_kafka_t* producer, const std::vector<Header>& headers) const {
    std::ios::sync_with_stdio(false);
    int64_t number = 0;
    for (std::string line; std::getline(std::cin, line);) {
        RETURN_IF_ERROR(send(producer, headers, line, ++number));
        rd_kafka_poll(producer, 0);
    }
    return base::ok();
}

base::Status Produce::send(rd_kafka_t* producer, const std::vector<Header>& headers,
                           const std::string& line, int64_t number) const {
    std::string_view value = line;
    std::optional<std::string_view> this_key;
    if (key) this_key = *key;
    if (!key_separator.empty()) {
        const size_t at = line.find(key_separator);
        if (at == std::string::npos)
            return base::precondition("line " + std::to_string(number) + " has no '" +
                                      key_separator + "' between key and value");
        this_key = value.substr(0, at);
        value.remove_prefix(at + key_separator.size());
    }
    const char* const key_data = this_key ? this_key->data() : nullptr;
    const size_t key_size = this_key ? this_key->size() : 0;
    for (;;) {
        RdHeaders built(headers.empty() ? nullptr : rd_kafka_headers_new(headers.size()));
        for (const Header& h : headers)
            rd_kafka_header_add(built.get(), h.name.data(), static_cast<ssize_t>(h.name.size()),
                                h.value.data(), static_cast<ssize_t>(h.value.size()));
        const rd_kafka_resp_err_t error = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
            RD_KAFKA_V_KEY(key_data, key_size), RD_KAFKA_V_HEADERS(built.get()), RD_KAFKA_V_END);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            static_cast<void>(built.release());  // the message took them over
            return base::ok();
        }
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return rd_failure(error, "can't send line " + std::to_string(number));
        constexpr int pause_ms = 100;
        rd_kafka_poll(producer, pause_ms);
    }
}

void Produce::print(const Deliveries& deliveries) const {
    if (common.format == Format::json) {
        nlohmann::ordered_json partitions = nlohmann::ordered_json::object();
        for (const auto& [p, count] : deliveries.by_partition)
            partitions[std::to_string(p)] = count;
        print_json({{"topic", topic},
                    {"produced", deliveries.produced},
                    {"failed", deliveries.failed},
                    {"partitions", partitions}});
        return;
    }
    std::printf("produced %s to %s\n", counted(deliveries.produced, "message").c_str(),
                topic.c_str());
}

}  // namespace

void add_produce(CLI::App& app, Chosen& chosen) {
    auto [command, produce] = add_command<Produce>(
        app, chosen, "produce", "Send the lines of standard input, one message each");
    add_common_options(*command, produce->common);
    command->add_option("TOPIC", produce->topic, "Name")->required();
    auto* key = command->add_option("-k,--key", produce->key, "The key of every message");
    command
        ->add_option("-K,--key-separator", produce->key_separator,
                     "A line is its key, this, and its value")
        ->excludes(key);
    command
        ->add_option("-H,--header", produce->header_texts,
                     "NAME=VALUE on every message, any number of times")
        ->expected(1)
        ->take_all();
    command->add_option("-p,--partition", produce->partition, "Only to this one (default: by key)")
        ->check(at_least(0));
    command
        ->add_option("--acks", produce->acks,
                     "Who must have a message: all in sync, the leader, nobody")
        ->check(CLI::IsMember({"all", "1", "0"}))
        ->capture_default_str();
    command->add_option("--compression", produce->compression, "Of batches")
        ->check(CLI::IsMember({"none", "gzip", "snappy", "lz4", "zstd"}))
        ->capture_default_str();
    constexpr int most_messages = 1'000'000;
    command->add_option("--batch", produce->batch, "At most so many messages a batch")
        ->check(CLI::Range(1, most_messages));
}

}  // namespace cli
