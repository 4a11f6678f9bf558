// A load generator on librdkafka, for any broker that speaks its protocol.
#include "bench/load.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace bench {

void fail(const std::string& why) {
    std::fprintf(stderr, "moldau_load: %s\n", why.c_str());
    std::exit(1);
}

Client make_client(rd_kafka_type_t type, const Options& options,
                   const std::vector<std::pair<std::string, std::string>>& more,
                   void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void*), void* opaque) {
    std::array<char, 512> why{};
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    const auto set = [&](const std::string& key, const std::string& value) {
        if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), why.data(), why.size()) !=
            RD_KAFKA_CONF_OK)
            fail(why.data());
    };
    set("bootstrap.servers", options.brokers);
    set("client.id", "moldau-load");
    for (const auto& [key, value] : more) set(key, value);
    for (const std::string& one : options.set) {
        const size_t equals = one.find('=');
        if (equals == std::string::npos) fail("--set " + one + ": it must be KEY=VALUE");
        set(one.substr(0, equals), one.substr(equals + 1));
    }
    rd_kafka_conf_set_opaque(conf, opaque);
    if (delivered != nullptr) rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
    Client client(rd_kafka_new(type, conf, why.data(), why.size()));
    if (!client) fail(why.data());
    return client;
}

namespace {

void print(const Options& options, const Report& report) {
    const double bytes =
        static_cast<double>(report.records) * static_cast<double>(options.record_bytes);
    nlohmann::ordered_json out{
        {"records", report.records},
        {"errors", report.errors},
        {"seconds", report.seconds},
        {"records_per_s", static_cast<double>(report.records) / report.seconds},
        {"mb_per_s", bytes / 1e6 / report.seconds}};
    if (report.latency_us.count() > 0) {
        nlohmann::ordered_json latency;
        for (const auto& [name, percent] :
             {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}})
            latency[name] = report.latency_us.percentile(percent);
        latency["max"] = report.latency_us.max();
        out["latency_us"] = latency;
    }
    if (!report.first_error.empty()) out["first_error"] = report.first_error;
    std::printf("%s\n", out.dump().c_str());
}

void add_options(CLI::App& app, Options& options) {
    app.add_option("-b,--brokers", options.brokers, "HOST:PORT[,HOST:PORT]")->capture_default_str();
    app.add_option("-t,--topic", options.topic, "It must exist")->capture_default_str();
    app.add_option("--producers", options.producers, "Clients at the same time")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    app.add_option("--record-bytes", options.record_bytes, "Of a record's value")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
    app.add_option("--acks", options.acks, "all, 1 or 0")->capture_default_str();
    app.add_option("--compression", options.compression, "none, gzip, snappy, lz4 or zstd")
        ->capture_default_str();
    app.add_option(
           "--rate", options.rate_mb_per_s,
           "MB/s of all producers together, whatever the answers do; 0: as fast as possible")
        ->capture_default_str();
    app.add_option("--seconds", options.seconds, "Measured")->capture_default_str();
    app.add_option("--warmup", options.warmup_seconds, "Seconds before that")
        ->capture_default_str();
    app.add_option("--linger-ms", options.linger_ms, "How long a batch waits to fill")
        ->capture_default_str();
    app.add_option("-n,--records", options.most_records, "Stop after so many; 0: no limit")
        ->capture_default_str();
    app.add_option("--per-partition", options.per_partition, "Records each second of a steady load")
        ->capture_default_str();
    app.add_option("--set", options.set, "A librdkafka option, KEY=VALUE")->expected(1)->take_all();
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    CLI::App app{"Loads a broker and prints what it measured as one line of JSON."};
    app.require_subcommand(1);
    bench::Options options;
    auto* produce = app.add_subcommand("produce", "Closed loop, or open loop with --rate");
    auto* consume = app.add_subcommand("consume", "Read a topic from its beginning to its end");
    auto* end_to_end = app.add_subcommand("endtoend", "Produce, and consume it at once");
    auto* steady = app.add_subcommand(
        "steady",
        "Produce to each partition until SIGTERM; print where acknowledgements stood still");
    auto* first = app.add_subcommand("first", "Try until one record is acknowledged; print when");
    for (CLI::App* mode : {produce, consume, end_to_end, steady, first})
        bench::add_options(*mode, options);
    CLI11_PARSE(app, argc, argv);
    if (produce->parsed()) {
        bench::print(options, bench::produce(options));
    } else if (consume->parsed()) {
        bench::print(options, bench::consume(options));
    } else if (end_to_end->parsed()) {
        bench::print(options, bench::end_to_end(options));
    } else if (steady->parsed()) {
        bench::steady(options);
    } else {
        std::printf("%.6f\n", bench::first_acknowledged(options));
    }
    return 0;
}
