#include "metadata/server_properties.h"

#include <algorithm>
#include <optional>

#include "metadata/broker_options.h"
#include "metadata/config.h"
#include "metadata/listeners.h"
#include "metadata/voters.h"

namespace metadata {

namespace {

/// Variables of Kafka's images that are for the JVM and their scripts.
constexpr std::string_view kScriptVariables[] = {"HEAP_OPTS",
                                                 "OPTS",
                                                 "JVM_PERFORMANCE_OPTS",
                                                 "GC_LOG_OPTS",
                                                 "LOG4J_OPTS",
                                                 "JMX_OPTS",
                                                 "JMX_PORT",
                                                 "HOME",
                                                 "VERSION",
                                                 "SCALA_VERSION",
                                                 "DEBUG",
                                                 "LOG4J_LOGGERS",
                                                 "LOG4J_ROOT_LOGLEVEL",
                                                 "TOOLS_LOG4J_LOGLEVEL",
                                                 "KRAFT_CLUSTER_ID",
                                                 "ENABLE_KRAFT"};

/// Kubernetes gives every pod such variables for a service named kafka or moldau.
bool of_kubernetes(std::string_view rest) {
    return rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_");
}

std::string key_of_variable(std::string_view rest) {
    std::string out;
    for (size_t i = 0; i < rest.size(); ++i) {
        char c = rest[i];
        if (c != '_') {
            out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        } else if (rest.substr(i, 3) == "___") {
            out += '-';
            i += 2;
        } else if (rest.substr(i, 2) == "__") {
            out += '_';
            i += 1;
        } else {
            out += '.';
        }
    }
    return out;
}

class Reader {
  public:
    base::Status file(const ConfigSources& sources);
    void environment(const ConfigSources& sources);
    void command_line(const ConfigSources& sources);
    base::Result<ServerProperties> finish();

  private:
    enum class Unknown : uint8_t { refuse, ignore };

    void set(const std::string& key, const std::string& value, const std::string& from, Unknown);
    void variables(const ConfigSources&, std::string_view prefix, Unknown);
    void check_together();
    base::Status check_cluster(const ConfigView&);
    void problem(const std::string& from, const std::string& what) {
        problems_.push_back(from.empty() ? what : from + ": " + what);
    }
    std::string from(std::string_view key) const {
        auto it = out_.settings.find(key);
        return it == out_.settings.end() ? "" : it->second.from;
    }

    ServerProperties out_;
    std::vector<std::string> problems_;
};

void Reader::set(const std::string& key, const std::string& value, const std::string& from,
                 Unknown unknown) {
    if (const base::Option* option = broker_options().find(key)) {
        if (auto parsed = parse(*option, value); !parsed.ok())
            return problem(from, base::message(parsed.status()));
        out_.settings.insert_or_assign(key, ServerProperties::Setting{value, from});
        return;
    }
    auto foreign = foreign_key(key);
    if (foreign.answer == Foreign::Answer::ignored) {
        out_.ignored.push_back({key, from, foreign.why});
        return;
    }
    if (foreign.answer == Foreign::Answer::refused)
        return problem(from, key + " is not supported: " + foreign.why);
    auto nearest = broker_options().nearest(key);
    std::string hint = nearest.empty() ? "" : "; did you mean " + nearest + "?";
    if (unknown == Unknown::ignore)
        out_.ignored.push_back({key, from, "there is no such option" + hint});
    else problem(from, "unknown option " + key.substr(0, 200) + hint);
}

base::Status Reader::file(const ConfigSources& sources) {
    auto properties = parse_properties(sources.file_text);
    if (!properties.ok())
        return base::invalid(sources.file_name + " " + base::message(properties.status()));
    std::map<std::string, int> last;
    for (const auto& p : *properties) last[p.key] = p.line;
    for (const auto& p : *properties) {
        auto from = sources.file_name + " line " + std::to_string(p.line);
        if (last[p.key] == p.line) set(p.key, p.value, from, Unknown::refuse);
        else
            out_.ignored.push_back(
                {p.key, from, "line " + std::to_string(last[p.key]) + " sets it anew"});
    }
    return base::ok();
}

void Reader::variables(const ConfigSources& sources, std::string_view prefix, Unknown unknown) {
    for (auto it = sources.environment.lower_bound(std::string(prefix));
         it != sources.environment.end() && it->first.starts_with(prefix); ++it) {
        std::string_view rest = std::string_view(it->first).substr(prefix.size());
        bool others = prefix == "KAFKA_" && rest.starts_with("CFG_");
        if (rest.empty() || others || of_kubernetes(rest)) continue;
        if (std::ranges::find(kScriptVariables, rest) != std::end(kScriptVariables)) {
            out_.ignored.push_back({it->first, it->first, "only a JVM's scripts need it"});
            continue;
        }
        set(key_of_variable(rest), it->second, it->first, unknown);
    }
}

void Reader::environment(const ConfigSources& sources) {
    // KAFKA_ is a name that other programs' variables begin with too: what is unknown there is
    // told, but does not keep the node from starting.
    variables(sources, "KAFKA_", Unknown::ignore);
    variables(sources, "KAFKA_CFG_", Unknown::refuse);
    variables(sources, "MOLDAU_", Unknown::refuse);
}

void Reader::command_line(const ConfigSources& sources) {
    for (const auto& [key, value] : sources.set) set(key, value, "--set " + key, Unknown::refuse);
}

void Reader::check_together() {
    const Configs configs = out_.configs();
    ConfigView view(*Image::empty(), base::BrokerId{0}, configs);
    auto at = [&](std::string_view key) { return view.broker_int(key); };
    if (view.broker_set("default.replication.factor") &&
        at("min.insync.replicas") > at("default.replication.factor"))
        problem(from(view.broker_set("min.insync.replicas") ? "min.insync.replicas"
                                                            : "default.replication.factor"),
                "min.insync.replicas=" + std::to_string(at("min.insync.replicas")) +
                    " is more than default.replication.factor=" +
                    std::to_string(at("default.replication.factor")) +
                    ": nothing could be written with acks=all");
    if (at("broker.session.timeout.ms") < 3 * at("broker.heartbeat.interval.ms"))
        problem(from(view.broker_set("broker.session.timeout.ms") ? "broker.session.timeout.ms"
                                                                  : "broker.heartbeat.interval.ms"),
                "broker.session.timeout.ms=" + std::to_string(at("broker.session.timeout.ms")) +
                    " is shorter than three times broker.heartbeat.interval.ms=" +
                    std::to_string(at("broker.heartbeat.interval.ms")));
    if (at("group.min.session.timeout.ms") > at("group.max.session.timeout.ms"))
        problem(
            from(view.broker_set("group.min.session.timeout.ms") ? "group.min.session.timeout.ms"
                                                                 : "group.max.session.timeout.ms"),
            "group.min.session.timeout.ms is longer than group.max.session.timeout.ms");
    if (view.broker_set("node.id") && view.broker_set("broker.id") && !from("node.id").empty() &&
        !from("broker.id").empty() && configs.at("node.id") != configs.at("broker.id"))
        problem(from("broker.id"), "broker.id and node.id differ");
    if (view.broker_list("process.roles").empty())
        return problem(from("process.roles"), "process.roles is empty: this node would do nothing");

    if (auto status = check_cluster(view); !status.ok()) {
        const auto why = base::message(status);
        problem(from(why.substr(0, why.find(':'))), why);
    }
}

/// Where the node listens, and with whom it makes a cluster.
base::Status Reader::check_cluster(const ConfigView& view) {
    const auto roles = view.broker_list("process.roles");
    const auto has_role = [&](const char* role) {
        return std::ranges::find(roles, role) != roles.end();
    };
    const auto controller_names = view.broker("controller.listener.names").value.value_or("");
    auto listen = view.broker("listeners").value.value_or("");
    if (!view.broker_set("listeners") && controller_names != "CONTROLLER")
        listen = "PLAINTEXT://:9092";  // the default of the other is not meant then
    ASSIGN_OR_RETURN(auto listeners,
                     resolve_listeners({listen, view.broker("advertised.listeners").value,
                                        view.broker_string("listener.security.protocol.map"),
                                        controller_names, has_role("broker")}));
    ASSIGN_OR_RETURN(out_.voters, parse_voters(view.broker_string("controller.quorum.voters")));
    const auto& own = listeners.controller;
    RETURN_IF_ERROR(check_participation(
        {.node_id = static_cast<int32_t>(view.broker_int("node.id")),
         .broker = has_role("broker"),
         .controller = has_role("controller"),
         .listens = own.has_value(),
         .port = own ? own->port : uint16_t{0},
         .bootstrap =
             base::split_list(view.broker_string("controller.quorum.bootstrap.servers")).size() >
             1},
        out_.voters));
    out_.listeners = std::move(listeners.clients);
    out_.controller_listener = std::move(listeners.controller);
    return base::ok();
}

base::Result<ServerProperties> Reader::finish() {
    if (problems_.empty()) check_together();
    if (problems_.empty()) return std::move(out_);
    std::string all;
    for (const auto& p : problems_) all += (all.empty() ? "" : "\n") + p;
    return base::invalid(all);
}

}  // namespace

Configs ServerProperties::configs() const {
    Configs out;
    for (const auto& [key, setting] : settings) out.emplace(key, setting.value);
    return out;
}

base::Result<ServerProperties> read_server_properties(const ConfigSources& sources) {
    Reader reader;
    RETURN_IF_ERROR(reader.file(sources));
    reader.environment(sources);
    reader.command_line(sources);
    return reader.finish();
}

}  // namespace metadata
