#include "broker/producer_ids.h"

#include "controller/service.h"
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
    controller_.allocate_producer_ids(
        self_, epoch_, home_, [this](kafka::Outcome<controller::ProducerIdBlock> block) {
            asking_ = false;
            if (block.ok()) {
                block_ = *block;
                used_ = 0;
                return serve();
            }
            for (auto& [on, done] : std::exchange(waiting_, {}))
                on->run([done = std::move(done), error = block.error()]() mutable { done(error); });
        });
}

}  // namespace broker
