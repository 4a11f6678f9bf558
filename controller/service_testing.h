#pragma once
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "controller/features.h"
#include "controller/quorum/log_store.h"
#include "controller/requests.h"
#include "controller/service.h"
#include "metadata/delta.h"
#include "metadata/records.h"
#include "proto/metadata.pb.h"

namespace controller {

inline constexpr char kTestAddress[] = "here:19092";

inline quorum::LogStore::Options test_log_options(std::string cluster_id) {
    quorum::LogStore::Options options;
    options.id = 0;
    options.cluster_id = std::move(cluster_id);
    options.address = kTestAddress;
    options.draw = [n = uint64_t{40}]() mutable { return ++n; };
    return options;
}

/// The log of the only controller of a cluster, which it founds with the first call.
inline base::Result<quorum::LogStore::Opened> open_only_log(storage::Store& store,
                                                            const std::string& cluster_id) {
    ASSIGN_OR_RETURN(auto opened, quorum::LogStore::open(store, test_log_options(cluster_id)));
    if (opened.stored.last > 0 || !opened.stored.snapshot.configuration.voters.empty())
        return opened;
    raft::Configuration configuration;
    configuration.voters[opened.log->self()] = kTestAddress;
    ASSIGN_OR_RETURN(opened.stored, opened.log->found(cluster_id, configuration));
    return opened;
}

inline kafka::BrokerRegistrationRequest registration_of(const std::string& cluster_id,
                                                        const base::Uuid& process) {
    kafka::BrokerRegistrationRequest out;
    out.cluster_id = cluster_id;
    out.incarnation_id = process;
    for (const auto& [name, range] : supported_features())
        out.features.push_back({name, range.least, range.most});
    return out;
}

/// The state that the log of an only controller gives: all that is in it is committed.
inline base::Result<metadata::ImagePtr> image_of(storage::Store& store) {
    ASSIGN_OR_RETURN(const auto opened, quorum::LogStore::open(store, test_log_options("")));
    metadata::Delta delta{opened.image};
    metadata::LogPosition at = opened.image->position();
    ASSIGN_OR_RETURN(const auto entries,
                     opened.log->entries(at.index + 1, opened.stored.last + 1, SIZE_MAX));
    for (const auto& entry : entries) {
        at = {at.index + 1, entry.term};
        if (entry.kind != raft::EntryKind::data) continue;
        metadata::v1::Entry parsed;
        if (!parsed.ParseFromString(entry.data)) return base::data_loss("an entry");
        for (const auto& record : parsed.records()) RETURN_IF_ERROR(delta.replay(record));
    }
    return delta.apply(at);
}

}  // namespace controller
