#include "storage/sim_faults.h"

#include "io/disk_view.h"
#include "storage/checkpoint.h"
#include "storage/segment.h"

namespace storage {

namespace {

class SeenDisk final : public io::DiskView {
  public:
    SeenDisk(io::MemoryDisk& disk, Mutant mutant) : DiskView(disk), mutant_(mutant) {}

    base::Status sync_directory(const std::string& path) override {
        return mutant_ == Mutant::no_directory_sync ? base::ok() : DiskView::sync_directory(path);
    }

  private:
    const Mutant mutant_;
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
