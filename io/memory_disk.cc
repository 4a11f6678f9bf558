#include "io/memory_disk.h"

#include <algorithm>
#include <array>
#include <limits>
#include <mutex>
#include <optional>
#include <set>

#include "base/check.h"
#include "io/memory_tree.h"

namespace io {

using Operation = MemoryDisk::Operation;
using Node = MemoryTree::Node;

struct MemoryDiskState {
    struct Fault {
        Operation operation;
        uint64_t after;  // operations still to pass
        uint64_t times;  // failures still to come after those
        std::string path_part;
    };

    explicit MemoryDiskState(uint64_t seed) : dice(seed) {}

    /// Counts the operation. An error if it is to fail.
    base::Status admit(Operation, const std::string& path);
    /// Counts a change. An error if the power is off.
    base::Status take_change(const std::string& path);
    bool off() const { return changes_left == 0; }
    uint64_t space() const { return capacity > used ? capacity - used : 0; }

    std::mutex mutex;
    MemoryTree tree;
    Dice dice;
    uint64_t capacity = uint64_t{1} << 40;
    uint64_t used = 0;  // by files that have a name
    std::vector<Fault> faults;
    std::array<uint64_t, 8> counts{};
    uint64_t changes = 0;
    std::optional<uint64_t> changes_left;
    std::set<Node> locked;
};

namespace {

constexpr std::array<const char*, 8> kOperationNames = {
    "open", "read", "append", "truncate", "sync", "sync directory", "rename", "remove"};

base::Status power_is_off(const std::string& path) {
    return base::unavailable(path + ": power is off");
}

std::string not_there(const std::string& path) { return path + ": no such file or directory"; }

/// Frees the space of a node that lost its name.
void release(MemoryDiskState& state, MemoryNode& node) {
    node.linked = false;
    state.used -= node.bytes.size();
}

class MemoryFile : public File {
  public:
    MemoryFile(std::shared_ptr<MemoryDiskState> state, Node node, std::string path, bool writable)
        : state_(std::move(state)),
          node_(std::move(node)),
          path_(std::move(path)),
          writable_(writable) {}

    base::Status append(std::span<const base::View> pieces) override {
        std::lock_guard lock(state_->mutex);
        if (!writable_) return read_only();
        base::Bytes bytes;
        for (base::View piece : pieces) bytes.insert(bytes.end(), piece.begin(), piece.end());
        if (auto s = state_->admit(Operation::append, path_); !s.ok()) {
            if (!state_->off()) add(std::span(bytes).first(state_->dice.below(bytes.size() + 1)));
            return s;
        }
        uint64_t space = state_->space();
        add(std::span(bytes).first(std::min<uint64_t>(space, bytes.size())));
        return bytes.size() <= space ? base::ok() : base::exhausted(path_ + ": no space left");
    }

    base::Result<size_t> read_at(uint64_t position, base::MutableView to) const override {
        std::lock_guard lock(state_->mutex);
        RETURN_IF_ERROR(state_->admit(Operation::read, path_));
        base::View now = node_->bytes.now();
        if (position >= now.size()) return size_t{0};
        size_t n = std::min<uint64_t>(to.size(), now.size() - position);
        std::copy_n(now.begin() + static_cast<ptrdiff_t>(position), n, to.begin());
        return n;
    }

    base::Status sync() override {
        std::lock_guard lock(state_->mutex);
        if (auto s = state_->admit(Operation::sync, path_); !s.ok()) {
            if (!state_->off()) node_->bytes.sync_failed(state_->dice);
            return s;
        }
        node_->bytes.sync();
        return base::ok();
    }

    base::Status truncate(uint64_t size) override {
        std::lock_guard lock(state_->mutex);
        if (!writable_) return read_only();
        RETURN_IF_ERROR(state_->admit(Operation::truncate, path_));
        uint64_t before = node_->bytes.size();
        node_->bytes.truncate(size);
        if (node_->linked) state_->used += size - before;
        return base::ok();
    }

    uint64_t size() const override {
        std::lock_guard lock(state_->mutex);
        return node_->bytes.size();
    }

    const std::string& path() const override { return path_; }

  private:
    base::Status read_only() const { return base::precondition(path_ + ": open for reading only"); }

    void add(base::View bytes) {
        node_->bytes.append(bytes);
        if (node_->linked) state_->used += bytes.size();
    }

    std::shared_ptr<MemoryDiskState> state_;
    Node node_;
    std::string path_;
    bool writable_;
};

class MemoryLock : public DirectoryLock {
  public:
    MemoryLock(std::shared_ptr<MemoryDiskState> state, Node node)
        : state_(std::move(state)), node_(std::move(node)) {}
    ~MemoryLock() override {
        std::lock_guard lock(state_->mutex);
        state_->locked.erase(node_);
    }

  private:
    std::shared_ptr<MemoryDiskState> state_;
    Node node_;
};

}  // namespace

base::Status MemoryDiskState::take_change(const std::string& path) {
    if (off()) return power_is_off(path);
    if (changes_left) --*changes_left;
    ++changes;
    return base::ok();
}

base::Status MemoryDiskState::admit(Operation operation, const std::string& path) {
    ++counts[static_cast<size_t>(operation)];
    const char* name = kOperationNames[static_cast<size_t>(operation)];
    bool change = operation != Operation::read && operation != Operation::open;
    if (change) RETURN_IF_ERROR(take_change(path));
    else if (off()) return power_is_off(path);
    for (auto fault = faults.begin(); fault != faults.end(); ++fault) {
        if (fault->operation != operation || path.find(fault->path_part) == path.npos) continue;
        if (fault->after > 0) {
            --fault->after;
            continue;
        }
        if (--fault->times == 0) faults.erase(fault);
        return base::unavailable(path + ": " + name + ": input/output error");
    }
    return base::ok();
}

MemoryDisk::MemoryDisk(uint64_t seed) : state_(std::make_shared<MemoryDiskState>(seed)) {}
MemoryDisk::MemoryDisk(std::shared_ptr<MemoryDiskState> state) : state_(std::move(state)) {}
MemoryDisk::~MemoryDisk() = default;

base::Result<std::unique_ptr<File>> MemoryDisk::open(const std::string& path, Open how) {
    std::lock_guard lock(state_->mutex);
    RETURN_IF_ERROR(state_->admit(Operation::open, path));
    Node node = state_->tree.find(path);
    if (node && node->directory) return base::precondition(path + ": is a directory");
    if (node && how == Open::create_new) return base::already_exists(path + ": file exists");
    if (!node) {
        auto place = state_->tree.place(path);
        bool may_create = how == Open::create || how == Open::create_new;
        if (!may_create || !place.directory) return base::not_found(not_there(path));
        RETURN_IF_ERROR(state_->take_change(path));
        node = std::make_shared<MemoryNode>();
        state_->tree.change({{place.directory, place.name, node}});
    }
    return std::make_unique<MemoryFile>(state_, node, path, how != Open::read_only);
}

base::Status MemoryDisk::remove(const std::string& path) {
    std::lock_guard lock(state_->mutex);
    RETURN_IF_ERROR(state_->admit(Operation::remove, path));
    Node node = state_->tree.find(path);
    if (!node) return base::not_found(not_there(path));
    if (node->directory) return base::precondition(path + ": is a directory");
    auto place = state_->tree.place(path);
    state_->tree.change({{place.directory, place.name, nullptr}});
    release(*state_, *node);
    return base::ok();
}

namespace {

/// Removes what is in the directory, entry by entry as a file system does.
void empty_directory(MemoryDiskState& state, const Node& directory) {
    auto entries = directory->entries;
    for (const auto& [name, node] : entries) {
        if (node->directory) empty_directory(state, node);
        else release(state, *node);
        state.tree.change({{directory, name, nullptr}});
    }
}

}  // namespace

base::Status MemoryDisk::remove_all(const std::string& path) {
    std::lock_guard lock(state_->mutex);
    RETURN_IF_ERROR(state_->admit(Operation::remove, path));
    Node node = state_->tree.find(path);
    if (!node) return base::ok();
    auto place = state_->tree.place(path);
    CHECK(!place.name.empty()) << "removal of the root";
    if (node->directory) empty_directory(*state_, node);
    else release(*state_, *node);
    state_->tree.change({{place.directory, place.name, nullptr}});
    return base::ok();
}

base::Status MemoryDisk::rename(const std::string& from, const std::string& to) {
    std::lock_guard lock(state_->mutex);
    RETURN_IF_ERROR(state_->admit(Operation::rename, from));
    Node node = state_->tree.find(from);
    auto source = state_->tree.place(from);
    auto target = state_->tree.place(to);
    if (!node || source.name.empty()) return base::not_found(not_there(from));
    if (!target.directory) return base::not_found(not_there(to));
    Node replaced = state_->tree.find(to);
    if (replaced == node) return base::ok();
    if (replaced && (replaced->directory != node->directory || !replaced->entries.empty()))
        return base::precondition(to + ": not replaceable by " + from);
    state_->tree.change(
        {{source.directory, source.name, nullptr}, {target.directory, target.name, node}});
    if (replaced) release(*state_, *replaced);
    return base::ok();
}

base::Status MemoryDisk::make_directories(const std::string& path) {
    std::lock_guard lock(state_->mutex);
    for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        std::string part = path.substr(0, end);
        auto place = state_->tree.place(part);
        Node node = state_->tree.find(part);
        if (!place.directory || (node && !node->directory))
            return base::precondition(part + ": not a directory");
        if (!node) {
            RETURN_IF_ERROR(state_->take_change(part));
            node = std::make_shared<MemoryNode>();
            node->directory = true;
            state_->tree.change({{place.directory, place.name, node}});
        }
        if (end == std::string::npos) return base::ok();
    }
}

base::Status MemoryDisk::sync_directory(const std::string& path) {
    std::lock_guard lock(state_->mutex);
    RETURN_IF_ERROR(state_->admit(Operation::sync_directory, path));
    Node node = state_->tree.find(path);
    if (!node || !node->directory) return base::not_found(not_there(path));
    state_->tree.sync(node);
    return base::ok();
}

base::Result<std::vector<std::string>> MemoryDisk::list(const std::string& path) {
    std::lock_guard lock(state_->mutex);
    RETURN_IF_ERROR(state_->admit(Operation::open, path));
    Node node = state_->tree.find(path);
    if (!node || !node->directory) return base::not_found(not_there(path));
    std::vector<std::string> names;
    for (const auto& [name, entry] : node->entries) names.push_back(name);
    return names;
}

bool MemoryDisk::exists(const std::string& path) {
    std::lock_guard lock(state_->mutex);
    return state_->tree.find(path) != nullptr;
}

base::Result<uint64_t> MemoryDisk::free_bytes(const std::string& path) {
    std::lock_guard lock(state_->mutex);
    if (!state_->tree.find(path)) return base::not_found(not_there(path));
    return state_->space();
}

base::Result<std::unique_ptr<DirectoryLock>> MemoryDisk::lock(const std::string& directory) {
    std::lock_guard lock(state_->mutex);
    Node node = state_->tree.find(directory);
    if (!node || !node->directory) return base::not_found(not_there(directory));
    if (!state_->locked.insert(node).second)
        return base::precondition(directory + ": in use by another process");
    return std::make_unique<MemoryLock>(state_, node);
}

std::unique_ptr<MemoryDisk> MemoryDisk::after_power_loss(uint64_t seed) const {
    auto image = after_process_crash();
    Dice dice(seed);
    image->state_->tree.lose_power(dice);
    image->state_->used = image->state_->tree.used();
    return image;
}

std::unique_ptr<MemoryDisk> MemoryDisk::after_process_crash() const {
    std::lock_guard lock(state_->mutex);
    auto state = std::make_shared<MemoryDiskState>(0);
    state->dice = state_->dice;
    state->capacity = state_->capacity;
    state->tree = state_->tree.clone();
    state->used = state->tree.used();
    return std::unique_ptr<MemoryDisk>(new MemoryDisk(std::move(state)));
}

void MemoryDisk::set_capacity(uint64_t bytes) {
    std::lock_guard lock(state_->mutex);
    state_->capacity = bytes;
}

void MemoryDisk::fail(Operation operation, uint64_t nth, uint64_t times, std::string path_part) {
    CHECK(nth > 0 && times > 0);
    std::lock_guard lock(state_->mutex);
    state_->faults.push_back({operation, nth - 1, times, std::move(path_part)});
}

void MemoryDisk::heal() {
    std::lock_guard lock(state_->mutex);
    state_->faults.clear();
    state_->changes_left.reset();
    state_->capacity = uint64_t{1} << 40;
}

void MemoryDisk::stop_after(uint64_t changes) {
    std::lock_guard lock(state_->mutex);
    state_->changes_left = changes;
}

uint64_t MemoryDisk::changes() const {
    std::lock_guard lock(state_->mutex);
    return state_->changes;
}

uint64_t MemoryDisk::count(Operation operation) const {
    std::lock_guard lock(state_->mutex);
    return state_->counts[static_cast<size_t>(operation)];
}

void MemoryDisk::flip_bit(const std::string& path, uint64_t offset, unsigned bit) {
    std::lock_guard lock(state_->mutex);
    Node node = state_->tree.find(path);
    CHECK(node && !node->directory) << path;
    node->bytes.flip_bit(offset, bit);
}

}  // namespace io
