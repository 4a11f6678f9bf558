#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace io {

/// An open file. Appends and truncation come from its one owner; read_at and sync may be called
/// from any thread beside them.
class File {
  public:
    virtual ~File() = default;

    /// Appends the pieces in order. After an error some prefix of them may be there: the owner
    /// truncates back to the size it knows, or stops using the file.
    /// kResourceExhausted: no space left. kUnavailable: the disk is fenced.
    virtual base::Status append(std::span<const base::View> pieces) = 0;
    /// Fills `to` from `position`; the count is short only where the file ends.
    virtual base::Result<size_t> read_at(uint64_t position, base::MutableView to) const = 0;
    /// Makes everything appended so far survive power loss (fdatasync). After an error the content
    /// of the page cache can't be trusted: the caller fences the directory and never tries again.
    virtual base::Status sync() = 0;
    virtual base::Status truncate(uint64_t size) = 0;
    /// Bytes, as appended; known without a system call.
    virtual uint64_t size() const = 0;
    /// For sendfile; -1 where there is none.
    virtual int descriptor() const { return -1; }
    virtual const std::string& path() const = 0;
};

enum class Open : uint8_t {
    existing,    // kNotFound if it is not there
    create,      // existing or new
    create_new,  // kAlreadyExists if it is there
    read_only,
};

/// Held while a directory is in use by one process; released when destroyed.
class DirectoryLock {
  public:
    virtual ~DirectoryLock() = default;
};

/// The file system as seen by everything above: the real one (posix_disk.h), or one in memory that
/// loses unsynced bytes, tears writes, fills up and fails on command (memory_disk.h).
/// Callable from any thread. Paths use '/'.
class Disk {
  public:
    virtual ~Disk() = default;

    virtual base::Result<std::unique_ptr<File>> open(const std::string& path, Open how) = 0;
    virtual base::Status remove(const std::string& path) = 0;
    /// Removes a directory and all in it; ok if it is not there.
    virtual base::Status remove_all(const std::string& path) = 0;
    /// Replaces `to` if it exists. Durable after sync_directory of the parent.
    virtual base::Status rename(const std::string& from, const std::string& to) = 0;
    /// With parents; ok if it exists.
    virtual base::Status make_directories(const std::string& path) = 0;
    /// Makes the creation, renaming and removal of entries of `path` survive power loss.
    virtual base::Status sync_directory(const std::string& path) = 0;
    /// Names (not paths) of all entries, sorted.
    virtual base::Result<std::vector<std::string>> list(const std::string& path) = 0;
    virtual bool exists(const std::string& path) = 0;
    virtual base::Result<uint64_t> free_bytes(const std::string& path) = 0;
    /// kFailedPrecondition if another process holds it.
    virtual base::Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) = 0;
};

/// Reads a small file whole. kDataLoss if it is larger than `most` bytes.
base::Result<base::Bytes> read_file(Disk&, const std::string& path, size_t most);
/// Replaces a small file so that a crash leaves the old or the new content: writes beside it,
/// syncs, renames, syncs the directory.
base::Status replace_file(Disk&, const std::string& path, base::View content);

}  // namespace io
