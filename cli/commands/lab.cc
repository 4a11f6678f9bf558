#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/uuid.h"
#include "cli/commands/lab.h"
#include "cli/output.h"
#include "io/posix_disk.h"
#include "lab/history_files.h"
#include "lab/replica_hash.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr double ns_per_second = 1e9;

double seconds(int64_t ns) { return static_cast<double>(ns) / ns_per_second; }
std::string seconds_text(int64_t ns) {
    std::array<char, 32> out{};
    std::snprintf(out.data(), out.size(), "%.3f s", seconds(ns));
    return out.data();
}

Json json_of(const lab::Gap& gap, const lab::Report& report) {
    return {{"at_seconds", seconds(gap.from_ns - report.begin_ns)},
            {"seconds", seconds(gap.length_ns)}};
}

Json json_of(const lab::PartitionReport& p, const lab::Report& report) {
    Json gaps = Json::array();
    for (const lab::Gap& gap : p.gaps) gaps.push_back(json_of(gap, report));
    return {{"partition", p.name},
            {"sent", p.sent},
            {"acknowledged", p.acknowledged},
            {"refused", p.refused},
            {"in_doubt", p.in_doubt},
            {"polled", p.polled},
            {"drained", p.drained},
            {"start", p.start},
            {"end", p.end},
            {"longest_gap", json_of(p.longest_gap, report)},
            {"gaps", gaps}};
}

Json json_of(const lab::Finding& f, const lab::Report& report) {
    Json out{{"anomaly", name_of(f.anomaly).name}, {"partition", report.partition(f.partition)}};
    if (f.offset >= 0) out["offset"] = f.offset;
    if (f.has_value) {
        out["producer"] = report.process(f.value.producer);
        out["counter"] = f.value.counter;
    }
    if (f.time_ns >= 0) out["at_seconds"] = seconds(f.time_ns - report.begin_ns);
    if (!f.detail.empty()) out["detail"] = f.detail;
    return out;
}

Json json_of(const lab::Report& report) {
    Json counts = Json::object();
    Json findings = Json::array();
    Json partitions = Json::array();
    for (size_t i = 0; i < lab::anomaly_names.size(); ++i)
        if (const uint64_t n = report.findings.count(static_cast<lab::Anomaly>(i)); n > 0)
            counts[std::string(lab::anomaly_names[i].name)] = n;
    for (const lab::Finding& f : report.findings.kept()) findings.push_back(json_of(f, report));
    for (const auto& p : report.partitions)
        if (p.sent > 0) partitions.push_back(json_of(p, report));
    return {{"good", report.good()},
            {"events", report.events},
            {"begin_seconds", seconds(report.begin_ns)},
            {"compared_blocks", report.compared_blocks},
            {"anomalies", counts},
            {"findings", findings},
            {"partitions", partitions}};
}

/// "lost: t/3 offset 17, value 4 of producer-1, at 3.100 s: nothing is there"
std::string text_of(const lab::Finding& f, const lab::Report& report) {
    std::string out(name_of(f.anomaly).name);
    out += ": " + report.partition(f.partition);
    if (f.offset >= 0) out += " offset " + std::to_string(f.offset);
    if (f.has_value)
        out += ", value " + std::to_string(f.value.counter) + " of " +
               report.process(f.value.producer);
    if (f.time_ns >= 0) out += ", at " + seconds_text(f.time_ns - report.begin_ns);
    if (!f.detail.empty()) out += ": " + f.detail;
    return out;
}

void print_tables(const lab::Report& report) {
    Table table({"PARTITION", "SENT", "ACKED", "REFUSED", "IN DOUBT", "POLLED", "READ AT THE END",
                 "LONGEST GAP", "AT"});
    for (const auto& p : report.partitions)
        if (p.sent > 0)
            table.add({p.name, std::to_string(p.sent), std::to_string(p.acknowledged),
                       std::to_string(p.refused), std::to_string(p.in_doubt),
                       std::to_string(p.polled), std::to_string(p.drained),
                       seconds_text(p.longest_gap.length_ns),
                       seconds_text(p.longest_gap.from_ns - report.begin_ns)});
    table.print();
    std::printf("%" PRIu64 " events, %" PRIu64 " blocks of replicas compared\n", report.events,
                report.compared_blocks);
    for (const lab::Finding& f : report.findings.kept())
        std::printf("%s\n", text_of(f, report).c_str());
    for (size_t i = 0; i < lab::anomaly_names.size(); ++i)
        if (const uint64_t n = report.findings.count(static_cast<lab::Anomaly>(i)); n > 0)
            std::printf("%" PRIu64 " %s (%s)\n", n, std::string(lab::anomaly_names[i].name).c_str(),
                        std::string(lab::anomaly_names[i].meaning).c_str());
    if (report.good()) std::printf("no anomaly\n");
}

struct Check {
    Common common;
    std::vector<std::string> paths;

    base::Status run() const {
        ASSIGN_OR_RETURN(const lab::Report report, lab::check_files(paths));
        if (common.format == Format::json) print_json(json_of(report));
        else print_tables(report);
        if (!report.good()) return base::data_loss("the history has anomalies");
        return base::ok();
    }
};

/// "QyfQS8dCQ-uDpQ2wFrXMvg.3": the directory of a partition.
bool is_of_a_partition(const std::string& name) {
    const size_t dot = name.find('.');
    return dot != std::string::npos && base::Uuid::parse(name.substr(0, dot)) &&
           dot + 1 < name.size() &&
           name.find_first_not_of("0123456789", dot + 1) == std::string::npos;
}

struct Hash {
    std::string directory;
    std::string history;
    uint32_t node = 0;
    uint64_t run_number = 1;
    int64_t block_offsets = 1000;

    base::Status run() const {
        const auto disk = io::posix_disk();
        ASSIGN_OR_RETURN(const auto lock, disk->lock(directory));
        ASSIGN_OR_RETURN(const auto names, disk->list(directory));
        ASSIGN_OR_RETURN(const auto out, lab::HistoryFile::create(history, run_number));
        uint32_t partitions = 0;
        for (const std::string& name : names)
            if (is_of_a_partition(name)) RETURN_IF_ERROR(add(*disk, name, partitions++, *out));
        RETURN_IF_ERROR(out->flush());
        std::printf("hashed %s\n", counted(partitions, "partition").c_str());
        return base::ok();
    }

    base::Status add(io::Disk& disk, const std::string& name, uint32_t number,
                     lab::HistoryFile& out) const {
        out.add({.op = lab::Op::name_partition, .partition = number, .name = name});
        const auto block = [&](base::Offset begin, uint64_t hash) {
            out.add({.op = lab::Op::replica_hash,
                     .process = node,
                     .partition = number,
                     .offset = begin,
                     .hash = hash});
        };
        ASSIGN_OR_RETURN(const lab::ReplicaSummary found,
                         lab::hash_replica(disk, directory + "/" + name, block_offsets, block));
        out.add({.op = lab::Op::replica,
                 .process = node,
                 .partition = number,
                 .offset = found.start,
                 .until = found.end});
        return base::ok();
    }
};

}  // namespace

void add_lab(CLI::App& app, Chosen& chosen) {
    CLI::App* lab = app.add_subcommand("lab", "Check what clients of a cluster saw");
    lab->require_subcommand(1);

    auto [check, check_options] = add_command<Check>(
        *lab, chosen, "check", "Look for lost, doubled, reordered and other wrong messages");
    add_format_option(*check, check_options->common);
    check->add_option("HISTORY", check_options->paths, "Files of one run")->required();

    auto [hash, hash_options] =
        add_command<Hash>(*lab, chosen, "hash",
                          "Hash what a node that does not run has on disk, for check to compare");
    hash->add_option("DIRECTORY", hash_options->directory, "One of its log.dirs")->required();
    hash->add_option("HISTORY", hash_options->history, "The file to write")->required();
    hash->add_option("--node", hash_options->node, "Its id")->required();
    hash->add_option("--run", hash_options->run_number, "The run's number")->capture_default_str();
    hash->add_option("--block", hash_options->block_offsets, "Offsets in a block")
        ->check(at_least(1))
        ->capture_default_str();
}

}  // namespace cli
