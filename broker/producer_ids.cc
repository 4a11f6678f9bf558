#include "broker/producer_ids.h"

#include "broker/controller_link.h"
#include "io/shard.h"

namespace broker {

void ProducerIds::next(io::Shard& on, Done done) {
    home_.run([this, &on, done = std::move(done)]() mutable {
        waiting_.emplace_back(&on, std::move(done));
        serve();
    });
}

void ProducerIds::serve() {
    while (!waiting_.empty() && used_ < block_.size) {
        auto [on, done] = std::move(waiting_.front());
        waiting_.pop_front();
        on->run([done = std::move(done), id = base::ProducerId{block_.first + used_++}]() mutable {
            done(id);
        });
    }
    if (waiting_.empty() || asking_) return;
    asking_ = true;
    kafka::AllocateProducerIdsRequest request;
    request.broker_id = self_.value;
    request.broker_epoch = epoch_();
    controller_.ask(request, std::chrono::seconds(10), home_, [this](auto outcome) {
        asking_ = false;
        const auto code = outcome ? outcome->response.error_code : outcome.error().code;
        if (code == kafka::ErrorCode::none) {
            block_ = {outcome->response.producer_id_start, outcome->response.producer_id_len};
            used_ = 0;
            return serve();
        }
        // Clients try again on this one.
        const kafka::Error error{kafka::ErrorCode::coordinator_load_in_progress,
                                 "no producer ids: " + std::string(kafka::name(code))};
        for (auto& [on, done] : std::exchange(waiting_, {}))
            on->run([done = std::move(done), error]() mutable { done(error); });
    });
}

}  // namespace broker
