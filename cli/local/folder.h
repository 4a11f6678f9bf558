#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/local/process.h"

namespace cli::local {

/// How a broker was started last, so that it can be started again alike.
struct LaunchSettings {
    uint16_t port = 0;             // of the Kafka protocol, on 127.0.0.1
    uint16_t controller_port = 0;  // of the gRPC listener there; 0: none
    std::vector<std::string> set;  // key=value, over server.properties
};

/// Replaces a file so that a reader sees the old or the new content.
base::Status write_file(const std::string& path, const std::string& text);

/// What `moldau local` keeps of one broker: DIR/broker-ID with
///   server.properties  made at the first start, then the user's to edit
///   data/              the broker's log directory
///   broker.log         standard output and error
///   broker.pid         Process::text() of the process started last
///   launch.json        LaunchSettings of that process
class BrokerFolder {
  public:
    BrokerFolder(const std::string& cluster_path, int32_t id);

    int32_t id() const { return id_; }
    const std::string& cluster_path() const { return cluster_path_; }
    std::string properties_path() const { return path_ + "/server.properties"; }
    std::string data_path() const { return path_ + "/data"; }
    std::string log_path() const { return path_ + "/broker.log"; }

    /// Makes the folder, and server.properties unless it is there; `alone`: as the only broker.
    base::Status prepare(bool alone) const;
    base::Result<LaunchSettings> settings() const;
    base::Status remember(const LaunchSettings& settings, const Process& process) const;
    /// The broker's process, if it is there.
    std::optional<Process> process() const;
    /// Takes the pid file away: the broker was stopped, and is not expected to come back.
    void forget_process() const;
    /// Whether the broker runs, or ended in another way than by being stopped.
    bool has_pid_file() const;
    /// The last lines of broker.log from byte `from` on.
    std::string log_tail(uint64_t from, size_t lines) const;
    uint64_t log_bytes() const;

  private:
    std::string cluster_path_;
    std::string path_;
    int32_t id_;
};

/// Held by a command while it changes what runs in a directory.
class CommandLock {
  public:
    /// kFailedPrecondition if another command holds it for too long.
    static base::Result<CommandLock> take(const std::string& cluster_path);
    CommandLock(CommandLock&& other) noexcept;
    CommandLock& operator=(CommandLock&&) = delete;
    ~CommandLock();

  private:
    explicit CommandLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

/// The brokers that have a folder, by id. kNotFound: there is no cluster in that directory.
base::Result<std::vector<BrokerFolder>> find_brokers(const std::string& cluster_path);

}  // namespace cli::local
