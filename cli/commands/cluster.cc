#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/describe.h"
#include "cli/health.h"
#include "cli/output.h"

namespace cli {
namespace {

struct ClusterStatus {
    Common common;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        ASSIGN_OR_RETURN(const auto brokers,
                         client.retry([&] { return describe_cluster(client); }));
        ASSIGN_OR_RETURN(const auto metadata,
                         client.retry([&] { return client.metadata(std::nullopt); }));
        ASSIGN_OR_RETURN(const MinIsr needed,
                         client.retry([&] { return min_isr(client, metadata); }));
        const auto quorum = this->quorum();
        const Health health =
            health_of(brokers, metadata, quorum.ok() ? std::optional(*quorum) : std::nullopt,
                      !absl::IsFailedPrecondition(quorum.status()), needed);
        if (common.format == Format::json) print_json(health.json());
        else std::printf("%s\n", health.line(has_colour(STDOUT_FILENO)).c_str());
        const auto problems = health.problems();
        if (problems.empty()) return base::ok();
        std::string all;
        for (const std::string& one : problems) all += (all.empty() ? "" : "; ") + one;
        for (const std::string& look : health.where_to_look()) all += "\nTo see more: " + look;
        return base::precondition(all);
    }

    /// A cluster without a controller still tells the rest: it gets no long wait.
    /// kFailedPrecondition: brokers of this kind know no quorum.
    base::Result<Quorum> quorum() const {
        constexpr std::chrono::seconds patience{2};
        const Deadline deadline =
            std::min(common.deadline(), std::chrono::steady_clock::now() + patience);
        ASSIGN_OR_RETURN(KafkaClient client, KafkaClient::connect(common.bootstrap, deadline));
        return client.retry([&]() -> base::Result<Quorum> {
            ASSIGN_OR_RETURN(Quorum out, describe_quorum(client));
            if (out.leader_id < 0) return absl::AbortedError("no controller is active");
            return out;
        });
    }

    static base::Result<MinIsr> min_isr(KafkaClient& client,
                                        const kafka::MetadataResponse& metadata) {
        MinIsr out;
        const auto topics = topics_out_of_sync(metadata);
        if (topics.empty()) return out;
        ASSIGN_OR_RETURN(Connection * connection, client.any());
        ASSIGN_OR_RETURN(
            const auto configs,
            describe_configs(*connection, ConfigOf::topic, topics,
                             std::vector<std::string>{"min.insync.replicas"}, client.deadline()));
        for (const Config& c : configs) {
            int64_t value = 0;
            std::from_chars(c.value.data(), c.value.data() + c.value.size(), value);
            out[c.owner] = value;
        }
        return out;
    }
};

}  // namespace

void add_cluster(CLI::App& app, Chosen& chosen) {
    CLI::App* cluster = app.add_subcommand("cluster", "Show how the cluster does");
    cluster->require_subcommand(1);
    auto [status, options] = add_command<ClusterStatus>(
        *cluster, chosen, "status", "One line on its health; exit code 1 if something is wrong");
    add_common_options(*status, options->common);
}

}  // namespace cli
