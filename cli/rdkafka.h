#pragma once
#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace cli {

template <auto destroy>
struct Destroy {
    template <class T>
    void operator()(T* object) const {
        destroy(object);
    }
};
using RdKafka = std::unique_ptr<rd_kafka_t, Destroy<rd_kafka_destroy>>;
using RdMessage = std::unique_ptr<rd_kafka_message_t, Destroy<rd_kafka_message_destroy>>;
using RdPartitions = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                     Destroy<rd_kafka_topic_partition_list_destroy>>;
using RdHeaders = std::unique_ptr<rd_kafka_headers_t, Destroy<rd_kafka_headers_destroy>>;

/// librdkafka's configuration, set up for one client. Its own log lines are dropped: what matters
/// comes back as errors of messages and of polls.
class RdConfig {
  public:
    explicit RdConfig(const std::string& bootstrap);

    /// The first failure is kept, and told by `make`.
    RdConfig& set(const std::string& key, const std::string& value);
    rd_kafka_conf_t* raw() { return conf_.get(); }
    /// kInvalidArgument: librdkafka refuses an option.
    base::Result<RdKafka> make(rd_kafka_type_t type) &&;

  private:
    std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_destroy>> conf_;
    base::Status failure_;
};

/// "Local: Message timed out" and the like, as a status: kDeadlineExceeded for time-outs.
base::Status rd_failure(rd_kafka_resp_err_t error, const std::string& what);

}  // namespace cli
