#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/function.h"
#include "base/status.h"
#include "lab/checker.h"
#include "lab/history.h"

namespace lab {

/// Writes a history to a file; the threads of a process share it.
class HistoryFile {
  public:
    /// An existing file is replaced.
    static base::Result<std::unique_ptr<HistoryFile>> create(const std::string& path, uint64_t run);
    ~HistoryFile();
    HistoryFile(const HistoryFile&) = delete;
    HistoryFile& operator=(const HistoryFile&) = delete;

    /// Notes the event as of now.
    void add(Event);
    /// Everything so far is in the file. The first failure to write is told here.
    base::Status flush();
    uint64_t run() const { return run_; }

  private:
    HistoryFile(int descriptor, uint64_t run);
    void write_out();

    const int descriptor_;
    const uint64_t run_;
    std::mutex mutex_;
    HistoryEncoder encoder_;
    base::Status health_;
};

/// Calls `each` for the events of all files in the order of their times, with partitions numbered
/// by their names across the files. Stops at the first failure, which names the file.
base::Status read_histories(const std::vector<std::string>& paths,
                            base::Function<base::Status(const Event&)> each);

/// Reads and checks the histories of one run.
base::Result<Report> check_files(const std::vector<std::string>& paths);

}  // namespace lab
