#include "controller/features.h"

#include <algorithm>
#include <optional>
#include <set>

#include "metadata/records.h"

namespace controller {

namespace {

using kafka::Error;
using kafka::ErrorCode;
using Update = kafka::UpdateFeaturesRequest::FeatureUpdateKey;

enum Kind : int8_t { upgrade = 1, safe_downgrade = 2, unsafe_downgrade = 3 };

/// Version 0 says it otherwise.
int8_t kind_of(const Update& update) {
    return update.allow_downgrade ? int8_t{safe_downgrade} : update.upgrade_type;
}

Error refused(std::string why) { return {ErrorCode::invalid_update_version, std::move(why)}; }

std::string text(const metadata::FeatureRange& range) {
    return std::to_string(range.least) + " to " + std::to_string(range.most);
}

/// What a broker can work with. One that says nothing of it is of the first version that there was.
metadata::FeatureRange range_of(const metadata::Broker& broker, const std::string& feature) {
    auto it = broker.features.find(feature);
    if (it != broker.features.end()) return it->second;
    return feature == kMetadataVersion ? metadata::FeatureRange{1, 1} : metadata::FeatureRange{};
}

/// Whether a level lower than `level` could not say all that the image says.
bool has_more_than(const metadata::Image& image, int16_t level) {
    if (level >= kLevelWithRecovery) return false;
    return std::ranges::any_of(image.topics(), [](const auto& entry) {
        return std::ranges::any_of(entry.value->partitions,
                                   [](const auto& p) { return p->recovering; });
    });
}

std::optional<Error> refused_update(const State& state, const Update& update) {
    const int8_t kind = kind_of(update);
    const int16_t level = update.max_version_level;
    const auto& known = supported_features();
    const auto own = known.find(update.feature);
    if (own == known.end()) return refused("there is no feature " + update.feature.substr(0, 100));
    auto in = [&](const metadata::FeatureRange& range) {
        return level >= range.least && level <= range.most;
    };
    if (kind < upgrade || kind > unsafe_downgrade)
        return Error{ErrorCode::invalid_request, "there is no such kind of an update"};
    if (!in(own->second))
        return refused(update.feature + " can be " + text(own->second) + ", not " +
                       std::to_string(level));
    for (const auto& [id, broker] : state.image.brokers()) {
        const auto range = range_of(*broker, update.feature);
        if (!in(range))
            return refused("broker " + std::to_string(id.value) + " can work with " +
                           update.feature + " " + text(range) + ", not " + std::to_string(level));
    }
    const auto now = state.image.features().find(update.feature);
    if (now == state.image.features().end() || level >= now->second) return std::nullopt;
    if (kind == upgrade)
        return refused(update.feature + " is " + std::to_string(now->second) +
                       ": a lower level must be asked for as a downgrade");
    if (kind == unsafe_downgrade) return refused("unsafe downgrades are not supported");
    if (has_more_than(state.image, level))
        return refused(
            "partitions that recover from an unclean election could not be told any "
            "more at level " +
            std::to_string(level));
    return std::nullopt;
}

}  // namespace

const std::map<std::string, metadata::FeatureRange>& supported_features() {
    static const std::map<std::string, metadata::FeatureRange> features{
        {kMetadataVersion, {1, kLevelWithRecovery}}};
    return features;
}

Decision<kafka::UpdateFeaturesResponse> update_features(
    const State& state, const kafka::UpdateFeaturesRequest& request) {
    Decision<kafka::UpdateFeaturesResponse> d;
    d.response.error_message.reset();
    std::set<std::string> seen;
    for (const auto& update : request.feature_updates) {
        auto error = refused_update(state, update);
        if (!seen.insert(update.feature).second)
            error = Error{ErrorCode::invalid_request,
                          update.feature.substr(0, 100) + " stands twice in the request"};
        if (error) {
            d.records.clear();
            d.response.results.clear();
            d.response.error_code = error->code;
            d.response.error_message = error->message;
            return d;
        }
        d.response.results.push_back({update.feature, ErrorCode::none, std::nullopt});
        const auto now = state.image.features().find(update.feature);
        if (now == state.image.features().end() || now->second != update.max_version_level)
            d.records.push_back(metadata::feature_record(update.feature, update.max_version_level));
    }
    if (request.validate_only) d.records.clear();
    return d;
}

}  // namespace controller
