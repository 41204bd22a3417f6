// The settings of the policy budget, how they are read, and what calls go by then. For
// policies/budget.cc alone; tests read them through the policy.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"
#include "base/result.h"
#include "config/section.h"
#include "config/units.h"
#include "core/store.h"
#include "policies/budget/settling.h"
#include "policies/lib/budget_calendar.h"
#include "policies/lib/budget_cost.h"
#include "policies/lib/budget_money.h"
#include "policies/lib/budget_price.h"
#include "policies/lib/budget_words.h"
#include "policies/lib/method_set.h"
#include "policies/lib/name_table.h"
#include "policies/lib/per.h"
#include "policies/lib/settings.h"
#include "policies/lib/store_key.h"
#include "policies/lib/vocabulary_file.h"
#include "telemetry/counter.h"
#include "telemetry/gauge.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::budget {

// What a session used is counted for so long, since nobody says when one has ended.
inline constexpr Duration kSessionFor = std::chrono::hours(24);

struct Budget {
  enum class Window : std::uint8_t { kNone, kSliding, kSession, kCalendar };

  std::string name;
  std::string place = {};                     // of the mapping that said of it last
  std::array<std::int64_t, kUnits> limits{};  // by Unit; 0 = none
  Window window = Window::kNone;
  Duration length{};  // sliding
  Calendar calendar = Calendar::kDay;
  std::vector<Per> per = {};
  std::int64_t warn_at = 800'000;  // millionths of a limit; 0 = never
  std::vector<std::string> alternatives = {};

  std::size_t limited() const {
    return kUnits - static_cast<std::size_t>(std::ranges::count(limits, 0));
  }
};

struct Config {
  bool enabled = true;
  std::vector<Budget> budgets = {};
  Price price = {};
  Reserve reserve = {};
  std::string currency = "USD";
  UtcOffset offset = {};
  bool allow_on_error = false;
  MethodSet methods = {mcp::Method::kToolsCall, mcp::Method::kPromptsGet,
                       mcp::Method::kResourcesRead};
  TokenSettings tokens = {};
};

inline void TakeLimits(config::Section& section, Budget& budget, bool priced) {
  const auto at = [&budget](Unit unit) -> std::int64_t& {
    return budget.limits.at(static_cast<std::size_t>(unit));
  };
  if (const auto calls = section.Integer("calls", 1, kMostOfAll)) at(Unit::kCalls) = *calls;
  if (const auto bytes = section.Bytes("bytes", 1, kMostOfAll)) {
    at(Unit::kBytes) = static_cast<std::int64_t>(*bytes);
  }
  if (const auto tokens = section.Integer("tokens", 1, kMostOfAll)) at(Unit::kTokens) = *tokens;
  if (const auto time = section.Duration("time", std::chrono::seconds(1))) {
    at(Unit::kTime) = std::chrono::floor<std::chrono::milliseconds>(*time).count();
  }
  const auto money = MicrosOf(section, "money");
  if (!money) return;
  at(Unit::kMoney) = *money;
  if (*money == 0)
    section.Error("money", "must be more than 0; enabled: false takes a budget away");
  if (!priced) {
    section.Error("money",
                  "no call has a price here, so nothing would ever be spent: set price beside "
                  "budgets. What has no price of its own may be free: price: {per_call: 0}");
  }
}

inline void TakeWindow(config::Section& section, Budget& budget) {
  using namespace std::chrono;
  const auto window = section.String("window");
  const auto calendar =
      section.Enum("calendar", {kCalendarWords[0], kCalendarWords[1], kCalendarWords[2],
                                kCalendarWords[3], kCalendarWords[4]});
  if (window && calendar) {
    return section.Error("calendar",
                         fmt::format("window says {}, and a budget has one of the two", *window));
  }
  if (calendar) {
    budget.window = Budget::Window::kCalendar;
    budget.calendar = static_cast<Calendar>(std::ranges::find(kCalendarWords, *calendar) -
                                            kCalendarWords.begin());
  }
  if (!window) return;
  if (*window == "session") {
    budget.window = Budget::Window::kSession;
    return;
  }
  const auto length = config::ParseDuration(*window);
  if (!length || *length < seconds(1) || *length > days(366)) {
    return section.Error("window",
                         fmt::format("must be session or a time from 1s to 366d, got {}", *window));
  }
  budget.window = Budget::Window::kSliding;
  budget.length = *length;
}

// What the section says of one budget, over what it was. False: it is not to be used.
inline bool TakeBudget(config::Section& section, Budget& budget, bool priced) {
  constexpr std::size_t kMostAlternatives = 10, kLongestAlternative = 200;
  const bool enabled = section.Bool("enabled").value_or(true);
  TakeLimits(section, budget, priced);
  TakeWindow(section, budget);
  if (auto per = ParsePer(section)) budget.per = std::move(*per);
  if (const auto share = section.Number("warn_at", 0, 1)) {
    budget.warn_at = std::llround(*share * 1e6);
  }
  if (auto texts = section.Strings("alternatives")) budget.alternatives = std::move(*texts);
  if (!enabled) return false;
  const auto too_long = [](const std::string& text) { return text.size() > kLongestAlternative; };
  if (budget.alternatives.size() > kMostAlternatives ||
      std::ranges::any_of(budget.alternatives, too_long)) {
    section.Error("alternatives", fmt::format("at most {}, of {} bytes each", kMostAlternatives,
                                              kLongestAlternative));
  }
  if (!IsLimitName(budget.name)) {
    section.Error("", fmt::format("its name must be {}", kLimitNameForm));
    return false;
  }
  const bool says_limit = section.Has("calls") || section.Has("bytes") || section.Has("tokens") ||
                          section.Has("money") || section.Has("time");
  if (budget.limited() == 0 && !says_limit) {
    section.Error("", "needs a limit: calls, bytes, tokens, money or time");
  }
  if (budget.window == Budget::Window::kNone && !section.Has("window") &&
      !section.Has("calendar")) {
    section.Error("", "needs a time: window: 24h, window: session, or calendar: day");
  }
  return budget.limited() > 0 && budget.window != Budget::Window::kNone;
}

// A price that only answers say: before the first of them nothing would be set aside, and however
// many calls come at once would pass.
inline void CheckReserve(config::Section& section, const Config& config) {
  const Price& price = config.price;
  if (price.meta.empty() || price.by_table() || config.reserve.money) return;
  const char* const key = section.Has("price")     ? "price"
                          : section.Has("budgets") ? "budgets"
                                                   : nullptr;  // told where that is written
  for (const Budget& budget : config.budgets) {
    if (key == nullptr || budget.limits.at(static_cast<std::size_t>(Unit::kMoney)) == 0) continue;
    section.Error(key, fmt::format("budget {}: what a call costs is known from its answer alone "
                                   "(meta), so any number of calls at once would pass: set "
                                   "reserve: {{money: ...}} to the most that one may cost, or a "
                                   "price beside meta",
                                   budget.name));
  }
}

// What could never be paid.
inline void CheckPrice(config::Section& section, const Config& config) {
  CheckReserve(section, config);
  if (!config.price.meta.empty()) return;  // the server says it
  for (const Budget& budget : config.budgets) {
    const std::int64_t money = budget.limits.at(static_cast<std::size_t>(Unit::kMoney));
    if (money == 0 || config.price.per_call <= money) continue;
    section.Error(section.Has("price") ? "price" : "budgets",
                  fmt::format("a call costs {}, more than all of budget {} ({}): none would pass",
                              MicrosText(config.price.per_call), budget.name, MicrosText(money)));
  }
}

inline void TakeBudgets(config::Section& section, Config& config) {
  for (auto& [name, given] : section.Children("budgets")) {
    const auto known = std::ranges::find(config.budgets, name, &Budget::name);
    Budget budget = known != config.budgets.end() ? *known : Budget{.name = name};
    budget.place = section.path();
    const bool used = TakeBudget(given, budget, config.price.said);
    if (known != config.budgets.end()) config.budgets.erase(known);
    if (used) config.budgets.push_back(std::move(budget));
  }
  std::size_t limits = 0;
  for (const Budget& budget : config.budgets) limits += budget.limited();
  if (limits <= Store::kMaxKeys) return;
  section.Error("budgets", fmt::format("{} limits at once, those of farther levels among them; at "
                                       "most {}",
                                       limits, Store::kMaxKeys));
  config.budgets.clear();
}

// As in the header of policies/budget.cc.
inline std::shared_ptr<const Config> ParseConfig(config::Section section, const Config* inherited) {
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  section.Take("enabled", config->enabled);
  TakePrice(section, config->price);
  TakeReserve(section, config->reserve);
  section.Take("currency", config->currency);
  if (!IsLimitName(config->currency)) {
    section.Error("currency", fmt::format("must be {}", kLimitNameForm));
  }
  TakeOffset(section, config->offset);
  if (const auto word = section.Enum("on_error", {"refuse", "allow"})) {
    config->allow_on_error = *word == "allow";
  }
  section.Shows("on_error", config->allow_on_error ? "allow" : "refuse");
  TakeMethods(section, config->methods);
  TakeTokenSettings(section, config->tokens);
  TakeBudgets(section, *config);
  CheckPrice(section, *config);
  if (!config->enabled || config->budgets.empty()) {
    section.IsOff(config->enabled ? "no budgets" : "enabled: false");
  }
  return config;
}

// One limit of a budget at work: a counter in the store for each key.
struct Gate {
  Gate(const Budget& given, Unit limited, const Config& config,
       switchyard::telemetry::Metrics& metrics);

  bool by_calendar() const { return budget.window == Budget::Window::kCalendar; }
  bool CountsPer(Per one) const { return std::ranges::find(budget.per, one) != budget.per.end(); }
  // No session of it is known to the next process.
  bool EndsWithTheProcess(const Counted& call) const { return by_session && !call.session.empty(); }
  // Whether a client gets a new count whenever it likes: by a new session, or a name of its own
  // making.
  bool IsForTheAsking(const Counted& call) const {
    const bool named = !call.client.empty();  // by authentication
    return (by_session && (!call.session.empty() || !named)) || (by_client && !named);
  }
  Standing StandingAt(std::int64_t used_so_far, std::string_view currency) const {
    return {.budget = budget.name,
            .unit = unit,
            .currency = currency,
            .limit = limit,
            .used = used_so_far,
            .per = per,
            .window = window,
            .scope = scope.words,
            .others = others,
            .alternatives = budget.alternatives};
  }

  Budget budget;
  Unit unit;
  std::int64_t limit;
  std::int64_t warn;  // of `limit`; 0 = never
  Duration length{};
  BudgetScope scope;
  std::string prefix;  // of its keys
  std::uint64_t scope_of_keys = 0;
  bool by_session = false, by_client = false;
  std::string per, window;       // for messages
  std::string_view others = "";  // whose budgets are apart
  switchyard::telemetry::Counter &refused, &warned, &unknown, &spent;
  std::shared_ptr<switchyard::telemetry::Gauge> used = nullptr,
                                                most = nullptr;  // of one count for all
};

using LearntByTool = NameTable<Learnt>;

// What the calls of one scope go by.
struct Plan {
  Config config = {};
  std::vector<Gate> gates = {};
  bool calendar = false;  // of any gate
  bool tokens = false;    // have to be counted
  std::shared_ptr<LearntByTool> learnt = nullptr;
  std::shared_ptr<Unknowns> unknowns = nullptr;
};

inline std::string WindowWords(const Budget& budget) {
  switch (budget.window) {
    case Budget::Window::kSliding: return "in " + config::FormatDuration(budget.length);
    case Budget::Window::kCalendar:
      return fmt::format("this {}", kCalendarWords.at(static_cast<std::size_t>(budget.calendar)));
    default: return "in this session";
  }
}

inline Gate::Gate(const Budget& given, Unit limited, const Config& config,
                  switchyard::telemetry::Metrics& metrics)
    : budget(given),
      unit(limited),
      limit(given.limits.at(static_cast<std::size_t>(limited))),
      warn(ShareOf(limit, given.warn_at, kMillion)),
      scope(ScopeOf(given.place)),
      window(WindowWords(given)),
      refused(metrics.CounterOf("switchyard_budget_refused_total", {given.name, scope.label})),
      warned(metrics.CounterOf("switchyard_budget_warned_total", {given.name, scope.label})),
      unknown(metrics.CounterOf("switchyard_budget_unknown_total", {given.name, scope.label})),
      spent(metrics.CounterOf("switchyard_budget_spent_total",
                              {given.name, scope.label, std::string(UnitWord(limited))})) {
  const bool session = budget.window == Budget::Window::kSession;
  if (session && !CountsPer(Per::kSession)) budget.per.push_back(Per::kSession);
  by_session = CountsPer(Per::kSession);
  by_client = CountsPer(Per::kClient);
  length = session ? kSessionFor : by_calendar() ? LongestOf(budget.calendar) : budget.length;
  per = WordsOf(budget.per, " and ");
  if (CountsPer(Per::kTool)) {
    others = "other tools have budgets of their own";
  } else if (CountsPer(Per::kServer)) {
    others = "other servers have budgets of their own";
  }
  StoreKey key;
  key.Add("budget").Add(budget.place).Add(budget.name).Add(UnitWord(unit)).Add(window).Add(per);
  if (unit == Unit::kMoney) key.Add(config.currency);
  prefix = key.text();
  scope_of_keys = key.Scope();
  if (!budget.per.empty()) return;
  const std::vector<std::string> labels = {budget.name, scope.label, std::string(UnitWord(unit))};
  used = metrics.GaugeOf("switchyard_budget_used", labels);
  most = metrics.GaugeOf("switchyard_budget_limit", labels);
  most->Set(limit);
}

inline void AddGates(Plan& plan, switchyard::telemetry::Metrics& metrics) {
  for (const Budget& budget : plan.config.budgets) {
    for (std::size_t i = 0; i < kUnits; ++i) {
      if (budget.limits.at(i) == 0) continue;
      const Unit unit = static_cast<Unit>(i);
      plan.gates.emplace_back(budget, unit, plan.config, metrics);
      plan.calendar |= plan.gates.back().by_calendar();
      const bool priced = unit == Unit::kMoney && plan.config.price.by_tokens();
      plan.tokens |= unit == Unit::kTokens || priced;
    }
  }
  Unknowns::Counters counters;
  for (const Gate& gate : plan.gates) {
    if (counters.empty() || counters.back() != &gate.unknown) counters.push_back(&gate.unknown);
  }
  plan.unknowns = std::make_shared<Unknowns>(std::move(counters));
}

// For a call of which the store cannot say whether there is room.
inline Error Unknown(const Plan& plan, const Error& why) {
  plan.unknowns->Count();
  return {.code = Code::kUnavailable,
          .retryable = true,
          .message = fmt::format("budget {}: it cannot be told now what is left, so nothing was "
                                 "called: {}",
                                 plan.gates.front().budget.name, why.message),
          .detail = why.detail,
          .for_agent = true};
}

}  // namespace switchyard::policies::budget
