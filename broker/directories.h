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
    /// Marks those that have no mark yet, and names those that have no id. kFailedPrecondition if
    /// they are another cluster's.
    base::Status belong_to(const std::string& cluster_id);
    /// What tells a log directory from another in its place, as on a new disk (KIP-858); in the
    /// order of the settings. They have one once they belong to a cluster.
    std::vector<base::Uuid> log_dir_ids() const;

  private:
    struct Mark {
        bool there = false;
        std::string cluster_id;
        std::string node_id;
        base::Uuid id;  // zero: one of an older version
    };
    struct Directory {
        std::string path;
        Mark mark;
    };

    Directories(io::Disk& disk, const Settings& settings)
        : disk_(disk), id_(settings.id), log_dirs_(settings.log_dirs) {}
    base::Status take(const std::string& path);
    base::Result<Mark> read_mark(const std::string& path);

    io::Disk& disk_;
    const base::BrokerId id_;
    std::string cluster_id_;
    std::vector<std::unique_ptr<io::DirectoryLock>> locks_;
    const std::vector<std::string> log_dirs_;
    std::vector<Directory> directories_;
};

}  // namespace broker
