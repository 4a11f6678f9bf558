#include "cli/local/faults.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/local/folder.h"

namespace cli::local {

Cut Cut::between(int32_t one, int32_t other) {
    return {std::min(one, other), std::max(one, other)};
}

std::vector<Cut> Faults::read() const {
    std::vector<Cut> out;
    std::ifstream in(path_);
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        int32_t one = -1, other = -1;
        std::string more;
        if (words >> one >> other && !(words >> more) && one >= 0 && other >= 0 && one != other)
            out.push_back(Cut::between(one, other));
    }
    std::ranges::sort(out);
    const auto twice = std::ranges::unique(out);
    out.erase(twice.begin(), twice.end());
    return out;
}

base::Status Faults::write(const std::vector<Cut>& cuts) const {
    std::string text;
    for (const Cut& cut : cuts) text += std::to_string(cut.a) + " " + std::to_string(cut.b) + "\n";
    return write_file(path_, text);
}

base::Result<bool> Faults::cut(Cut which) const {
    auto cuts = read();
    if (std::ranges::find(cuts, which) != cuts.end()) return false;
    cuts.push_back(which);
    std::ranges::sort(cuts);
    RETURN_IF_ERROR(write(cuts));
    return true;
}

base::Result<bool> Faults::heal(Cut which) const {
    auto cuts = read();
    if (std::erase(cuts, which) == 0) return false;
    RETURN_IF_ERROR(write(cuts));
    return true;
}

base::Status Faults::heal_all() const {
    std::error_code unseen;
    if (!std::filesystem::exists(path_, unseen)) return base::ok();
    return write({});
}

}  // namespace cli::local
