#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/status.h"
#include "metadata/image.h"

namespace moldau::metadata::v1 {
class Record;
class RegisterBroker;
class UnregisterBroker;
class BrokerChange;
class Topic;
class RemoveTopic;
class Partition;
class PartitionChange;
class Config;
class ProducerIds;
class FeatureLevel;
class Cluster;
}  // namespace moldau::metadata::v1

namespace metadata {

namespace v1 = ::moldau::metadata::v1;

/// What a list of records changes of an image: `Delta{base}`, `replay(record)`…, `apply()` gives
/// the next image. The same base and the same records give the same image on every node.
class Delta {
  public:
    explicit Delta(ImagePtr base);

    /// For subscribers when a snapshot has replaced the state: what leads from one image to
    /// another, as if the records between them had been replayed; those that took each other back
    /// leave no trace. What both images share is not looked at.
    static std::shared_ptr<Delta> between(ImagePtr from, const ImagePtr& to);

    /// Takes one record. kInvalidArgument, and nothing changed, if the record does not fit the
    /// state (an unknown topic, a partition out of order) or is of a kind that this version does
    /// not know: either the log is damaged or this node is too old to follow it, and it must stop.
    base::Status replay(const v1::Record&);

    /// The image with all of it so far, at the position it has (at first the base's), or at
    /// `through`. More may be replayed afterwards; images given out do not change.
    ImagePtr apply() { return apply(next_.position()); }
    ImagePtr apply(const LogPosition& through);

    const ImagePtr& base() const { return base_; }
    bool empty() const;

    struct TopicChange {
        bool created = false;
        bool configs = false;
        std::set<base::PartitionIndex> partitions;  // new or changed
    };
    /// Topics that are new or changed and exist at the end.
    const std::map<base::TopicId, TopicChange>& topics() const { return topics_; }
    /// Topics of the base that are gone, with their last state.
    const std::map<base::TopicId, std::shared_ptr<const Topic>>& removed_topics() const {
        return removed_topics_;
    }
    /// Registered, changed or unregistered.
    const std::set<base::BrokerId>& brokers() const { return brokers_; }
    /// Brokers whose dynamic configs changed; -1: those of all brokers.
    const std::set<base::BrokerId>& broker_configs() const { return broker_configs_; }

  private:
    base::Status register_broker(const v1::RegisterBroker&);
    base::Status unregister_broker(const v1::UnregisterBroker&);
    base::Status change_broker(const v1::BrokerChange&);
    base::Status add_topic(const v1::Topic&);
    base::Status remove_topic(const v1::RemoveTopic&);
    base::Status set_partition(const v1::Partition&);
    base::Status change_partition(const v1::PartitionChange&);
    base::Status set_config(const v1::Config&);
    base::Status set_topic_config(const v1::Config&);
    base::Status set_broker_config(const v1::Config&);
    base::Status set_producer_ids(const v1::ProducerIds&);
    base::Status set_feature(const v1::FeatureLevel&);
    base::Status set_cluster(const v1::Cluster&);

    const Topic* current(const base::TopicId&) const;
    std::optional<base::TopicId> named(const std::string&) const;
    /// The topic `current` to edit.
    Topic& edit(const Topic& current);
    void note_change(const base::TopicId&, const Topic* old, const Topic& now);

    ImagePtr base_;
    Image next_;  // topics under edit are here as they were, those that are new not yet
    std::map<base::TopicId, std::shared_ptr<Topic>> edited_;
    std::map<std::string, base::TopicId> new_names_;
    std::map<base::TopicId, TopicChange> topics_;
    std::map<base::TopicId, std::shared_ptr<const Topic>> removed_topics_;
    std::set<base::BrokerId> brokers_;
    std::set<base::BrokerId> broker_configs_;
    bool other_ = false;  // cluster id, producer ids, features
};

}  // namespace metadata
