#include "groups/effects.h"

namespace groups {

void Turn::answer(RequestId to, Answer::Body body) {
    if (to == 0) return;
    auto& answer = effects.answers.emplace_back();
    answer.to = to;
    answer.body = std::move(body);
}

WriteId Turn::write(std::vector<Record> records) {
    effects.writes.push_back({++last_write_, std::move(records)});
    return last_write_;
}

}  // namespace groups
