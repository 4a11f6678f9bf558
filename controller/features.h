#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "controller/decision.h"
#include "kafka/messages/update_features.h"

namespace controller {

/// The feature whose level says which records may be written. Level 1: clusters of one broker and
/// of many. Level 2: what a partition lost by an unclean election is written down
/// (`Partition::recovering`).
inline const std::string kMetadataVersion = "metadata.version";
constexpr int16_t kLevelWithRecovery = 2;

/// The features that this version knows, with the levels that it can work with: what a broker
/// registers with.
const std::map<std::string, metadata::FeatureRange>& supported_features();

/// Finalizes all of the levels or, if one of them can't be, none (KIP-584, KIP-778): the error is
/// that of the whole response. 95 for a feature that nobody knows, a level that this node or a
/// registered broker can't work with, a downgrade that is not called one or would lose what was
/// written down; 42 for a feature twice or a kind of update that there is not.
Decision<kafka::UpdateFeaturesResponse> update_features(const State&,
                                                        const kafka::UpdateFeaturesRequest&);

}  // namespace controller
