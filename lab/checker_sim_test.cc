// Correct histories pass, and each way to go wrong is called by its name, by seed.
// Replay: `checker_sim --seeds 4711..4711`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "base/sim/seed_tests.h"
#include "lab/checker.h"
#include "lab/sim/corruptions.h"
#include "lab/sim/fake_run.h"

namespace lab {
namespace {

constexpr uint64_t usual_seeds = 200;

base::Result<Report> checked(const std::vector<Event>& events) {
    Checker checker;
    for (const Event& e : events) RETURN_IF_ERROR(checker.add(e));
    return checker.finish();
}

std::string text(const Report& report) {
    std::string out;
    for (const Finding& f : report.findings.kept())
        out += "\n  " + std::string(name_of(f.anomaly).name) + " in " +
               report.partition(f.partition) + " at " + std::to_string(f.offset) + " " + f.detail;
    return out;
}

TEST(CheckerSim, ACorrectRunPasses) {
    base::sim::expect_each(base::sim::seeds_or(usual_seeds), [](uint64_t seed) -> std::string {
        const auto report = checked(sim::fake_run(seed));
        if (!report.ok()) return base::message(report.status());
        return report->good() ? "" : text(*report);
    });
}

/// Empty if it is found, called by its name, and nothing else is made of it.
std::string caught(const sim::Corruption& corruption, const std::vector<Event>& events) {
    const auto report = checked(events);
    if (!report.ok()) return base::message(report.status());
    if (report->findings.count(corruption.caught_as) == 0) return "not caught" + text(*report);
    std::set<Anomaly> expected(corruption.may_follow.begin(), corruption.may_follow.end());
    expected.insert(corruption.caught_as);
    for (const Finding& f : report->findings.kept())
        if (!expected.contains(f.anomaly)) return "more than expected" + text(*report);
    return "";
}

TEST(CheckerSim, EveryCorruptionIsCalledByItsName) {
    std::map<std::string_view, uint64_t> planted;
    base::sim::expect_each(base::sim::seeds_or(usual_seeds), [&](uint64_t seed) -> std::string {
        const auto good = sim::fake_run(seed);
        for (const sim::Corruption& corruption : sim::corruptions()) {
            std::mt19937_64 random(seed);
            auto events = good;
            if (!corruption.plant(events, random)) continue;
            ++planted[corruption.name];
            if (const std::string wrong = caught(corruption, events); !wrong.empty())
                return std::string(corruption.name) + ": " + wrong;
        }
        return "";
    });
    if (base::sim::seeds_asked()) return;
    for (const sim::Corruption& corruption : sim::corruptions())
        EXPECT_GT(planted[corruption.name], usual_seeds / 4) << corruption.name;
}

TEST(CheckerSim, ThereIsACorruptionForEveryAnomaly) {
    std::set<Anomaly> planted;
    for (const sim::Corruption& corruption : sim::corruptions())
        planted.insert(corruption.caught_as);
    EXPECT_EQ(planted.size(), anomaly_names.size());
}

}  // namespace
}  // namespace lab
