// What a call uses, and what that costs. Whole numbers; pure.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::policies {

// What a budget may limit, each counted in the unit that follows its word.
enum class Unit : std::uint8_t {
  kCalls,
  kBytes,   // of results
  kTokens,  // of arguments and results
  kMoney,   // millionths of the currency
  kTime,    // milliseconds
};
inline constexpr std::size_t kUnits = 5;
inline constexpr std::array<std::string_view, kUnits> kUnitWords = {"calls", "bytes", "tokens",
                                                                    "money", "time"};
constexpr std::string_view UnitWord(Unit unit) {
  return kUnitWords.at(static_cast<std::size_t>(unit));
}

// In millionths of the currency.
struct Price {
  std::int64_t per_call = 0;
  std::int64_t per_1k_in = 0;   // a thousand tokens of the arguments
  std::int64_t per_1k_out = 0;  // the same of the result
  std::int64_t per_second = 0;
  std::string meta = {};  // the member of the result's _meta that says the price; "" = none
  bool said = false;      // what calls cost, if only that it is nothing

  bool by_tokens() const { return per_1k_in > 0 || per_1k_out > 0; }
  // Whether anything is known of it before a server has said so.
  bool by_table() const { return per_call > 0 || by_tokens() || per_second > 0; }
  // Whether no call can cost anything.
  bool none() const { return !by_table() && meta.empty(); }
};

// None is negative.
struct Usage {
  std::int64_t calls = 1;
  std::int64_t bytes = 0;
  std::int64_t tokens_in = 0;
  std::int64_t tokens_out = 0;
  std::int64_t milliseconds = 0;
  std::optional<std::int64_t> told = std::nullopt;  // its price, if the server said it
  bool unpriced = false;  // who says the price has not said it: what was set aside is the least
};

// What the server said, or call, tokens and seconds together. Each part is rounded up.
std::int64_t CostOf(const Usage& usage, const Price& price);
std::int64_t AmountOf(Unit unit, const Usage& usage, const Price& price);

// What is set aside for the parts of a call that are only known afterwards; absent = learnt.
struct Reserve {
  std::optional<std::int64_t> bytes, tokens, milliseconds, money;
};

// What is taken of a budget before a call of which this is thought: at least what it costs surely
// (the call, its price, the tokens of its arguments). A guess alone takes no more than all of it,
// so that it never keeps a call from a budget that nobody has touched.
std::int64_t Reservation(Unit unit, const Usage& guess, const Price& price, std::int64_t limit);

// What is settled for a call for which `reserved` was set aside.
std::int64_t Settlement(Unit unit, const Usage& usage, const Price& price, std::int64_t reserved);

// What the results of one tool were like: the largest of late. Each result lifts it to its own, or
// lowers it by a sixteenth of the difference, so that one odd result does not block a budget for
// good. Thread-safe.
class Learnt {
 public:
  // Of a tool that nothing is known of.
  static constexpr std::int64_t kBytes = 4096, kTokens = 1000, kMilliseconds = 1000;

  void Saw(const Usage& usage);
  // Of the next call.
  Usage Guess(const Reserve& reserve, const Price& price, std::int64_t tokens_in) const;

 private:
  std::atomic<std::int64_t> bytes_{-1}, tokens_{-1}, milliseconds_{-1}, told_{-1};
};

}  // namespace switchyard::policies
