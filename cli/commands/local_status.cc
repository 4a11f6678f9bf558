#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/commands/local.h"
#include "cli/local/cluster.h"
#include "cli/local/faults.h"
#include "cli/output.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;
using local::BrokerFolder;

struct Status {
    Directory directory;
    Common common;

    base::Status run() const {
        ASSIGN_OR_RETURN(const auto folders, local::find_brokers(directory.absolute()));
        Table table(
            {"BROKER", "STATE", "ROLE", "PID", "ADDRESS", "UPTIME", "MEMORY", "CUT FROM", "DATA"});
        auto json = Json::array();
        const local::Faults faults(directory.absolute());
        const auto cuts = faults.read();
        const auto controller = local::active_controller(local::members(folders));
        for (const BrokerFolder& folder : folders) add(folder, controller, cuts, table, json);
        if (common.format == Format::json) print_json(json);
        else table.print();
        return base::ok();
    }

    static void add(const BrokerFolder& folder, std::optional<int32_t> controller,
                    const std::vector<local::Cut>& cuts, Table& table, Json& json) {
        const auto settings = folder.settings();
        const auto process = folder.process();
        const bool runs = process.has_value();
        const local::Look look =
            runs ? local::look(*process).value_or(local::Look{}) : local::Look{};
        const std::string state = !runs ? "stopped" : look.paused ? "paused" : "running";
        Json row{{"broker", folder.id()}, {"state", state}};
        row["pid"] = runs ? Json(process->pid) : nullptr;
        row["address"] =
            settings.ok() ? Json("localhost:" + std::to_string(settings->port)) : nullptr;
        row["uptime_seconds"] = runs ? Json(std::round(look.uptime_seconds * 100) / 100) : nullptr;
        row["memory_bytes"] = runs ? Json(look.resident_bytes) : nullptr;
        row["controller"] = controller ? Json(controller == folder.id()) : nullptr;
        std::vector<int32_t> cut_from;
        for (const local::Cut& cut : cuts)
            if (cut.of(folder.id())) cut_from.push_back(cut.other(folder.id()));
        row["cut_from"] = cut_from;
        row["data"] = folder.data_path();
        row["log"] = folder.log_path();
        table.add({std::to_string(folder.id()), state,
                   controller == folder.id() ? "controller" : "-",
                   runs ? std::to_string(process->pid) : "-",
                   settings.ok() ? row["address"].get<std::string>() : "-",
                   runs ? std::to_string(static_cast<int64_t>(look.uptime_seconds)) + " s" : "-",
                   runs ? bytes_text(look.resident_bytes) : "-",
                   cut_from.empty() ? "-" : joined(cut_from), folder.data_path()});
        json.push_back(std::move(row));
    }
};

}  // namespace

void add_local_status(CLI::App& local, Chosen& chosen) {
    auto [command, status] =
        add_command<Status>(local, chosen, "status", "Show the brokers' processes");
    status->directory.add_option(*command);
    add_format_option(*command, status->common);
}

}  // namespace cli
