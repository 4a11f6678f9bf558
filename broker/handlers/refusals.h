#pragma once
#include "controller/requests.h"
#include "kafka/errors.h"

/// The response to a request that was not decided: the error in every place that has one.
namespace broker::handlers {

template <class Row>
void set_error(Row& row, const kafka::Error& error) {
    row.error_code = error.code;
    row.error_message = error.message;
}

inline kafka::CreateTopicsResponse refused(const kafka::CreateTopicsRequest& request,
                                           const kafka::Error& error) {
    kafka::CreateTopicsResponse out;
    for (const auto& topic : request.topics) {
        auto& row = out.topics.emplace_back();
        row.name = topic.name;
        set_error(row, error);
    }
    return out;
}

inline kafka::DeleteTopicsResponse refused(const kafka::DeleteTopicsRequest& request,
                                           const kafka::Error& error) {
    kafka::DeleteTopicsResponse out;
    for (const auto& topic : request.topics) {
        auto& row = out.responses.emplace_back();
        row.name = topic.name;
        row.topic_id = topic.topic_id;
        set_error(row, error);
    }
    for (const auto& name : request.topic_names) {
        auto& row = out.responses.emplace_back();
        row.name = name;
        set_error(row, error);
    }
    return out;
}

inline kafka::CreatePartitionsResponse refused(const kafka::CreatePartitionsRequest& request,
                                               const kafka::Error& error) {
    kafka::CreatePartitionsResponse out;
    for (const auto& topic : request.topics)
        out.results.push_back({topic.name, error.code, error.message});
    return out;
}

template <class Response, class Request>
Response refused_resources(const Request& request, const kafka::Error& error) {
    Response out;
    for (const auto& resource : request.resources) {
        auto& row = out.responses.emplace_back();
        row.resource_type = resource.resource_type;
        row.resource_name = resource.resource_name;
        set_error(row, error);
    }
    return out;
}
inline kafka::AlterConfigsResponse refused(const kafka::AlterConfigsRequest& request,
                                           const kafka::Error& error) {
    return refused_resources<kafka::AlterConfigsResponse>(request, error);
}
inline kafka::IncrementalAlterConfigsResponse refused(
    const kafka::IncrementalAlterConfigsRequest& request, const kafka::Error& error) {
    return refused_resources<kafka::IncrementalAlterConfigsResponse>(request, error);
}

inline kafka::ElectLeadersResponse refused(const kafka::ElectLeadersRequest& request,
                                           const kafka::Error& error) {
    kafka::ElectLeadersResponse out;
    out.error_code = error.code;
    if (!request.topic_partitions) return out;
    for (const auto& topic : *request.topic_partitions) {
        auto& row = out.replica_election_results.emplace_back();
        row.topic = topic.topic;
        for (const auto index : topic.partitions)
            row.partition_result.push_back({index, error.code, error.message});
    }
    return out;
}

/// Those whose error is of the request as a whole, with or without a text.
template <class Request>
typename controller::ResponseTo<Request>::type refused(const Request&, const kafka::Error& error) {
    typename controller::ResponseTo<Request>::type out;
    out.error_code = error.code;
    if constexpr (requires { out.error_message; }) out.error_message = error.message;
    return out;
}

}  // namespace broker::handlers
