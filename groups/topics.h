#pragma once
#include <optional>
#include <string>

#include "base/uuid.h"

namespace io {
class Shard;
}

namespace groups {

/// Which topics there are, as the metadata has it. A topic made anew under an old name has another
/// id, and the positions of the old one mean nothing in it.
class Topics {
  public:
    virtual ~Topics() = default;
    /// Id of the topic of this name; none: there is no such topic. `here` is the calling shard.
    /// Never older than the change of metadata by which this broker leads what `here` coordinates,
    /// nor than what a client of any shard was told: a position in a topic just made is not an old
    /// one.
    virtual std::optional<base::Uuid> id_of(const io::Shard& here,
                                            const std::string& name) const = 0;
};

}  // namespace groups
