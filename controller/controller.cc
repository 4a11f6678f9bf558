#include "controller/controller.h"

#include <string>

namespace controller {

base::Result<std::shared_ptr<const metadata::Delta>> Controller::replay(
    std::span<const Entry> entries) {
    auto delta = std::make_shared<metadata::Delta>(image_);
    metadata::LogPosition at = image_->position();
    for (const auto& entry : entries) {
        const auto& next = entry.position;
        if (next.index != at.index + 1 || next.term < at.term)
            return base::invalid("metadata entry " + std::to_string(next.index) + " of term " +
                                 std::to_string(next.term) + " does not follow " +
                                 std::to_string(at.index) + " of term " + std::to_string(at.term));
        for (const auto& record : entry.records) RETURN_IF_ERROR(delta->replay(record));
        at = next;
    }
    image_ = delta->apply(at);
    return std::shared_ptr<const metadata::Delta>(std::move(delta));
}

}  // namespace controller
