// For what nobody announces and only asking tells.
#pragma once

#include <chrono>
#include <thread>

#include "support/event.h"

namespace switchyard::tests {

// Asks until it holds; false when it never did.
template <class Holds>
bool Becomes(Holds holds) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  do {
    if (holds()) return true;
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace switchyard::tests
