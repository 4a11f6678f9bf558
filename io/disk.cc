#include "io/disk.h"

namespace io {

namespace {

std::string parent_of(const std::string& path) {
    size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

base::Status write_synced(Disk& disk, const std::string& path, base::View content) {
    ASSIGN_OR_RETURN(auto file, disk.open(path, Open::create));
    // A crash may have left one behind.
    if (file->size() > 0) RETURN_IF_ERROR(file->truncate(0));
    RETURN_IF_ERROR(file->append({&content, 1}));
    return file->sync();
}

}  // namespace

base::Result<base::Bytes> read_file(Disk& disk, const std::string& path, size_t most) {
    ASSIGN_OR_RETURN(auto file, disk.open(path, Open::read_only));
    uint64_t size = file->size();
    if (size > most)
        return base::data_loss(path + ": " + std::to_string(size) + " bytes, expected at most " +
                               std::to_string(most));
    base::Bytes content(size);
    ASSIGN_OR_RETURN(size_t read, file->read_at(0, content));
    if (read != size) return base::data_loss(path + ": shorter than its size");
    return content;
}

base::Status replace_file(Disk& disk, const std::string& path, base::View content) {
    std::string beside = path + ".new";
    if (auto status = write_synced(disk, beside, content); !status.ok()) {
        // Frees the space; the error that counts is the first.
        disk.remove(beside).IgnoreError();
        return status;
    }
    RETURN_IF_ERROR(disk.rename(beside, path));
    return disk.sync_directory(parent_of(path));
}

}  // namespace io
