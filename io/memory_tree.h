#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/volatile_bytes.h"

namespace io {

/// A file or a directory of a MemoryDisk.
struct MemoryNode {
    using Entries = std::map<std::string, std::shared_ptr<MemoryNode>, std::less<>>;

    bool directory = false;
    VolatileBytes bytes;      // of a file
    Entries entries;          // of a directory, as seen now
    Entries durable_entries;  // … and as certain to be on the medium
    bool linked = true;       // false once it was removed: it takes no space any more
};

/// The directories of a MemoryDisk, with the changes to them that are not on the medium yet. Paths
/// must be valid: MemoryDisk checks them first.
class MemoryTree {
  public:
    using Node = std::shared_ptr<MemoryNode>;
    struct Place {
        Node directory;
        std::string name;  // empty: the root itself
    };
    /// One entry's new target, null to remove it. The list of a single operation is kept or lost
    /// whole.
    struct EntryChange {
        Node directory;
        std::string name;
        Node target;
    };
    using Change = std::vector<EntryChange>;

    MemoryTree();

    const Node& root() const { return root_; }
    /// Null if it is not there.
    Node find(std::string_view path) const;
    /// The parent's node, null if that is no directory, and the last name of the path.
    Place place(std::string_view path) const;

    void change(Change change);
    /// Makes the changes to the directory durable, and those earlier ones that they build upon.
    void sync(const Node& directory);

    MemoryTree clone() const;
    /// Loses what a power loss loses: see MemoryDisk::after_power_loss.
    void lose_power(Dice&);
    /// Bytes of all files that have a name.
    uint64_t used() const;

  private:
    Node root_;
    std::vector<Change> unsynced_;  // in the order made
};

}  // namespace io
