#pragma once
#include <memory>
#include <string>
#include <vector>

#include "io/disk.h"

namespace io {

/// Another disk as it is. Derived classes say where theirs differs: one that watches, or one that
/// fails.
class DiskView : public Disk {
  public:
    explicit DiskView(Disk& disk) : disk_(disk) {}

    base::Result<std::unique_ptr<File>> open(const std::string& path, Open how) override {
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
        return disk_.sync_directory(path);
    }
    base::Result<std::vector<std::string>> list(const std::string& path) override {
        return disk_.list(path);
    }
    bool exists(const std::string& path) override { return disk_.exists(path); }
    base::Result<uint64_t> free_bytes(const std::string& path) override {
        return disk_.free_bytes(path);
    }
    base::Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) override {
        return disk_.lock(directory);
    }

  private:
    Disk& disk_;
};

}  // namespace io
