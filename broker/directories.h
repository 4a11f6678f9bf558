#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "broker/settings.h"
#include "io/disk.h"

namespace broker {

/// The directories of a node, each held under a lock and marked with whose it is: a file
/// `meta.properties` with cluster.id and node.id. A directory of another cluster or node is
/// refused, and nothing in it is touched.
class Directories {
  public:
    /// Makes directories that are missing. kFailedPrecondition, with both ids, if one is another
    /// cluster's or node's or in use; kDataLoss if data is there but the metadata directory is
    /// bare or lost its store.
    static base::Result<std::unique_ptr<Directories>> open(io::Disk&, const Settings&);

    /// Where the store of metadata and checkpoints lies.
    static std::string store_path(const Settings& settings) {
        return settings.metadata_dir + "/store";
    }

    /// As the marks or the configuration say; empty: not decided yet.
    const std::string& cluster_id() const { return cluster_id_; }
    /// Marks those that have no mark yet. kFailedPrecondition if they are another cluster's.
    base::Status belong_to(const std::string& cluster_id);

  private:
    struct Mark {
        bool there = false;
        std::string cluster_id;
        std::string node_id;
    };

    Directories(io::Disk& disk, base::BrokerId id) : disk_(disk), id_(id) {}
    base::Status take(const std::string& path);
    base::Result<Mark> read_mark(const std::string& path);

    io::Disk& disk_;
    const base::BrokerId id_;
    std::string cluster_id_;
    std::vector<std::unique_ptr<io::DirectoryLock>> locks_;
    std::vector<std::string> unmarked_;
};

}  // namespace broker
