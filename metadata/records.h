#pragma once
#include <vector>

#include "base/ids.h"
#include "metadata/image.h"
#include "proto/metadata.pb.h"

// Small conversions between records and our types, and the records that decisions are made of.
// Heavy (Protobuf): include it in .cc files only.
namespace metadata {

namespace v1 = ::moldau::metadata::v1;

inline base::Uuid uuid(const v1::Uuid& u) { return {u.hi(), u.lo()}; }
inline void set(v1::Uuid* to, const base::Uuid& from) {
    to->set_hi(from.hi);
    to->set_lo(from.lo);
}

inline std::vector<base::BrokerId> broker_ids(const google::protobuf::RepeatedField<int32_t>& ids) {
    std::vector<base::BrokerId> out;
    out.reserve(static_cast<size_t>(ids.size()));
    for (int32_t id : ids) out.push_back(base::BrokerId{id});
    return out;
}

v1::Record cluster_record(const std::string& cluster_id);
v1::Record feature_record(const std::string& name, int16_t level);
v1::Record broker_record(const Broker&);
/// Of the broker's present registration; what is not given stays.
v1::Record broker_change_record(const Broker&, std::optional<bool> fenced,
                                std::optional<bool> in_controlled_shutdown);
v1::Record unregister_broker_record(const Broker&);
v1::Record topic_record(const std::string& name, const base::TopicId&);
v1::Record partition_record(const base::TopicId&, const Partition&);
/// What makes `from` to `to`. The two differ in the leader epoch by at most one, and by one where
/// they differ in the leader; replaying it raises the partition epoch.
v1::Record partition_change_record(const base::TopicId&, const Partition& from,
                                   const Partition& to);
v1::Record remove_topic_record(const base::TopicId&);
/// Without a value: the config goes back to what holds without it.
v1::Record topic_config_record(const std::string& topic, const std::string& name,
                               const std::optional<std::string>& value);
/// Broker -1: the cluster-wide default.
v1::Record broker_config_record(base::BrokerId, const std::string& name,
                                const std::optional<std::string>& value);
v1::Record producer_ids_record(int64_t next, base::BrokerId to, int64_t broker_epoch);

}  // namespace metadata
