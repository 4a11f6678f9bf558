#include "cli/local/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <utility>

namespace cli::local {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view folder_prefix = "broker-";

std::string properties_text(int32_t id, const std::string& data_path, bool alone) {
    const std::string number = std::to_string(id);
    std::string out =
        "# One broker of a local cluster; `moldau local` adds its addresses when it starts it.\n"
        "# This file is made once: edit it, then `moldau local restart " +
        number +
        "`.\n"
        "process.roles=broker,controller\n"
        "node.id=" +
        number +
        "\n"
        "log.dirs=" +
        data_path + "\n";
    if (alone)
        out +=
            "# One broker holds the only replica of everything.\n"
            "default.replication.factor=1\n"
            "min.insync.replicas=1\n"
            "offsets.topic.replication.factor=1\n"
            "transaction.state.log.replication.factor=1\n"
            "transaction.state.log.min.isr=1\n";
    return out +
           "# Nobody else's group is disturbed on a machine of one's own.\n"
           "group.initial.rebalance.delay.ms=0\n";
}

}  // namespace

base::Status write_file(const std::string& path, const std::string& text) {
    const std::string beside = path + ".new";
    {
        std::ofstream out(beside, std::ios::trunc);
        out << text;
        if (!out.flush()) return base::internal("can't write " + beside);
    }
    std::error_code error;
    fs::rename(beside, path, error);
    return error ? base::internal("can't write " + path + ": " + error.message()) : base::ok();
}

BrokerFolder::BrokerFolder(const std::string& cluster_path, int32_t id)
    : cluster_path_(cluster_path),
      path_(cluster_path + "/" + std::string(folder_prefix) + std::to_string(id)),
      id_(id) {}

base::Status BrokerFolder::prepare(bool alone) const {
    std::error_code error;
    fs::create_directories(data_path(), error);
    if (error) return base::internal("can't make " + data_path() + ": " + error.message());
    if (fs::exists(properties_path())) return base::ok();
    return write_file(properties_path(), properties_text(id_, data_path(), alone));
}

base::Result<LaunchSettings> BrokerFolder::settings() const {
    const std::string path = path_ + "/launch.json";
    std::ifstream in(path);
    const auto json = nlohmann::json::parse(in, nullptr, false);
    if (json.is_discarded() || !json.contains("port") || !json["port"].is_number_unsigned() ||
        json["port"] > UINT16_MAX || !json.contains("set") || !json["set"].is_array())
        return base::not_found("broker " + std::to_string(id_) + " was never started: " + path +
                               " can't be read");
    LaunchSettings out;
    out.port = json["port"];
    const auto controller = json.find("controller_port");  // not there in older files
    if (controller != json.end() && controller->is_number_unsigned() && *controller <= UINT16_MAX)
        out.controller_port = *controller;
    for (const auto& one : json["set"])
        if (one.is_string()) out.set.push_back(one);
    return out;
}

base::Status BrokerFolder::remember(const LaunchSettings& settings, const Process& process) const {
    const nlohmann::json json{{"port", settings.port},
                              {"controller_port", settings.controller_port},
                              {"set", settings.set}};
    RETURN_IF_ERROR(write_file(path_ + "/launch.json", json.dump() + "\n"));
    return write_file(path_ + "/broker.pid", process.text());
}

std::optional<Process> BrokerFolder::process() const {
    std::ifstream in(path_ + "/broker.pid");
    const auto named = Process::parse({std::istreambuf_iterator<char>(in), {}});
    return named && look(*named) ? named : std::nullopt;
}

void BrokerFolder::forget_process() const {
    std::error_code ignored;  // it may never have been there
    fs::remove(path_ + "/broker.pid", ignored);
}

bool BrokerFolder::has_pid_file() const {
    std::error_code unseen;
    return fs::exists(path_ + "/broker.pid", unseen);
}

uint64_t BrokerFolder::log_bytes() const {
    std::error_code error;
    const uintmax_t size = fs::file_size(log_path(), error);
    return error ? 0 : size;
}

std::string BrokerFolder::log_tail(uint64_t from, size_t lines) const {
    std::ifstream in(log_path());
    in.seekg(static_cast<std::streamoff>(from));
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(std::move(line));
    std::string out;
    for (size_t i = all.size() - std::min(all.size(), lines); i < all.size(); ++i)
        out += "\n" + all[i];
    return out;
}

base::Result<CommandLock> CommandLock::take(const std::string& cluster_path) {
    const std::string path = cluster_path + "/lock";
    const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) return base::internal("can't open " + path + ": " + std::strerror(errno));
    CommandLock out(descriptor);
    constexpr std::chrono::seconds patience{10};
    constexpr std::chrono::milliseconds pause{20};
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (std::chrono::steady_clock::now() > deadline)
            return base::precondition("another `moldau local` command is at work on " +
                                      cluster_path + "\nWait until it has ended, then try again.");
        std::this_thread::sleep_for(pause);
    }
    return out;
}

CommandLock::CommandLock(CommandLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

CommandLock::~CommandLock() {
    if (descriptor_ >= 0) close(descriptor_);
}

base::Result<std::vector<BrokerFolder>> find_brokers(const std::string& cluster_path) {
    std::vector<BrokerFolder> out;
    std::error_code error;
    for (fs::directory_iterator entry(cluster_path, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename();
        if (!name.starts_with(folder_prefix)) continue;
        int32_t id = -1;
        const char* const last = name.data() + name.size();
        const auto [at, bad] = std::from_chars(name.data() + folder_prefix.size(), last, id);
        if (bad == std::errc{} && at == last && id >= 0) out.emplace_back(cluster_path, id);
    }
    if (out.empty())
        return base::not_found("there is no local cluster in " + cluster_path +
                               "\nTo start one: moldau local start. To name its directory: --dir.");
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id() < b.id(); });
    return out;
}

}  // namespace cli::local
