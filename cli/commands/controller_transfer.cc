#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/quorum.h"
#include "controller/rpc/client.h"
#include "io/run_on.h"
#include "io/shard.h"

namespace cli {
namespace {

using controller::rpc::TransferRequest;

/// Kafka has no request for it: the leader is asked as nodes ask each other.
class ControllerLine {
  public:
    base::Status transfer(const std::string& address, const TransferRequest& ask,
                          Deadline deadline) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        return io::wait_for<base::Status>([&](auto done) {
            io::run_on(shards_->at(0), [&] {
                client_.transfer(address, ask, std::max(left, std::chrono::milliseconds(1)),
                                 std::move(done));
            });
        });
    }

  private:
    std::unique_ptr<io::Shards> shards_ = io::Shards::start(1, 1);
    controller::rpc::Client client_{shards_->at(0)};
};

struct ControllerTransfer {
    Common common;
    int32_t id = 0;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        ControllerLine line;
        bool asked = false;
        ASSIGN_OR_RETURN(const Quorum quorum,
                         client.retry([&] { return step(client, line, asked); }));
        if (common.format == Format::json)
            print_json({{"leader", id}, {"epoch", quorum.leader_epoch}, {"transferred", asked}});
        else
            std::printf("controller %d leads%s (epoch %d)\n", id, asked ? "" : " already",
                        quorum.leader_epoch);
        return base::ok();
    }

    /// The quorum once `id` leads it. kAborted until then: who was asked may not take it, or
    /// another one may be elected.
    base::Result<Quorum> step(KafkaClient& client, ControllerLine& line, bool& asked) const {
        ASSIGN_OR_RETURN(Quorum quorum, describe_quorum(client));
        if (quorum.leader_id == id) return quorum;
        if (quorum.leader_id < 0) return absl::AbortedError("no controller leads");
        const std::string node = "node " + std::to_string(id);
        if (std::ranges::find(quorum.voters, id, &Quorum::Replica::replica_id) ==
            quorum.voters.end())
            return base::precondition(
                node + " is no controller\nTo see which are: moldau controller status");
        const std::string leader = "controller " + std::to_string(quorum.leader_id);
        const auto address = quorum.addresses.find(quorum.leader_id);
        if (address == quorum.addresses.end())
            return base::precondition("nothing tells where to reach " + leader);
        ASSIGN_OR_RETURN(const auto metadata, client.metadata(std::vector<std::string>{}));
        const auto status = line.transfer(address->second, {metadata.cluster_id.value_or(""), {id}},
                                          client.deadline());
        if (!status.ok())
            return base::Status(status.code(), leader + " does not hand over to " + node + ": " +
                                                   base::message(status));
        asked = true;
        return absl::AbortedError(node + " does not lead yet");
    }
};

}  // namespace

void add_controller_transfer(CLI::App& app, Chosen& chosen) {
    auto [command, options] =
        add_command<ControllerTransfer>(*app.get_subcommand("controller"), chosen, "transfer",
                                        "Let another controller lead, without an election's wait");
    add_common_options(*command, options->common);
    command->add_option("ID", options->id, "The one to lead")->required()->check(at_least(0));
}

}  // namespace cli
