// The rules that calls of one scope go by, at work: how often each decided is counted. Immutable
// but for that; thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/agent_directory.h"
#include "policies/authorize/rulebook.h"
#include "policies/authorize/settings.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::authorize {

inline constexpr std::array<std::string_view, 3> kOutcomeWords = {"allowed", "denied", "hidden"};

// The rules of one stack of levels, and how often each decided.
class Book {
 public:
  // `agents` outlives it; null: see Rulebook.
  Book(const Settings& settings, AgentDirectory* agents)
      : rules(settings.rules, agents),
        wants_agents_(rules.names_capabilities() && agents != nullptr ? agents->Want() : nullptr),
        counters_((settings.rules.size() + 1) * kOutcomeWords.size()) {}

  // Of the rule, for the log.
  std::string_view NameOf(const Verdict& verdict) const {
    return verdict.rule == kNoRule ? "none" : std::string_view(rules.rules()[verdict.rule]->name);
  }
  // Asked for by its name once.
  void Count(const Verdict& verdict, switchyard::telemetry::Metrics& metrics) const {
    const auto outcome = static_cast<std::size_t>(verdict.outcome);
    const std::size_t row = verdict.rule == kNoRule ? rules.rules().size() : verdict.rule;
    std::atomic<switchyard::telemetry::Counter*>& slot =
        counters_[row * kOutcomeWords.size() + outcome];
    switchyard::telemetry::Counter* counter = slot.load(std::memory_order_acquire);
    if (counter == nullptr) {
      counter = &metrics.CounterOf(
          "switchyard_authorize_decisions_total",
          {std::string(kOutcomeWords.at(outcome)), std::string(NameOf(verdict))});
      slot.store(counter, std::memory_order_release);
    }
    counter->Add();
  }

  const Rulebook rules;

 private:
  const std::shared_ptr<const void> wants_agents_;
  mutable std::vector<std::atomic<switchyard::telemetry::Counter*>> counters_;
};

// What the calls of one scope go by. No book: there is no rule.
struct Bound {
  std::shared_ptr<const Book> book = nullptr;
  RuleSet of_server = {};

  bool Could(const Caller& caller, std::string_view endpoint, ItemKind kind,
             std::string_view name) const {
    return book == nullptr ||
           book->rules.Could(of_server, *book->rules.RulesFor(caller, endpoint), kind, name);
  }
  bool CouldAny(const Caller& caller, std::string_view endpoint, ItemKind kind) const {
    return book == nullptr ||
           book->rules.CouldAny(of_server, *book->rules.RulesFor(caller, endpoint), kind);
  }
};

}  // namespace switchyard::policies::authorize
