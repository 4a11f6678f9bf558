#include "cli/rdkafka.h"

#include <array>

namespace cli {

RdConfig::RdConfig(const std::string& bootstrap) : conf_(rd_kafka_conf_new()) {
    set("bootstrap.servers", bootstrap);
    set("client.id", "moldau-cli");
    rd_kafka_conf_set_log_cb(conf_.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
}

RdConfig& RdConfig::set(const std::string& key, const std::string& value) {
    std::array<char, 512> why{};
    if (rd_kafka_conf_set(conf_.get(), key.c_str(), value.c_str(), why.data(), why.size()) !=
            RD_KAFKA_CONF_OK &&
        failure_.ok())
        failure_ = base::invalid(why.data());
    return *this;
}

base::Result<RdKafka> RdConfig::make(rd_kafka_type_t type) && {
    RETURN_IF_ERROR(failure_);
    std::array<char, 512> why{};
    RdKafka out(rd_kafka_new(type, conf_.get(), why.data(), why.size()));
    if (!out) return base::invalid(why.data());
    static_cast<void>(conf_.release());  // rd_kafka_new took it over
    return out;
}

base::Status rd_failure(rd_kafka_resp_err_t error, const std::string& what) {
    const std::string text = what + ": " + rd_kafka_err2str(error);
    switch (error) {
        case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
        case RD_KAFKA_RESP_ERR__TIMED_OUT:
        case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
        case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
            return absl::DeadlineExceededError(text);
        default:
            return base::precondition(text);
    }
}

}  // namespace cli
