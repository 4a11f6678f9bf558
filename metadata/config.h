#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "metadata/image.h"

namespace metadata {

/// Where a value comes from, numbered as DescribeConfigs tells it.
enum class ConfigSource : int8_t {
    dynamic_topic = 1,
    dynamic_broker = 2,
    dynamic_default_broker = 3,
    static_broker = 4,
    fallback = 5,
};

/// A value in force, and the others that would hold without it, in the order of precedence.
struct ConfigEntry {
    struct Synonym {
        std::string name;
        std::optional<std::string> value;
        ConfigSource source = ConfigSource::fallback;

        bool operator==(const Synonym&) const = default;
    };

    const base::Option* option = nullptr;
    std::optional<std::string> value;  // in the option's own unit; nothing: none, or it is hidden
    ConfigSource source = ConfigSource::fallback;
    bool read_only = false;
    bool sensitive = false;
    std::vector<Synonym> synonyms;  // the first one is in force
};

/// Answers what a config is, from an image and the static configs of this broker (file,
/// environment, command line). Cheap to make; keep it no longer than the image and the configs.
///
/// Safe defaults: where nobody sets it, min.insync.replicas is 2 once three brokers are registered.
/// Nothing has more than one replica unless it is asked for: records are not replicated yet.
class ConfigView {
  public:
    ConfigView(const Image& image, base::BrokerId broker, const Configs& static_configs)
        : image_(image), broker_(broker), static_(static_configs) {}

    /// A topic's option, by what is set in the image for the topic of this name; a topic that does
    /// not exist has the broker's values. `option` must be one of topic_options().
    ConfigEntry topic(std::string_view topic, std::string_view option) const;
    /// The same for a topic that is yet to be, with these configs.
    ConfigEntry topic(const Configs& own, std::string_view option) const;
    /// An option of this broker.
    ConfigEntry broker(std::string_view option) const;

    /// All of them, by name.
    std::vector<ConfigEntry> all_topic(std::string_view topic) const;
    std::vector<ConfigEntry> all_topic(const Configs& own) const;
    std::vector<ConfigEntry> all_broker() const;
    /// Those that are set for all brokers at run time.
    std::vector<ConfigEntry> all_cluster_wide() const;

    /// Values in their type. The option must exist and have that type.
    bool topic_bool(std::string_view topic, std::string_view option) const;
    int64_t topic_int(std::string_view topic, std::string_view option) const;
    double topic_double(std::string_view topic, std::string_view option) const;
    std::string topic_string(std::string_view topic, std::string_view option) const;
    std::vector<std::string> topic_list(std::string_view topic, std::string_view option) const;
    bool broker_bool(std::string_view option) const;
    int64_t broker_int(std::string_view option) const;
    std::string broker_string(std::string_view option) const;
    std::vector<std::string> broker_list(std::string_view option) const;
    /// Whether anybody says something of it, so that the default does not hold.
    bool broker_set(std::string_view option) const;

  private:
    struct Found;
    std::vector<Found> chain(const base::Option&, int64_t factor) const;
    std::optional<std::string> default_of(const base::Option&) const;

    const Image& image_;
    base::BrokerId broker_;
    const Configs& static_;
};

/// The smallest number of in-sync replicas for acks=all: min.insync.replicas, but never more than
/// the partition has replicas (KIP-966).
int min_isr(const ConfigView&, std::string_view topic, size_t replicas);

}  // namespace metadata
