#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "base/ids.h"

namespace lab {

/// A number for each offset of a partition, 0 where none was set. Pages, so that it takes memory
/// by what is in it, and not by how high a (perhaps damaged) offset is.
class OffsetTable {
  public:
    uint64_t at(base::Offset offset) const {
        if (offset < 0) return 0;
        const auto page = pages_.find(offset / page_size);
        return page == pages_.end() ? 0 : (*page->second)[index(offset)];
    }
    /// `offset` >= 0.
    uint64_t& operator[](base::Offset offset) {
        if (const base::Offset number = offset / page_size; number != last_number_) {
            auto& page = pages_[number];
            if (!page) page = std::make_unique<Page>();
            last_number_ = number;
            last_ = page.get();
        }
        return (*last_)[index(offset)];
    }
    bool empty() const { return pages_.empty(); }
    /// Calls `each(offset, number)` for what is set, by rising offset.
    template <class Each>
    void for_each(Each each) const {
        for (const auto& [number, page] : pages_)
            for (base::Offset i = 0; i < page_size; ++i)
                if (const uint64_t set = (*page)[index(i)]; set != 0)
                    each(number * page_size + i, set);
    }

  private:
    static constexpr base::Offset page_size = 1024;
    using Page = std::array<uint64_t, page_size>;
    static size_t index(base::Offset offset) { return static_cast<size_t>(offset % page_size); }

    std::map<base::Offset, std::unique_ptr<Page>> pages_;
    base::Offset last_number_ = -1;
    Page* last_ = nullptr;
};

}  // namespace lab
