#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace metadata {

/// An ordered map whose copies share: a copy costs one pointer, a change copies the O(log n) nodes
/// on the way to it (an AVL tree), and every older copy stays as it was. Iterates in key order.
/// Safe to read from any thread; values should be cheap to copy (shared pointers).
template <class K, class V>
class PersistentMap {
    struct Node;
    using Link = std::shared_ptr<const Node>;

  public:
    struct Entry {
        K key;
        V value;
    };

    class Iterator {
      public:
        using value_type = Entry;
        using difference_type = std::ptrdiff_t;

        const Entry& operator*() const { return path_.back()->entry; }
        const Entry* operator->() const { return &path_.back()->entry; }
        Iterator& operator++() {
            const Node* next = path_.back()->right.get();
            path_.pop_back();
            for (; next != nullptr; next = next->left.get()) path_.push_back(next);
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(const Iterator& o) const {
            return path_.empty() ? o.path_.empty()
                                 : !o.path_.empty() && path_.back() == o.path_.back();
        }

      private:
        friend class PersistentMap;
        std::vector<const Node*> path_;  // the nodes still to visit whose left side is done
    };

    bool empty() const { return root_ == nullptr; }
    size_t size() const { return root_ ? root_->size : 0; }

    /// The value, or null. Valid while this map or a copy that shares the node lives.
    template <class Q>
    const V* find(const Q& key) const {
        const Node* n = root_.get();
        while (n != nullptr) {
            if (key < n->entry.key) n = n->left.get();
            else if (n->entry.key < key) n = n->right.get();
            else return &n->entry.value;
        }
        return nullptr;
    }
    template <class Q>
    bool contains(const Q& key) const {
        return find(key) != nullptr;
    }

    Iterator begin() const {
        Iterator it;
        for (const Node* n = root_.get(); n != nullptr; n = n->left.get()) it.path_.push_back(n);
        return it;
    }
    Iterator end() const { return {}; }
    /// The first entry whose key is not less than `key`.
    template <class Q>
    Iterator lower_bound(const Q& key) const {
        Iterator it;
        for (const Node* n = root_.get(); n != nullptr;) {
            if (n->entry.key < key) {
                n = n->right.get();
            } else {
                it.path_.push_back(n);
                n = n->left.get();
            }
        }
        return it;
    }

    /// Inserts or replaces.
    void put(K key, V value) { root_ = put(root_, Entry{std::move(key), std::move(value)}); }
    /// The same for many, in the order of their keys and each key once: copies what lies on the way
    /// to several of them once only.
    void put_all(std::vector<Entry> sorted) { root_ = put_all(root_, std::span<Entry>(sorted)); }
    template <class Q>
    void erase(const Q& key) {
        if (contains(key)) root_ = erase(root_, key);
    }

  private:
    struct Node {
        Entry entry;
        Link left, right;
        size_t size;
        uint8_t height;
    };

    static uint8_t height(const Link& n) { return n ? n->height : 0; }
    static size_t size(const Link& n) { return n ? n->size : 0; }

    static Link make(Entry entry, Link left, Link right) {
        size_t count = size(left) + size(right) + 1;
        auto tall = static_cast<uint8_t>(std::max(height(left), height(right)) + 1);
        return std::make_shared<const Node>(
            Node{std::move(entry), std::move(left), std::move(right), count, tall});
    }

    /// make(), with the rotation owed where one side is two higher than the other.
    static Link balanced(Entry entry, Link left, Link right) {
        if (height(left) > height(right) + 1) {
            if (height(left->left) >= height(left->right))
                return make(left->entry, left->left,
                            make(std::move(entry), left->right, std::move(right)));
            const Link& middle = left->right;
            return make(middle->entry, make(left->entry, left->left, middle->left),
                        make(std::move(entry), middle->right, std::move(right)));
        }
        if (height(right) > height(left) + 1) {
            if (height(right->right) >= height(right->left))
                return make(right->entry, make(std::move(entry), std::move(left), right->left),
                            right->right);
            const Link& middle = right->left;
            return make(middle->entry, make(std::move(entry), std::move(left), middle->left),
                        make(right->entry, middle->right, right->right));
        }
        return make(std::move(entry), std::move(left), std::move(right));
    }

    static Link put(const Link& n, Entry entry) {
        if (!n) return make(std::move(entry), nullptr, nullptr);
        if (entry.key < n->entry.key)
            return balanced(n->entry, put(n->left, std::move(entry)), n->right);
        if (n->entry.key < entry.key)
            return balanced(n->entry, n->left, put(n->right, std::move(entry)));
        return make(std::move(entry), n->left, n->right);
    }

    static Link put_all(const Link& n, std::span<Entry> sorted) {
        if (sorted.empty()) return n;
        if (!n) return built(sorted);
        const auto first =
            std::lower_bound(sorted.begin(), sorted.end(), n->entry.key,
                             [](const Entry& entry, const K& key) { return entry.key < key; });
        const auto at = static_cast<size_t>(first - sorted.begin());
        const bool replaced = at < sorted.size() && !(n->entry.key < sorted[at].key);
        Link left = put_all(n->left, sorted.first(at));
        Link right = put_all(n->right, sorted.subspan(at + (replaced ? 1 : 0)));
        return joined(replaced ? std::move(sorted[at]) : n->entry, std::move(left),
                      std::move(right));
    }

    static Link built(std::span<Entry> sorted) {
        if (sorted.empty()) return nullptr;
        const size_t middle = sorted.size() / 2;
        Link left = built(sorted.first(middle));
        Link right = built(sorted.subspan(middle + 1));
        return make(std::move(sorted[middle]), std::move(left), std::move(right));
    }

    /// make(), of sides that may differ in height by any number: goes down the higher one to where
    /// the other fits, and back with a rotation where it is owed.
    static Link joined(Entry entry, Link left, Link right) {
        if (height(left) > height(right) + 1)
            return balanced(left->entry, left->left,
                            joined(std::move(entry), left->right, std::move(right)));
        if (height(right) > height(left) + 1)
            return balanced(right->entry, joined(std::move(entry), std::move(left), right->left),
                            right->right);
        return make(std::move(entry), std::move(left), std::move(right));
    }

    template <class Q>
    static Link erase(const Link& n, const Q& key) {
        if (key < n->entry.key) return balanced(n->entry, erase(n->left, key), n->right);
        if (n->entry.key < key) return balanced(n->entry, n->left, erase(n->right, key));
        if (!n->left) return n->right;
        if (!n->right) return n->left;
        const Node* first = n->right.get();
        while (first->left) first = first->left.get();
        return balanced(first->entry, n->left, erase(n->right, first->entry.key));
    }

    Link root_;
};

}  // namespace metadata
