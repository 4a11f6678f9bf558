#include "io/memory_tree.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/check.h"

namespace io {

namespace {

std::vector<std::string_view> names_of(std::string_view path) {
    std::vector<std::string_view> names;
    while (!path.empty()) {
        std::string_view name = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(path.size(), name.size() + 1));
        if (name.empty() || name == ".") continue;
        CHECK(name != "..") << "a path with ..";
        names.push_back(name);
    }
    return names;
}

void set_entry(MemoryNode::Entries& entries, const MemoryTree::EntryChange& change) {
    if (change.target) entries[change.name] = change.target;
    else entries.erase(change.name);
}

void set_durable(const MemoryTree::Change& change) {
    for (const auto& entry : change) set_entry(entry.directory->durable_entries, entry);
}

/// Copies a graph of nodes, each once.
class Copier {
  public:
    MemoryTree::Node copy(const MemoryTree::Node& from) {
        if (!from) return nullptr;
        auto [at, is_new] = copies_.try_emplace(from.get());
        if (!is_new) return at->second;
        auto to = at->second = std::make_shared<MemoryNode>();
        to->directory = from->directory;
        to->bytes = from->bytes;
        to->linked = from->linked;
        for (const auto& [name, node] : from->entries) to->entries[name] = copy(node);
        for (const auto& [name, node] : from->durable_entries)
            to->durable_entries[name] = copy(node);
        return to;
    }

  private:
    std::unordered_map<const MemoryNode*, MemoryTree::Node> copies_;
};

void lose_content(MemoryNode& node, Dice& dice) {
    if (!node.directory) {
        node.bytes = VolatileBytes(node.bytes.after_power_loss(dice));
        node.linked = true;
        return;
    }
    node.entries = node.durable_entries;
    for (const auto& [name, child] : node.entries) lose_content(*child, dice);
}

uint64_t used_by(const MemoryNode& node) {
    uint64_t used = node.bytes.size();
    for (const auto& [name, child] : node.entries) used += used_by(*child);
    return used;
}

}  // namespace

MemoryTree::MemoryTree() : root_(std::make_shared<MemoryNode>()) { root_->directory = true; }

MemoryTree::Node MemoryTree::find(std::string_view path) const {
    Node node = root_;
    for (std::string_view name : names_of(path)) {
        auto entry = node->entries.find(name);
        if (entry == node->entries.end()) return nullptr;
        node = entry->second;
    }
    return node;
}

MemoryTree::Place MemoryTree::place(std::string_view path) const {
    auto names = names_of(path);
    if (names.empty()) return {root_, ""};
    Node node = root_;
    for (size_t i = 0; i + 1 < names.size(); ++i) {
        auto entry = node->entries.find(names[i]);
        if (entry == node->entries.end()) return {nullptr, std::string(names.back())};
        node = entry->second;
    }
    if (!node->directory) node = nullptr;
    return {node, std::string(names.back())};
}

void MemoryTree::change(Change change) {
    for (const auto& entry : change) set_entry(entry.directory->entries, entry);
    unsynced_.push_back(std::move(change));
}

void MemoryTree::sync(const Node& directory) {
    std::set<Node> synced{directory};
    std::vector<bool> chosen(unsynced_.size());
    for (size_t i = unsynced_.size(); i-- > 0;) {
        chosen[i] = std::ranges::any_of(
            unsynced_[i], [&](const EntryChange& e) { return synced.contains(e.directory); });
        if (!chosen[i]) continue;
        for (const auto& entry : unsynced_[i]) synced.insert(entry.directory);
    }
    std::vector<Change> left;
    for (size_t i = 0; i < unsynced_.size(); ++i) {
        if (chosen[i]) set_durable(unsynced_[i]);
        else left.push_back(std::move(unsynced_[i]));
    }
    unsynced_ = std::move(left);
}

MemoryTree MemoryTree::clone() const {
    Copier copier;
    MemoryTree tree;
    tree.root_ = copier.copy(root_);
    for (const Change& change : unsynced_) {
        Change copied;
        for (const auto& entry : change)
            copied.push_back({copier.copy(entry.directory), entry.name, copier.copy(entry.target)});
        tree.unsynced_.push_back(std::move(copied));
    }
    return tree;
}

void MemoryTree::lose_power(Dice& dice) {
    bool journal = dice.one_in(2);
    size_t kept = dice.below(unsynced_.size() + 1);
    for (size_t i = 0; i < unsynced_.size(); ++i) {
        if (journal ? i < kept : dice.one_in(2)) set_durable(unsynced_[i]);
    }
    unsynced_.clear();
    lose_content(*root_, dice);
}

uint64_t MemoryTree::used() const { return used_by(*root_); }

}  // namespace io
