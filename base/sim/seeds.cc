#include "base/sim/seeds.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <random>
#include <system_error>

namespace base::sim {

namespace {

std::optional<uint64_t> number(std::string_view text) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<Seeds> range(std::string_view text) {
    const size_t dots = text.find("..");
    const auto first = number(text.substr(0, dots));
    const auto last = dots == std::string_view::npos ? first : number(text.substr(dots + 2));
    if (!first || !last || *last < *first) return std::nullopt;
    return Seeds{*first, *last};
}

std::optional<Seeds> fresh(std::string_view text) {
    const auto count = number(text);
    if (!count || *count == 0) return std::nullopt;
    return fresh_seeds(*count);
}

}  // namespace

Seeds fresh_seeds(uint64_t count) {
    const uint64_t first = uint64_t{std::random_device{}()} << 20;
    const Seeds seeds{first, first + count - 1};
    std::printf("fresh seeds %llu..%llu\n", static_cast<unsigned long long>(seeds.first),
                static_cast<unsigned long long>(seeds.last));
    return seeds;
}

std::optional<Asked> asked_for(int argc, const char* const* argv) {
    Asked asked;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--trace") {
            asked.trace = true;
            continue;
        }
        if ((name != "--seeds" && name != "--fresh") || ++i == argc) return std::nullopt;
        const auto seeds = name == "--seeds" ? range(argv[i]) : fresh(argv[i]);
        if (!seeds) return std::nullopt;
        asked.seeds.push_back(*seeds);
    }
    return asked;
}

Ran run_each(const Asked& asked, Function<std::optional<std::string>(uint64_t)> run) {
    Ran ran;
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& seeds : asked.seeds) {
        for (uint64_t seed = seeds.first; seed <= seeds.last; ++seed, ++ran.seeds) {
            if (const auto what = run(seed); what && ++ran.failed <= 10)
                std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                            what->c_str());
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    ran.seconds = took.count();
    return ran;
}

int run_program(std::string_view name, int argc, const char* const* argv,
                Function<std::optional<std::string>(uint64_t, bool)> run,
                Function<std::vector<Total>()> totals) {
    const auto asked = asked_for(argc, argv);
    if (!asked || asked->seeds.empty()) {
        std::fprintf(stderr, "usage: %s (--seeds A..B | --fresh N)... [--trace]\n",
                     std::string(name).c_str());
        return 2;
    }
    const auto ran = run_each(*asked, [&](uint64_t seed) { return run(seed, asked->trace); });
    std::printf("%llu seeds, %llu failed", static_cast<unsigned long long>(ran.seeds),
                static_cast<unsigned long long>(ran.failed));
    const char* before = "; ";
    for (const auto& total : totals()) {
        std::printf("%s%llu %s", before, static_cast<unsigned long long>(total.count),
                    std::string(total.of).c_str());
        before = ", ";
    }
    std::printf("; %.1f s\n", ran.seconds);
    return ran.failed == 0 ? 0 : 1;
}

}  // namespace base::sim
