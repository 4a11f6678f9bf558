#pragma once
#include <utility>
#include <variant>

#include "base/check.h"

namespace base {

/// A value or an error of a domain's own type (C++23's std::expected, as far as it is used here).
template <class T, class E>
class [[nodiscard]] Expected {
  public:
    Expected(T value) : either_(std::in_place_index<0>, std::move(value)) {}
    Expected(E error) : either_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return either_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() & {
        CHECK(ok());
        return std::get<0>(either_);
    }
    const T& value() const& {
        CHECK(ok());
        return std::get<0>(either_);
    }
    T&& value() && {
        CHECK(ok());
        return std::get<0>(std::move(either_));
    }
    const E& error() const {
        CHECK(!ok());
        return std::get<1>(either_);
    }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

  private:
    std::variant<T, E> either_;
};

}  // namespace base
