#include "cli/command.h"

#include <charconv>

namespace cli {

Exit exit_code(const base::Status& status) {
    switch (status.code()) {
        case absl::StatusCode::kOk:
            return Exit::ok;
        case absl::StatusCode::kInvalidArgument:
            return Exit::usage;
        case absl::StatusCode::kDeadlineExceeded:
            return Exit::timeout;
        default:
            return Exit::error;
    }
}

std::chrono::milliseconds Common::timeout() const {
    return std::chrono::milliseconds(static_cast<int64_t>(timeout_seconds * 1000));
}

std::chrono::steady_clock::time_point Common::deadline() const {
    return std::chrono::steady_clock::now() + timeout();
}

void add_bootstrap_option(CLI::App& command, Common& to) {
    command
        .add_option("-b,--bootstrap", to.bootstrap, "Brokers to ask first, HOST:PORT[,HOST:PORT]")
        ->envname("MOLDAU_BROKERS")
        ->capture_default_str();
}

void add_format_option(CLI::App& command, Common& to) {
    command
        .add_option_function<std::string>(
            "-o,--output",
            [&to](const std::string& name) {
                to.format = name == "json" ? Format::json : Format::table;
            },
            "How to print")
        ->check(CLI::IsMember({"table", "json"}))
        ->default_str("table");
}

void add_timeout_option(CLI::App& command, Common& to, const std::string& text) {
    constexpr double a_day_seconds = 86400;
    command.add_option("--timeout", to.timeout_seconds, text)
        ->check(CLI::Range(0.001, a_day_seconds))
        ->capture_default_str();
}

void add_common_options(CLI::App& command, Common& to) {
    add_bootstrap_option(command, to);
    add_format_option(command, to);
    add_timeout_option(command, to);
}

CLI::Validator at_least(int32_t least) {
    return {[least](const std::string& text) -> std::string {
                int32_t value = 0;
                const char* end = text.data() + text.size();
                const auto [stop, error] = std::from_chars(text.data(), end, value);
                if (error == std::errc{} && stop == end && value >= least) return "";
                return "'" + text + "' is not a whole number from " + std::to_string(least) +
                       " to " + std::to_string(INT32_MAX);
            },
            "from " + std::to_string(least)};
}

}  // namespace cli
