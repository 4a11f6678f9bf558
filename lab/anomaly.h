#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "lab/history.h"

namespace lab {

/// What must never be found in a history. A new rule gets a line here and one in `anomaly_names`.
enum class Anomaly : uint8_t {
    lost,
    unseen,
    duplicate,
    divergence,
    ack_mismatch,
    phantom,
    misrouted,
    corrupt,
    failed_but_present,
    producer_reorder,
    real_time_reorder,
    poll_non_monotone,
    poll_skip,
    vanished_read,
    high_watermark_regress,
    group_loss,
    commit_regress,
    double_owner,
    zombie_commit,
    replica_hash,
    undrained,
};

struct AnomalyName {
    std::string_view name;
    std::string_view meaning;
};
inline constexpr std::array anomaly_names{
    AnomalyName{"lost", "acknowledged, and not there in the end"},
    AnomalyName{"unseen", "acknowledged and there, but no consumer ever got it"},
    AnomalyName{"duplicate", "one value at two offsets"},
    AnomalyName{"divergence", "two values at one offset"},
    AnomalyName{"ack mismatch", "acknowledged at an offset at which it is not"},
    AnomalyName{"phantom", "read, but never sent"},
    AnomalyName{"misrouted", "read from a partition that it was not sent to"},
    AnomalyName{"corrupt", "read with a bad checksum"},
    AnomalyName{"failed but present", "refused for certain, and yet there"},
    AnomalyName{"producer reorder", "of one producer, sent later and yet at a lower offset"},
    AnomalyName{"real-time reorder",
                "sent after another was acknowledged, and yet at a lower offset"},
    AnomalyName{"poll non-monotone", "a consumer went back without a new assignment"},
    AnomalyName{"poll skip", "a consumer jumped over offsets"},
    AnomalyName{"vanished read", "a consumer got it, and later it was gone or another"},
    AnomalyName{"high watermark regress", "the end that was told is lower than what was there"},
    AnomalyName{"group loss", "committed past it, though no member of the group got it"},
    AnomalyName{"commit regress", "a group's committed offset went back"},
    AnomalyName{"double owner", "two members owned a partition in one generation"},
    AnomalyName{"zombie commit", "a commit of an old generation was taken"},
    AnomalyName{"replica hash", "replicas differ"},
    AnomalyName{"undrained", "written to, but not read to its end: losses would not be seen"},
};

constexpr const AnomalyName& name_of(Anomaly a) { return anomaly_names[static_cast<size_t>(a)]; }

/// One case of it. What is not known, or has no meaning for the anomaly, is -1 or nothing.
struct Finding {
    Anomaly anomaly = Anomaly::lost;
    uint32_t partition = 0;
    base::Offset offset = -1;
    bool has_value = false;
    Value value;
    int64_t time_ns = -1;
    std::string detail;
};

/// Counts all, and keeps the first few of each kind.
class Findings {
  public:
    static constexpr size_t kept_of_each = 20;

    void add(Finding);
    uint64_t count(Anomaly a) const { return counts_[static_cast<size_t>(a)]; }
    const std::vector<Finding>& kept() const { return kept_; }
    bool none() const { return kept_.empty(); }

  private:
    std::array<uint64_t, anomaly_names.size()> counts_{};
    std::vector<Finding> kept_;
};

}  // namespace lab
