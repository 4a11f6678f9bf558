#include "broker/directories.h"

#include <algorithm>

#include "absl/random/random.h"
#include "metadata/server_properties.h"
#include "spdlog/spdlog.h"

namespace broker {

namespace {

constexpr char mark_name[] = "/meta.properties";

base::Status mismatch(const std::string& path, const char* what, const std::string& found,
                      const std::string& expected) {
    return base::precondition(path + " belongs to " + what + " " + found + ", but this is " + what +
                              " " + expected +
                              ". Nothing was changed. Name another directory, or "
                              "configure the node as it was.");
}

/// Makes the directory, and its entry and those above it survive power loss: without that, what is
/// synced in it is lost with it. What is there already may have been made by a process that died
/// before it could sync it; but it may also be somebody else's, in a place that can't be synced.
base::Status make_durable(io::Disk& disk, const std::string& path) {
    if (path == "/" || path == ".") return base::ok();
    const auto slash = path.find_last_of('/');
    std::string parent = ".";
    if (slash != std::string::npos) parent = slash == 0 ? "/" : path.substr(0, slash);
    const bool there = disk.exists(path);
    RETURN_IF_ERROR(make_durable(disk, parent));
    RETURN_IF_ERROR(disk.make_directories(path));
    const auto synced = disk.sync_directory(parent);
    if (synced.ok() || !there) return synced;
    spdlog::warn("{}: {}. A power loss soon may lose the directory.", path, base::message(synced));
    return base::ok();
}

}  // namespace

base::Result<std::unique_ptr<Directories>> Directories::open(io::Disk& disk,
                                                             const Settings& settings) {
    std::unique_ptr<Directories> out(new Directories(disk, settings));
    std::vector<std::string> paths = {settings.metadata_dir};
    for (const auto& dir : settings.log_dirs)
        if (std::find(paths.begin(), paths.end(), dir) == paths.end()) paths.push_back(dir);
    out->cluster_id_ = settings.cluster_id;
    for (const auto& path : paths) RETURN_IF_ERROR(out->take(path));
    const auto bare = [](const Directory& d) { return !d.mark.there; };
    const bool no_metadata = bare(out->directories_.front());
    if (no_metadata && !std::ranges::all_of(out->directories_, bare))
        return base::data_loss(
            "other directories of this node hold data, but its metadata directory " +
            settings.metadata_dir +
            " is bare: the list of topics is gone. Restore "
            "it, or empty the others as well to begin anew.");
    // The mark is written when the store is there; without this file of its RocksDB it is not.
    if (!no_metadata && !disk.exists(store_path(settings) + "/CURRENT"))
        return base::data_loss(
            settings.metadata_dir + " holds data, but not " + store_path(settings) +
            ": the list of topics is gone. Restore it, or empty the directory to begin anew.");
    return out;
}

base::Status Directories::take(const std::string& path) {
    if (!disk_.exists(path + mark_name)) RETURN_IF_ERROR(make_durable(disk_, path));
    ASSIGN_OR_RETURN(auto lock, disk_.lock(path));
    locks_.push_back(std::move(lock));
    ASSIGN_OR_RETURN(const Mark mark, read_mark(path));
    directories_.push_back({path, mark});
    if (!mark.there) return base::ok();
    if (mark.node_id != std::to_string(id_.value))
        return mismatch(path, "node", mark.node_id, std::to_string(id_.value));
    if (cluster_id_.empty()) cluster_id_ = mark.cluster_id;
    if (mark.cluster_id != cluster_id_)
        return mismatch(path, "cluster", mark.cluster_id, cluster_id_);
    return base::ok();
}

base::Result<Directories::Mark> Directories::read_mark(const std::string& path) {
    if (!disk_.exists(path + mark_name)) return Mark{};
    ASSIGN_OR_RETURN(const auto content, io::read_file(disk_, path + mark_name, 4096));
    const auto properties = metadata::parse_properties(base::as_text(content));
    if (!properties.ok())
        return base::data_loss(path + mark_name + ": " + base::message(properties.status()));
    Mark mark{.there = true};
    for (const auto& p : *properties) {
        if (p.key == "version" && p.value != "1")
            return base::precondition(path + mark_name + ": format " + p.value +
                                      " is newer than this program, which knows format 1");
        if (p.key == "cluster.id") mark.cluster_id = p.value;
        if (p.key == "node.id") mark.node_id = p.value;
        if (p.key != "directory.id") continue;
        const auto id = base::Uuid::parse(p.value);
        if (!id) return base::data_loss(path + mark_name + ": directory.id is no id");
        mark.id = *id;
    }
    if (mark.cluster_id.empty() || mark.node_id.empty())
        return base::data_loss(path + mark_name + ": cluster.id or node.id is missing");
    return mark;
}

base::Status Directories::belong_to(const std::string& cluster_id) {
    if (!cluster_id_.empty() && cluster_id_ != cluster_id) {
        const auto bare =
            std::ranges::find(directories_, false, [](const Directory& d) { return d.mark.there; });
        return mismatch(bare == directories_.end() ? "the metadata" : bare->path, "cluster",
                        cluster_id, cluster_id_);
    }
    cluster_id_ = cluster_id;
    absl::BitGen random;
    for (auto& [path, mark] : directories_) {
        if (mark.there && !mark.id.is_zero()) continue;
        mark = {true, cluster_id, std::to_string(id_.value),
                base::Uuid::from_random(random(), random())};
        const std::string text = "version=1\ncluster.id=" + cluster_id +
                                 "\nnode.id=" + mark.node_id +
                                 "\ndirectory.id=" + mark.id.to_string() + "\n";
        RETURN_IF_ERROR(io::replace_file(disk_, path + mark_name, base::as_bytes(text)));
    }
    return base::ok();
}

std::vector<base::Uuid> Directories::log_dir_ids() const {
    std::vector<base::Uuid> out;
    for (const auto& dir : log_dirs_)
        out.push_back(std::ranges::find(directories_, dir, &Directory::path)->mark.id);
    return out;
}

}  // namespace broker
