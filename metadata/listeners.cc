#include "metadata/listeners.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/options.h"

namespace metadata {

namespace {

constexpr const char* kListeners = "listeners";
constexpr const char* kAdvertised = "advertised.listeners";
constexpr const char* kProtocols = "listener.security.protocol.map";

base::Status refused(const char* option, const std::string& why) {
    return base::invalid(std::string(option) + ": " + why);
}

bool any_address(std::string_view host) {
    return host.empty() || host == "0.0.0.0" || host == "::";
}

base::Result<std::vector<ListenerUri>> parse_all(const char* option, const std::string& text) {
    std::vector<ListenerUri> out;
    for (const auto& one : base::split_list(text)) {
        auto uri = parse_listener(one);
        if (!uri.ok()) return refused(option, base::message(uri.status()));
        if (std::ranges::any_of(out, [&](const auto& o) { return o.name == uri->name; }))
            return refused(option, "two listeners are named " + uri->name);
        out.push_back(*std::move(uri));
    }
    return out;
}

base::Result<std::map<std::string, std::string>> parse_protocols(const std::string& text) {
    std::map<std::string, std::string> out;
    for (const auto& one : base::split_list(text)) {
        auto colon = one.find(':');
        if (colon == std::string::npos || colon == 0 || colon + 1 == one.size())
            return refused(kProtocols, one + " is not NAME:PROTOCOL");
        if (!out.emplace(one.substr(0, colon), one.substr(colon + 1)).second)
            return refused(kProtocols, "listener " + one.substr(0, colon) + " stands twice");
    }
    return out;
}

base::Status check_clash(const std::vector<ListenerUri>& all) {
    for (size_t i = 0; i < all.size(); ++i) {
        for (size_t j = 0; j < i; ++j) {
            bool same_host =
                all[i].host == all[j].host || any_address(all[i].host) || any_address(all[j].host);
            if (same_host && all[i].port == all[j].port && all[i].port != 0)
                return refused(kListeners, all[j].name + " and " + all[i].name + " clash on port " +
                                               std::to_string(all[i].port));
        }
    }
    return base::ok();
}

std::string upper(std::string name) {
    for (char& c : name)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return name;
}

base::Status check_plaintext(const ListenerUri& uri,
                             const std::map<std::string, std::string>& protocols) {
    const auto protocol = protocols.find(uri.name);
    if (protocol == protocols.end())
        return refused(kProtocols, "it does not say the protocol of listener " + uri.name);
    if (protocol->second != "PLAINTEXT")
        return refused(kListeners,
                       uri.name + " speaks " + protocol->second + "; only PLAINTEXT is served yet");
    return base::ok();
}

ListenerConfig opened(const ListenerUri& uri) {
    return {uri.name, uri.host, uri.port, any_address(uri.host) ? "" : uri.host, uri.port};
}

base::Status advertise(const ListenerUri& uri, ListenerConfig& listener) {
    if (any_address(uri.host))
        return refused(kAdvertised, uri.name + " advertises " +
                                        (uri.host.empty() ? "no host" : uri.host) +
                                        ", which no client can connect to");
    if (uri.port == 0) return refused(kAdvertised, uri.name + " advertises port 0");
    listener.advertised_host = uri.host;
    listener.advertised_port = uri.port;
    return base::ok();
}

}  // namespace

base::Result<ListenerUri> parse_listener(std::string_view text) {
    auto wrong = [&](const std::string& why) {
        return base::invalid(std::string(text.substr(0, 200)) + " " + why);
    };
    auto scheme = text.find("://");
    if (scheme == std::string_view::npos || scheme == 0) return wrong("is not NAME://host:port");
    ListenerUri uri;
    uri.name = upper(std::string(text.substr(0, scheme)));
    auto rest = text.substr(scheme + 3);
    auto colon = rest.rfind(':');
    if (colon == std::string_view::npos) return wrong("has no port");
    auto host = rest.substr(0, colon), port = rest.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']') && host.size() >= 2)
        host = host.substr(1, host.size() - 2);
    else if (host.find(':') != std::string_view::npos)
        return wrong("has an IPv6 address without brackets");
    if (host.find_first_of("/ \t[]") != std::string_view::npos) return wrong("has no proper host");
    uri.host = std::string(host);
    auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), uri.port);
    if (error != std::errc{} || end != port.data() + port.size())
        return wrong("has no proper port");
    return uri;
}

base::Result<Listeners> resolve_listeners(const ListenerOptions& options) {
    ASSIGN_OR_RETURN(const auto all, parse_all(kListeners, options.listeners));
    ASSIGN_OR_RETURN(const auto protocols, parse_protocols(options.protocols));
    RETURN_IF_ERROR(check_clash(all));
    auto controller_names = base::split_list(options.controller);
    for (auto& name : controller_names) name = upper(name);
    const auto controllers_own = [&](const ListenerUri& uri) {
        return std::ranges::find(controller_names, uri.name) != controller_names.end();
    };
    Listeners out;
    for (const auto& uri : all) {
        if (controllers_own(uri)) continue;
        if (!options.broker)
            return refused(kListeners, uri.name +
                                           " is for clients, but process.roles makes this node no "
                                           "broker; leave only the controller's listener, as "
                                           "CONTROLLER://:19092");
        RETURN_IF_ERROR(check_plaintext(uri, protocols));
        out.clients.push_back(opened(uri));
    }
    for (const auto& name : controller_names) {
        const auto uri = std::ranges::find(all, name, &ListenerUri::name);
        if (uri == all.end()) continue;
        if (protocols.contains(name)) RETURN_IF_ERROR(check_plaintext(*uri, protocols));
        out.controller = opened(*uri);
        break;
    }
    if (options.broker && out.clients.empty())
        return refused(kListeners, "there is none for clients");
    if (!options.advertised) return out;

    ASSIGN_OR_RETURN(const auto advertised, parse_all(kAdvertised, *options.advertised));
    for (const auto& uri : advertised) {
        auto listener = std::ranges::find(out.clients, uri.name, &ListenerConfig::name);
        ListenerConfig* which = listener == out.clients.end() ? nullptr : &*listener;
        if (out.controller && out.controller->name == uri.name) which = &*out.controller;
        if (!which && controllers_own(uri)) continue;
        if (!which) return refused(kAdvertised, "there is no listener " + uri.name);
        RETURN_IF_ERROR(advertise(uri, *which));
    }
    return out;
}

}  // namespace metadata
