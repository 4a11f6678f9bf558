#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/quorum.h"
#include "kafka/messages/add_raft_voter.h"
#include "kafka/messages/remove_raft_voter.h"

namespace cli {
namespace {

using Replica = Quorum::Replica;

const Replica* find(const std::vector<Replica>& replicas, int32_t id) {
    const auto found = std::ranges::find(replicas, id, &Replica::replica_id);
    return found == replicas.end() ? nullptr : &*found;
}

struct ControllerStatus {
    Common common;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(common.bootstrap, common.deadline()));
        ASSIGN_OR_RETURN(const Quorum quorum,
                         client.retry([&] { return describe_quorum(client); }));
        const auto rows = rows_of(quorum);
        if (common.format == Format::json) {
            print_json({{"leader", quorum.leader_id},
                        {"epoch", quorum.leader_epoch},
                        {"high_watermark", quorum.high_watermark},
                        {"members", json_of(rows)}});
            return base::ok();
        }
        std::printf("leader %s  epoch %d  committed up to %lld\n",
                    quorum.leader_id < 0 ? "-" : std::to_string(quorum.leader_id).c_str(),
                    quorum.leader_epoch, static_cast<long long>(quorum.high_watermark));
        table_of(rows).print();
        return base::ok();
    }
};

/// What the quorum of controllers is asked to do with one node.
struct Membership {
    Common common;
    int32_t id = 0;

    std::string node() const { return "node " + std::to_string(id); }
    base::Status done(const char* what) const {
        if (common.format == Format::json) print_json({{what, id}});
        else std::printf("%s controller %d\n", what, id);
        return base::ok();
    }
};

struct ControllerAdd {
    Membership member;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(member.common.bootstrap, member.common.deadline()));
        RETURN_IF_ERROR(client.retry([&] { return add(client); }));
        return member.done("added");
    }

    base::Status add(KafkaClient& client) const {
        ASSIGN_OR_RETURN(const Quorum quorum, describe_quorum(client));
        if (find(quorum.voters, member.id) != nullptr)
            return base::precondition(member.node() + " is a controller already");
        const Replica* observer = find(quorum.observers, member.id);
        const auto address = quorum.addresses.find(member.id);
        if (observer == nullptr || address == quorum.addresses.end())
            return base::precondition(member.node() +
                                      " does not follow the controllers\nStart it with their "
                                      "controller.quorum.voters, wait until moldau controller "
                                      "status shows it, then try again.");
        ASSIGN_OR_RETURN(const auto endpoints, parse_endpoints(address->second));
        kafka::AddRaftVoterRequest request;
        request.cluster_id.reset();
        request.timeout_ms = client.request_timeout_ms();
        request.voter_id = member.id;
        request.voter_directory_id = observer->replica_directory_id;
        request.listeners.push_back({"CONTROLLER", endpoints[0].host, endpoints[0].port});
        ASSIGN_OR_RETURN(Connection * connection, client.any());
        ASSIGN_OR_RETURN(const auto answer,
                         connection->call<kafka::AddRaftVoterResponse>(request, client.deadline()));
        if (answer.error_code == kafka::ErrorCode::none) return base::ok();
        return failure(answer.error_code, answer.error_message,
                       "can't make " + member.node() + " a controller");
    }
};

struct ControllerRemove {
    Membership member;

    base::Status run() const {
        ASSIGN_OR_RETURN(KafkaClient client,
                         KafkaClient::connect(member.common.bootstrap, member.common.deadline()));
        RETURN_IF_ERROR(client.retry([&] { return remove(client); }));
        return member.done("removed");
    }

    base::Status remove(KafkaClient& client) const {
        ASSIGN_OR_RETURN(const Quorum quorum, describe_quorum(client));
        const Replica* voter = find(quorum.voters, member.id);
        if (voter == nullptr)
            return base::precondition(member.node() +
                                      " is no controller\nTo see which are: moldau controller "
                                      "status");
        kafka::RemoveRaftVoterRequest request;
        request.cluster_id.reset();
        request.voter_id = member.id;
        request.voter_directory_id = voter->replica_directory_id;
        ASSIGN_OR_RETURN(Connection * connection, client.any());
        ASSIGN_OR_RETURN(const auto answer, connection->call<kafka::RemoveRaftVoterResponse>(
                                                request, client.deadline()));
        if (answer.error_code == kafka::ErrorCode::none) return base::ok();
        return failure(answer.error_code, answer.error_message,
                       "can't take " + member.node() + " out of the controllers");
    }
};

template <class Command>
void add_membership(CLI::App& controller, Chosen& chosen, const std::string& name,
                    const std::string& text) {
    auto [command, options] = add_command<Command>(controller, chosen, name, text);
    add_common_options(*command, options->member.common);
    command->add_option("ID", options->member.id, "The node")->required()->check(at_least(0));
}

}  // namespace

void add_controller(CLI::App& app, Chosen& chosen) {
    CLI::App* controller =
        app.add_subcommand("controller", "Show and change the quorum of controllers");
    controller->require_subcommand(1);
    auto [status, options] = add_command<ControllerStatus>(
        *controller, chosen, "status", "Show who leads, and how far the others are behind");
    add_common_options(*status, options->common);
    add_membership<ControllerAdd>(*controller, chosen, "add",
                                  "Make a node that follows the controllers one of them");
    add_membership<ControllerRemove>(*controller, chosen, "remove",
                                     "Take a node out of the controllers");
}

}  // namespace cli
