// A model's window of context, as far as the gateway can keep count of it: how much is in use, what
// a call may take of what is left, and when there is too little left to call at all. Pure; values.
//
// What is in use never exceeds the capacity, whatever the order in which calls begin and end: a
// call that is let in sets aside what a sentence in its result's stead would take, and a result
// takes what is there when it comes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::policies {

// In tokens.
struct ContextWindow {
  std::int64_t total = 0;  // 0 = nobody keeps count
  std::int64_t for_system = 2000;
  std::int64_t for_response = 4096;
  std::int64_t min_available = 1000;
  double max_fraction = 0.3;  // of what is left, for one result
  double warn_at = 0.8;       // of the capacity

  std::int64_t capacity() const { return total - for_system - for_response; }
};

// Set aside for each call that is under way.
inline constexpr std::int64_t kContextAside = 128;
// A result of which less may be shown is not worth cutting.
inline constexpr std::int64_t kLeastOfContext = 192;

// What is in use, as a store keeps it.
struct ContextUse {
  std::int64_t began = 0;  // tells it from what was forgotten before it
  std::int64_t used = 0;

  std::string ToText() const;
  static std::optional<ContextUse> Parse(std::string_view text);
};

inline std::int64_t AvailableOf(const ContextWindow& window, const ContextUse& use) {
  return window.capacity() > use.used ? window.capacity() - use.used : 0;
}

// Whether a call may go on that brings so many tokens of arguments; these, and what is set aside
// for it, are in use then.
bool LetIn(const ContextWindow& window, std::int64_t arguments, ContextUse& use);

// What becomes of a result.
struct ContextShare {
  enum class Kind : std::uint8_t {
    kWhole,     // it fits
    kCut,       // to `tokens`
    kWithheld,  // there is no room for a useful part of it: a sentence is said in its stead
  };
  Kind kind = Kind::kWhole;
  std::int64_t tokens = 0;     // that are its own now
  std::int64_t available = 0;  // that were left when it came, with what was set aside for it
};
// `aside`: something was set aside for its call, which it takes or gives back.
ContextShare TakeShare(const ContextWindow& window, std::int64_t wanted, bool aside,
                       ContextUse& use);

// What was taken and is not needed.
void GiveBack(std::int64_t tokens, ContextUse& use);

}  // namespace switchyard::policies
