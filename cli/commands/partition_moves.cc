#include "cli/commands/partition_moves.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/output.h"
#include "cli/reassign.h"
#include "cli/signals.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr milliseconds kLook{1000};

base::Result<std::string> content(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream out;
    out << file.rdbuf();
    if (!file) return base::not_found("can't read " + path);
    return out.str();
}

std::string name_of(const std::string& topic, int32_t partition) {
    return topic + ":" + std::to_string(partition);
}

/// One look at the cluster, with a connection and a deadline of its own.
template <class Ask>
auto look(const Common& common, Ask ask) -> decltype(ask(std::declval<KafkaClient&>())) {
    ASSIGN_OR_RETURN(KafkaClient client, KafkaClient::connect(common.bootstrap, common.deadline()));
    return client.retry([&] { return ask(client); });
}

/// Waits until none of them moves any more; tells how far they are, on a terminal.
class Wait {
  public:
    Wait(const Common& common, const Moves& moves, std::optional<double> within_seconds)
        : common_(common), moves_(moves) {
        if (within_seconds)
            end_ = std::chrono::steady_clock::now() +
                   std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                       std::chrono::duration<double>(*within_seconds));
    }

    /// kCancelled by a signal. kDeadlineExceeded: not within the time.
    base::Status run() {
        for (milliseconds pause{50};; pause = std::min(2 * pause, kLook)) {
            ASSIGN_OR_RETURN(const auto all, look(common_, [](KafkaClient& client) {
                                 return moves_under_way(client, true);
                             }));
            std::vector<Moving> left;
            for (const Moving& m : all)
                for (const Move& move : moves_)
                    if (m.topic == move.topic && m.partition == move.partition) left.push_back(m);
            tell(left);
            if (left.empty()) return base::ok();
            if (end_ && std::chrono::steady_clock::now() + pause > *end_)
                return absl::DeadlineExceededError(
                    counted(static_cast<int64_t>(left.size()), "partition") +
                    " did not get there in time, and still move" + kHowToSee);
            if (signals_.wait(pause))
                return absl::CancelledError(std::string("stopped waiting; the partitions still "
                                                        "move") +
                                            kHowToSee);
        }
    }

  private:
    static constexpr const char* kHowToSee =
        "\nTo see them: moldau partition status. To end them: moldau partition cancel --all";

    void tell(const std::vector<Moving>& left) {
        if (::isatty(STDERR_FILENO) == 0) return;
        int percent = 100 * static_cast<int>(moves_.size() - left.size());
        for (const Moving& m : left) percent += m.percent().value_or(0);
        std::fprintf(stderr, "\r\033[K%zu of %zu partitions moved, %d %%",
                     moves_.size() - left.size(), moves_.size(),
                     percent / static_cast<int>(moves_.size()));
        if (left.empty()) std::fprintf(stderr, "\n");
        std::fflush(stderr);
    }

    const Common& common_;
    const Moves& moves_;
    std::optional<std::chrono::steady_clock::time_point> end_;
    Signals signals_;
};

struct MoveCommand {
    Common common;
    std::vector<std::string> partitions;
    std::vector<int32_t> to;
    std::string plan;
    std::optional<int32_t> from;
    std::optional<int64_t> throttle;
    std::optional<double> within;
    bool wait = false;
    bool dry_run = false;

    base::Status run() const {
        ASSIGN_OR_RETURN(const Moves moves,
                         look(common, [&](KafkaClient& client) { return planned(client); }));
        if (dry_run || moves.empty()) {
            if (dry_run) std::printf("%s\n", plan_text(moves).c_str());
            else if (common.format == Format::json) print_json(Json::array());
            else std::printf("nothing is to be moved\n");
            return base::ok();
        }
        RETURN_IF_ERROR(look(common, [&](KafkaClient& client) { return begin(client, moves); }));
        if (!wait && !within && !throttle) return tell(moves, "goes");
        const auto waited = Wait(common, moves, within).run();
        if (throttle && waited.ok()) {
            ASSIGN_OR_RETURN(const auto cleared, look(common, clear_throttles));
        } else if (throttle) {
            std::fprintf(stderr,
                         "The throttle stays on until they are done: moldau partition status "
                         "--clear-throttle\n");
        }
        RETURN_IF_ERROR(waited);
        return tell(moves, "went");
    }

    base::Result<Moves> planned(KafkaClient& client) const {
        const int ways = static_cast<int>(!to.empty()) + static_cast<int>(!plan.empty()) +
                         static_cast<int>(from.has_value());
        if (ways != 1) return base::invalid("say where to: one of --to, --plan and --from");
        if (!plan.empty() && !partitions.empty())
            return base::invalid("--plan says which partitions move\nName none beside it.");
        if (!to.empty() && partitions.empty())
            return base::invalid("which partitions?\nName them as TOPIC:NUMBER.");
        std::vector<std::pair<std::string, int32_t>> named;
        for (const std::string& text : partitions) {
            ASSIGN_OR_RETURN(auto one, parse_partition(text));
            named.push_back(std::move(one));
        }
        if (!plan.empty()) {
            ASSIGN_OR_RETURN(const auto text, content(plan));
            return parse_plan(text);
        }
        Moves out;
        if (from) {
            ASSIGN_OR_RETURN(const auto metadata, settled_metadata(client));
            ASSIGN_OR_RETURN(out, drained(*from, metadata));
            std::erase_if(out, [&](const Move& m) {
                return !named.empty() &&
                       std::ranges::find(named, std::pair(m.topic, m.partition)) == named.end();
            });
            return out;
        }
        for (const auto& [topic, partition] : named) out.push_back({topic, partition, to});
        return out;
    }

    base::Status begin(KafkaClient& client, const Moves& moves) const {
        if (throttle) {
            ASSIGN_OR_RETURN(const auto metadata, client.metadata(std::nullopt));
            RETURN_IF_ERROR(set_throttle(client, moves, metadata, *throttle));
        }
        std::vector<Wanted> wanted;
        for (const Move& m : moves) wanted.push_back({m.topic, m.partition, m.to});
        const auto begun = alter_moves(client, wanted);
        if (!begun.ok() && throttle) {
            // What was not begun needs no throttle; what was keeps it.
            const auto moving = moves_under_way(client, false);
            if (moving.ok() && moving->empty()) (void)clear_throttles(client);
        }
        return begun;
    }

    base::Status tell(const Moves& moves, const char* how) const {
        auto json = Json::array();
        for (const Move& m : moves) {
            json.push_back({{"topic", m.topic}, {"partition", m.partition}, {"to", m.to}});
            if (common.format == Format::table)
                std::printf("%s %s to %s\n", name_of(m.topic, m.partition).c_str(), how,
                            joined(m.to).c_str());
        }
        if (common.format == Format::json) print_json(json);
        return base::ok();
    }
};

struct StatusCommand {
    Common common;
    bool watch = false;
    bool clear_throttle = false;

    base::Status run() const {
        if (watch) return watch_them();
        ASSIGN_OR_RETURN(const auto moves, now());
        if (!clear_throttle) {
            print_moving(moves, common.format);
            return base::ok();
        }
        if (!moves.empty())
            return base::precondition(
                counted(static_cast<int64_t>(moves.size()), "partition") +
                " still move under the throttle\nWait until they are done (moldau partition "
                "status --watch), or end them (moldau partition cancel --all).");
        ASSIGN_OR_RETURN(const auto cleared, look(common, clear_throttles));
        if (common.format == Format::json) print_json(Json{{"unthrottled", cleared}});
        for (const auto& who : cleared)
            if (common.format == Format::table)
                std::printf("the throttle of %s is off\n", who.c_str());
        if (cleared.empty() && common.format == Format::table)
            std::printf("nothing is throttled\n");
        return base::ok();
    }

    base::Result<std::vector<Moving>> now() const {
        return look(common, [](KafkaClient& client) { return moves_under_way(client, true); });
    }

    /// Until nothing moves, or a signal comes.
    base::Status watch_them() const {
        Signals signals;
        for (;;) {
            ASSIGN_OR_RETURN(const auto moves, now());
            print_moving(moves, common.format);
            if (moves.empty()) return base::ok();
            if (common.format == Format::table) std::printf("\n");
            std::fflush(stdout);
            if (signals.wait(kLook)) return base::ok();
        }
    }
};

struct CancelCommand {
    Common common;
    std::vector<std::string> partitions;
    bool all = false;

    base::Status run() const {
        if (partitions.empty() != all)
            return base::invalid("name partitions as TOPIC:NUMBER, or say --all");
        std::vector<Wanted> wanted;
        for (const std::string& text : partitions) {
            ASSIGN_OR_RETURN(const auto one, parse_partition(text));
            wanted.push_back({one.first, one.second, std::nullopt});
        }
        if (all) {
            ASSIGN_OR_RETURN(const auto moves, look(common, [](KafkaClient& client) {
                                 return moves_under_way(client, false);
                             }));
            for (const Moving& m : moves) wanted.push_back({m.topic, m.partition, std::nullopt});
        }
        if (!wanted.empty())
            RETURN_IF_ERROR(
                look(common, [&](KafkaClient& client) { return alter_moves(client, wanted); }));
        auto json = Json::array();
        for (const Wanted& w : wanted) {
            json.push_back({{"topic", w.topic}, {"partition", w.partition}});
            if (common.format == Format::table)
                std::printf("%s stays where it was\n", name_of(w.topic, w.partition).c_str());
        }
        if (common.format == Format::json) print_json(json);
        else if (wanted.empty()) std::printf("nothing moves\n");
        return base::ok();
    }
};

void add_move(CLI::App& partition, Chosen& chosen) {
    auto [move, options] =
        add_command<MoveCommand>(partition, chosen, "move", "Move partitions to other brokers");
    add_common_options(*move, options->common);
    move->add_option("TOPIC:NUMBER", options->partitions,
                     "The partitions (with --from: only these of what it has)");
    move->add_option("--to", options->to,
                     "Brokers, with commas between, the preferred leader first")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(at_least(0));
    move->add_option("--plan", options->plan,
                     "A file that says where to, as kafka-reassign-partitions has it");
    move->add_option("--from", options->from,
                     "A broker that is to be empty: what it has goes to the others")
        ->check(at_least(0));
    move->add_option("--throttle", options->throttle,
                     "Bytes a second that each broker may send and receive for it; waits, and "
                     "takes the throttle off at the end")
        ->check(CLI::Range(int64_t{1}, INT64_MAX));
    move->add_flag("--wait", options->wait, "Until they are there");
    move->add_option("--within", options->within,
                     "Seconds to wait until they are there; then exit code 4")
        ->check(CLI::PositiveNumber);
    move->add_flag("--dry-run", options->dry_run, "Only print the plan");
}

}  // namespace

void add_partition_moves(CLI::App& partition, Chosen& chosen) {
    add_move(partition, chosen);
    auto [status, status_options] = add_command<StatusCommand>(partition, chosen, "status",
                                                               "Show the moves that are under way");
    add_common_options(*status, status_options->common);
    status->add_flag("--watch", status_options->watch, "Again each second, until nothing moves");
    status->add_flag("--clear-throttle", status_options->clear_throttle,
                     "Take the throttle off, once nothing moves");
    auto [cancel, cancel_options] = add_command<CancelCommand>(
        partition, chosen, "cancel", "End moves that are under way: back to where they came from");
    add_common_options(*cancel, cancel_options->common);
    cancel->add_option("TOPIC:NUMBER", cancel_options->partitions, "The partitions");
    cancel->add_flag("--all", cancel_options->all, "All that move");
}

}  // namespace cli
