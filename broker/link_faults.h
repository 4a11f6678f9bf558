#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/status.h"
#include "io/file_watch.h"
#include "io/shard.h"

namespace broker {

/// What `moldau local cut` has written: a file whose lines "A B" name two nodes that can't reach
/// each other. Tells from which nodes this one is cut off, at the start and whenever it changes.
class LinkFaults {
  public:
    /// `cut` runs on the shard, as long as this lives; it is destroyed there too. Fails as
    /// io::FileWatch.
    static base::Result<std::unique_ptr<LinkFaults>> start(
        io::Shard&, const std::string& file, int32_t self,
        std::function<void(const std::set<int32_t>&)> cut);

  private:
    LinkFaults(std::string file, int32_t self, std::function<void(const std::set<int32_t>&)> cut)
        : file_(std::move(file)), self_(self), cut_(std::move(cut)) {}
    void look();

    const std::string file_;
    const int32_t self_;
    const std::function<void(const std::set<int32_t>&)> cut_;
    std::string seen_;
    std::unique_ptr<io::FileWatch> watch_;
};

}  // namespace broker
