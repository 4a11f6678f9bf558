#pragma once
#include <sstream>

namespace base {

/// Collects the message of a failed CHECK and ends the process when destroyed.
class CheckFailure {
  public:
    CheckFailure(const char* file, int line, const char* condition);
    [[noreturn]] ~CheckFailure();
    std::ostream& stream() { return message_; }

  private:
    std::ostringstream message_;
};

}  // namespace base

/// A condition that only a bug can break. Always on, in every build: a broken invariant ends the
/// process before it can harm data. Expected failures return a Status instead.
#define CHECK(condition)        \
    if (condition) [[likely]] { \
    } else ::base::CheckFailure(__FILE__, __LINE__, #condition).stream()
