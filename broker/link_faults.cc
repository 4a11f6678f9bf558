#include "broker/link_faults.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include "spdlog/spdlog.h"

namespace broker {

namespace {

std::set<int32_t> cut_from(const std::string& faults, int32_t self) {
    std::set<int32_t> out;
    std::istringstream lines(faults);
    for (int32_t a = 0, b = 0; lines >> a >> b;) {
        if (a == self) out.insert(b);
        if (b == self) out.insert(a);
    }
    return out;
}

}  // namespace

base::Result<std::unique_ptr<LinkFaults>> LinkFaults::start(
    io::Shard& shard, const std::string& file, int32_t self,
    std::function<void(const std::set<int32_t>&)> cut) {
    std::unique_ptr<LinkFaults> out(new LinkFaults(file, self, std::move(cut)));
    ASSIGN_OR_RETURN(out->watch_,
                     io::FileWatch::start(shard, file, [faults = out.get()] { faults->look(); }));
    shard.run([faults = out.get()] { faults->look(); });
    return out;
}

void LinkFaults::look() {
    std::ifstream in(file_);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (text == seen_) return;
    seen_ = text;
    const auto cut = cut_from(seen_, self_);
    cut_(cut);
    spdlog::warn("cut off from {} nodes, as {} says", cut.size(), file_);
}

}  // namespace broker
