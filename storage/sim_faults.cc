#include "storage/sim_faults.h"

#include "storage/checkpoint.h"
#include "storage/segment.h"

namespace storage {

namespace {

class SeenDisk final : public io::Disk {
  public:
    SeenDisk(io::MemoryDisk& disk, Mutant mutant) : disk_(disk), mutant_(mutant) {}

    base::Result<std::unique_ptr<io::File>> open(const std::string& path, io::Open how) override {
        return disk_.open(path, how);
    }
    base::Status remove(const std::string& path) override { return disk_.remove(path); }
    base::Status remove_all(const std::string& path) override { return disk_.remove_all(path); }
    base::Status rename(const std::string& from, const std::string& to) override {
        return disk_.rename(from, to);
    }
    base::Status make_directories(const std::string& path) override {
        return disk_.make_directories(path);
    }
    base::Status sync_directory(const std::string& path) override {
        return mutant_ == Mutant::no_directory_sync ? base::ok() : disk_.sync_directory(path);
    }
    base::Result<std::vector<std::string>> list(const std::string& path) override {
        return disk_.list(path);
    }
    bool exists(const std::string& path) override { return disk_.exists(path); }
    base::Result<uint64_t> free_bytes(const std::string& path) override {
        return disk_.free_bytes(path);
    }
    base::Result<std::unique_ptr<io::DirectoryLock>> lock(const std::string& path) override {
        return disk_.lock(path);
    }

  private:
    io::MemoryDisk& disk_;
    Mutant mutant_;
};

class SeenStore final : public Store {
  public:
    SeenStore(MemoryStore& store, io::MemoryDisk& disk, Mutant mutant)
        : store_(store), disk_(disk), mutant_(mutant) {}

    base::Status write(const WriteBatch& batch, Durability durability) override {
        if (mutant_ != Mutant::checkpoint_ahead) return store_.write(batch, durability);
        WriteBatch ahead;
        for (const auto& [key, value] : batch.rows()) {
            if (!value) {
                ahead.remove(key);
                continue;
            }
            auto row = Checkpoint::parse(*value);
            ahead.put(key, row.ok() ? move_ahead(*row).serialize() : *value);
        }
        return store_.write(ahead, durability);
    }
    base::Result<std::optional<std::string>> get(std::string_view key) const override {
        return store_.get(key);
    }
    base::Status scan(
        std::string_view prefix,
        const std::function<bool(std::string_view, std::string_view)>& row) const override {
        return store_.scan(prefix, row);
    }

  private:
    /// To the end of the segment that the recovery point lies in, synced or not.
    Checkpoint move_ahead(Checkpoint row) {
        auto& mark = row.recovery;
        auto file = disk_.open("data/topic-0/" + segment_name(mark.segment), io::Open::read_only);
        if (!file.ok()) return row;
        Scan scan(**file, mark.position, (*file)->size(), Scan::Depth::headers);
        for (auto more = scan.next(); more.ok() && *more; more = scan.next()) {
            mark.offset = scan.header().next_offset();
            mark.position = scan.end();
            mark.newest = std::max(mark.newest, scan.header().max_timestamp());
        }
        return row;
    }

    MemoryStore& store_;
    io::MemoryDisk& disk_;
    Mutant mutant_;
};

}  // namespace

std::unique_ptr<io::Disk> see_disk(io::MemoryDisk& disk, Mutant mutant) {
    return std::make_unique<SeenDisk>(disk, mutant);
}

std::unique_ptr<Store> see_store(MemoryStore& store, io::MemoryDisk& disk, Mutant mutant) {
    return std::make_unique<SeenStore>(store, disk, mutant);
}

}  // namespace storage
