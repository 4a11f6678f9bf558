#pragma once
#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "kafka/records/validate.h"
#include "metadata/config.h"
#include "replication/partitions.h"

namespace broker {

/// The configs of a topic in the form in which the layers below act by them.
kafka::BatchRules batch_rules(const metadata::ConfigView&, const metadata::Topic&);
replication::Partitions::Settings partition_settings(const metadata::ConfigView&,
                                                     const metadata::Topic&);

/// The batch rules of the topics that are produced to, so that a produce looks up no config.
/// Of one shard; to be cleared with every new image.
class TopicRules {
  public:
    kafka::BatchRules of(const metadata::ConfigView& configs, const metadata::Topic& topic) {
        const auto known = rules_.find(topic.id);
        if (known != rules_.end()) return known->second;
        return rules_.emplace(topic.id, batch_rules(configs, topic)).first->second;
    }
    void clear() { rules_.clear(); }

  private:
    absl::flat_hash_map<base::TopicId, kafka::BatchRules> rules_;
};

}  // namespace broker
