#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "io/disk.h"

namespace io {

struct MemoryDiskState;

/// A disk in memory that fails as real ones do. Everything is decided by seeds, so that a test's
/// run can be repeated. A new disk holds the root directory alone; relative paths start there.
///
/// A power loss or a process crash leaves this disk and its open files as they are and returns what
/// the next start would find, as a disk of its own: one schedule can be crashed at many points.
class MemoryDisk : public Disk {
  public:
    /// What can be made to fail, and is counted.
    enum class Operation : uint8_t {
        open,
        read,
        append,
        truncate,
        sync,
        sync_directory,
        rename,
        remove
    };

    explicit MemoryDisk(uint64_t seed = 0);
    ~MemoryDisk() override;

    base::Result<std::unique_ptr<File>> open(const std::string& path, Open how) override;
    base::Status remove(const std::string& path) override;
    base::Status remove_all(const std::string& path) override;
    base::Status rename(const std::string& from, const std::string& to) override;
    base::Status make_directories(const std::string& path) override;
    base::Status sync_directory(const std::string& path) override;
    base::Result<std::vector<std::string>> list(const std::string& path) override;
    bool exists(const std::string& path) override;
    base::Result<uint64_t> free_bytes(const std::string& path) override;
    base::Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) override;

    /// What a power loss now could leave (`seed` decides): of unsynced content see
    /// VolatileBytes::after_power_loss; of directory entries created, renamed or removed since
    /// their directory was synced, those up to some moment (as a journal keeps them), or any subset
    /// (which POSIX allows). Syncing a file does not make its entry durable.
    std::unique_ptr<MemoryDisk> after_power_loss(uint64_t seed) const;
    /// What kill -9 leaves: everything written, still unsynced; no locks.
    std::unique_ptr<MemoryDisk> after_process_crash() const;

    /// Bytes that all files together may hold. The append that goes beyond fills what is left and
    /// returns kResourceExhausted.
    void set_capacity(uint64_t bytes);
    /// Makes the `nth` operation of the kind from now (1: the next) fail with kUnavailable (EIO),
    /// and those after it until `times` have failed; only on paths that contain `path_part`. A
    /// failing append leaves a random part of itself; a failing sync loses blocks for ever, though
    /// they can be read and later syncs succeed.
    void fail(Operation, uint64_t nth = 1, uint64_t times = 1, std::string path_part = {});
    /// Forgets the faults that `fail` and `stop_after` ordered, and the capacity.
    void heal();
    /// After `changes` more operations that change something, nothing works any more: all return
    /// kUnavailable. With after_power_loss, a crash at any step inside the code under test.
    void stop_after(uint64_t changes);
    /// Operations so far that changed something; stop_after(0 … changes of a whole run) covers
    /// them.
    uint64_t changes() const;
    /// Operations of the kind so far, failed ones included.
    uint64_t count(Operation) const;
    /// Flips bit 0…7 of a byte, in what is read and on the medium.
    void flip_bit(const std::string& path, uint64_t offset, unsigned bit);

  private:
    explicit MemoryDisk(std::shared_ptr<MemoryDiskState> state);
    std::shared_ptr<MemoryDiskState> state_;  // open files share it
};

}  // namespace io
