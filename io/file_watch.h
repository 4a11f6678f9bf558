#pragma once
#include <filesystem>
#include <memory>

#include "base/function.h"
#include "base/status.h"
#include "io/shard.h"

namespace io {

/// Tells when a file may have changed: it was written and closed, or took another's place by a
/// rename. It need not exist yet, but its folder does. Costs nothing while nothing changes.
class FileWatch {
  public:
    /// `changed` runs on the shard, until this is destroyed, there too but not by it. kNotFound,
    /// kResourceExhausted and others as the system tells them.
    static base::Result<std::unique_ptr<FileWatch>> start(Shard&, const std::filesystem::path&,
                                                          base::Function<void()> changed);
    ~FileWatch();

  private:
    struct State;
    explicit FileWatch(std::shared_ptr<State>);
    std::shared_ptr<State> state_;
};

}  // namespace io
