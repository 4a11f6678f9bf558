#pragma once
#include "absl/functional/any_invocable.h"

namespace base {

/// A callable that is moved, not copied: completions are called at most once and own what they
/// hold.
template <class Signature>
using Function = absl::AnyInvocable<Signature>;

}  // namespace base
