#pragma once
// How long work is stopped.

#include <functional>

namespace isovec {

/// Asked now and then during long work, about every tenth of a second or more often. It stops the work by
/// throwing; what it throws passes through, and nothing is left half done. An empty one is never asked.
using Checkpoint = std::function<void()>;

}  // namespace isovec
