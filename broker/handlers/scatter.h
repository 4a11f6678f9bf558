#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "broker/call.h"
#include "broker/resolve.h"
#include "io/shard.h"
#include "replication/partitions.h"

namespace broker::handlers {

/// Asks something of each partition that a request names, on the shard where it lives, and gathers
/// the findings on the call's shard, in the order of the request: `found[topic][partition]`.
///
///   topics     of the request; each has `partitions`
///   place      (topic, partition of the request) → Resolved
///   ask        (replication::Partition&, partition of the request) → Finding, on its shard
///   failed     (kafka::Error) → Finding, for a partition that is not here
///   gathered   (std::vector<std::vector<Finding>>)
template <class Finding, class Topics, class Place, class Ask, class Failed, class Gathered>
void scatter(const CallPtr& call, const Topics& topics, Place place, Ask ask, Failed failed,
             Gathered gathered) {
    struct State {
        State(CallPtr c, Gathered g) : call(std::move(c)), gathered(std::move(g)) {}
        CallPtr call;
        Gathered gathered;
        std::vector<std::vector<Finding>> found;
        size_t left = 1;
        void one_less() {
            if (--left == 0) gathered(std::move(found));
        }
    };
    auto state = std::make_shared<State>(call, std::move(gathered));
    state->found.resize(topics.size());
    for (size_t t = 0; t < topics.size(); ++t) {
        state->found[t].resize(topics[t].partitions.size());
        for (size_t p = 0; p < topics[t].partitions.size(); ++p) {
            const auto& asked = topics[t].partitions[p];
            const Resolved at = place(topics[t], asked);
            if (at.error != kafka::ErrorCode::none) {
                state->found[t][p] = failed(kafka::Error{at.error, {}});
                continue;
            }
            ++state->left;
            auto& partitions = call->services.partitions;
            partitions.home(at.id).run([state, &partitions, id = at.id, asked, ask, failed, t, p] {
                const auto partition = partitions.find(id);
                Finding finding =
                    partition.ok() ? ask(**partition, asked) : failed(partition.error());
                state->call->local.shard.run([state, t, p, finding = std::move(finding)]() mutable {
                    state->found[t][p] = std::move(finding);
                    state->one_less();
                });
            });
        }
    }
    state->one_less();
}

}  // namespace broker::handlers
