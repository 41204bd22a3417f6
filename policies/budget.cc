// budget:
//   price: {per_call: 0.001, per_1k_in: 0.003, per_1k_out: 0.015, meta: billing/cost}
//   budgets:
//     daily: {money: 5, calls: 1000, calendar: day, per: principal, warn_at: 0.8}
//     session: {tokens: 200000, bytes: 10MiB, time: 10m, window: session}
//   reserve: {bytes: 64KiB, tokens: 2000, time: 5s, money: 0.05}    # else what is learnt
//
// What calls may use and cost. Before a call the most that it is thought to use is taken of every
// budget, or of none and it is refused; what it really used is settled when its answer is here, and
// all is given back where no server was reached. What the gateway answers itself costs nothing: the
// policy stands inside of the cache. A budget counts the calls of the level where it is written.
#include "policies/budget.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <boost/container/static_vector.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "mcp/raw_object.h"
#include "policies/budget/quote.h"
#include "policies/lib/context_size.h"
#include "policies/lib/failure_data.h"
#include "policies/lib/meta_note.h"
#include "policies/lib/states.h"
#include "policies/registry.h"

namespace switchyard::policies::budget {
namespace {

using Amounts = std::array<std::int64_t, Store::kMaxKeys>;

// What one call takes of its budgets. Dropped before it is settled (the call was cancelled, or its
// answer never came), it is charged for what is known of the call.
class Account {
 public:
  Account(const Shared& shared, const Plan& plan, const Call& call, Executor executor)
      : shared_(&shared),
        plan_(&plan),
        counted_(CountedOf(call)),
        executor_(std::move(executor)),
        notes_(call.notes),
        learnt_(&plan.learnt->At(counted_.listed, [](std::string_view) { return Learnt(); })) {
    if (plan.tokens) {
      tokens_in_ =
          TokensOfText(call.message.Get(mcp::Key::kArguments), *plan.config.tokens.counter);
    }
    // Behind the counting, which takes a while: the store is not to be asked in others' past, and
    // it is no time of the server.
    begin_ = shared.clock.Now();
    if (plan.calendar) wall_ = shared.clock.WallNow();
    const Price& price = plan.config.price;
    const Usage guess = learnt_->Guess(plan.config.reserve, price, tokens_in_);
    marks_.fill(Store::kNoMark);
    for (std::size_t i = 0; i < plan.gates.size(); ++i) {
      const Gate& gate = plan.gates[i];
      taken_[i] = Reservation(gate.unit, guess, price, gate.limit);
    }
  }
  Account(Account&&) noexcept = default;
  Account& operator=(Account&&) = delete;
  ~Account() {
    if (!held_.on) return;
    Eventual<Charged> settled = Settle(Unanswered(), false);
    if (!settled.here()) Spawn(executor_, "settle budget", SettleLater(std::move(settled).Later()));
  }

  Eventual<Charged> Reserve() { return Add(taken_, true, begin_); }
  void Hold(const Charged& charged) {
    held_.on = true;
    Look(charged);
  }

  // One of the two, once.
  Eventual<Charged> Answered(const mcp::Message& answer) {
    const std::string_view type = answer.Get(mcp::Key::kResultType);
    const bool whole = type.empty() || type == R"("complete")";
    return Settle(UsageOf(answer), whole && answer.kind() == mcp::Kind::kResult);
  }
  Eventual<Charged> Failed(const Error& error) {
    return Settle(NothingRan(error) ? Usage{.calls = 0} : Unanswered(), false);
  }
  // Then: tells the client which budgets are nearly used up.
  void Tell(const Result<Charged>& settled, mcp::Message& answer);

  // Or, of a reservation that was refused.
  Task<Result<ReplyPtr>> Refuse(Charged refused);

 private:
  // Of a call that has no answer, though a server may have done the work.
  Usage Unanswered() const { return {.tokens_in = tokens_in_, .unpriced = priced_later()}; }
  // Whether the price of a call is known with its answer at the soonest.
  bool priced_later() const {
    return !plan_->config.price.meta.empty() || plan_->config.reserve.money.has_value();
  }
  Usage UsageOf(const mcp::Message& answer) const;

  // `usage` without its time. `whole`: others will be like that.
  Eventual<Charged> Settle(Usage usage, bool whole);
  // What every settlement goes through: none is lost without a word.
  Eventual<Charged> Settled(Eventual<Charged> answer, TimePoint now);
  Eventual<Charged> Add(const Amounts& amounts, bool limited, TimePoint now);
  void Look(const Charged& charged) {
    for (std::size_t i = 0; i < sent_; ++i) {
      totals_[places_[i]] = charged.totals[i];
      if (charged.taken) marks_[places_[i]] = charged.marks[i];
      const Gate& gate = plan_->gates[places_[i]];
      if (gate.used != nullptr) gate.used->Set(charged.totals[i]);
    }
  }

  Period PeriodOf(const Gate& gate) const {
    return PeriodAt(gate.budget.calendar, wall_, plan_->config.offset.value);
  }
  Duration UntilEnd(std::size_t which) const {
    if (taken_[which] > plan_->gates[which].limit) return Duration::max();
    return std::max<Duration>(PeriodOf(plan_->gates[which]).end - wall_, Duration::zero());
  }
  Standing StandingOf(std::size_t which) const {
    const Gate& gate = plan_->gates[which];
    Standing standing = gate.StandingAt(totals_[which], plan_->config.currency);
    if (gate.by_calendar()) standing.ends = PeriodOf(gate).end;
    return standing;
  }

  const Shared* shared_;
  const Plan* plan_;  // lives as long as the call's target
  Counted counted_;   // of the call, which outlives this
  Executor executor_;
  std::shared_ptr<CallNotes> notes_;
  Learnt* learnt_;
  TimePoint begin_{};
  WallTime wall_{};
  std::int64_t tokens_in_ = 0;
  Amounts taken_{};                                     // by gate
  Amounts totals_{};                                    // by gate, as the store said last
  std::array<Store::Mark, Store::kMaxKeys> marks_;      // by gate, of what was taken
  std::array<std::uint8_t, Store::kMaxKeys> places_{};  // the gates of the last Add()
  std::size_t sent_ = 0;
  Held held_;
};

Usage Account::UsageOf(const mcp::Message& answer) const {
  const bool result = answer.kind() == mcp::Kind::kResult;
  const std::string_view text = result ? answer.result() : answer.error();
  Usage usage{.bytes = static_cast<std::int64_t>(text.size()),
              .tokens_in = tokens_in_,
              .told = std::nullopt};
  const Price& price = plan_->config.price;
  if (result && !price.meta.empty()) usage.told = MicrosIn(answer.Get(mcp::Key::kMeta), price.meta);
  if (answer.Get(mcp::Key::kResultType) == R"("task")") {  // of whose end no more is heard
    usage.unpriced = priced_later() && !usage.told;
  } else {
    usage.unpriced = !price.meta.empty() && !usage.told && (!result || !price.by_table());
  }
  if (plan_->tokens) usage.tokens_out = TokensOfResult(text, *plan_->config.tokens.counter);
  return usage;
}

Eventual<Charged> Account::Settle(Usage usage, bool whole) {
  held_.on = false;
  const TimePoint now = shared_->clock.Now();
  if (usage.calls > 0) {
    const Duration passed = std::max(now - begin_, Duration::zero());
    usage.milliseconds = std::chrono::ceil<std::chrono::milliseconds>(passed).count();
  }
  if (whole) learnt_->Saw(usage);
  CostNote cost(notes_.get());
  Amounts difference{};
  for (std::size_t i = 0; i < plan_->gates.size(); ++i) {
    const Gate& gate = plan_->gates[i];
    const std::int64_t real = Settlement(gate.unit, usage, plan_->config.price, taken_[i]);
    if (real != 0) gate.spent.Add(static_cast<std::uint64_t>(real));
    cost.Saw(gate.unit, real);
    difference[i] = real - taken_[i];
    taken_[i] = real;
  }
  return Settled(Add(difference, false, now), now);
}

Eventual<Charged> Account::Settled(Eventual<Charged> answer, TimePoint now) {
  if (!answer.here()) return Tells(std::move(answer).Later(), plan_->unknowns, now);
  if (*answer) Look(**answer);
  plan_->unknowns->Hear(*answer, now);
  return answer;
}

Eventual<Charged> Account::Add(const Amounts& amounts, bool limited, TimePoint now) {
  // No more of them are made than are needed.
  boost::container::static_vector<StoreKey, Store::kMaxKeys> keys;
  boost::container::static_vector<Store::Charge, Store::kMaxKeys> charges;
  sent_ = 0;
  for (std::size_t i = 0; i < plan_->gates.size(); ++i) {
    if (amounts[i] == 0) continue;
    const Gate& gate = plan_->gates[i];
    StoreKey& key = keys.emplace_back();
    key.Continue(gate.prefix);
    for (const Per per : gate.budget.per) AddTo(key, per, counted_);
    if (gate.by_calendar()) {
      const UtcOffset& offset = plan_->config.offset;
      const fmt::format_int name(PeriodName(gate.budget.calendar, wall_, offset.value));
      key.Add({name.data(), name.size()});
    }
    charges.push_back({.key = {key.text(), gate.scope_of_keys},
                       .amount = amounts[i],
                       .limit = limited ? gate.limit : Store::Charge::kNoLimit,
                       .window = gate.length,
                       .mark = limited ? Store::kNoMark : marks_[i],
                       .durable = !gate.EndsWithTheProcess(counted_),
                       .spare = gate.IsForTheAsking(counted_)});
    places_[sent_++] = static_cast<std::uint8_t>(i);
  }
  if (sent_ == 0) return Result<Charged>(Charged{.taken = true});
  return shared_->store->Add(std::span(charges.data(), sent_), now);
}

void Account::Tell(const Result<Charged>& settled, mcp::Message& answer) {
  if (settled) Look(*settled);
  std::vector<Standing> low;
  for (std::size_t i = 0; i < plan_->gates.size(); ++i) {
    const Gate& gate = plan_->gates[i];
    if (gate.warn == 0 || totals_[i] < gate.warn) continue;
    gate.warned.Add();
    low.push_back(StandingOf(i));
    // Once, by the call that was it; and not for each of many callers.
    if (totals_[i] - taken_[i] >= gate.warn || !gate.per.empty()) continue;
    spdlog::warn("budget {}: {} of {} used {}", gate.budget.name,
                 QuantityText(gate.unit, totals_[i], plan_->config.currency),
                 QuantityText(gate.unit, gate.limit, plan_->config.currency), gate.window);
  }
  if (low.empty()) return;
  std::string note = BudgetNote(low);
  // A gateway behind this one may have said the same of its own.
  const auto theirs = mcp::RawObject::Parse(answer.Get(mcp::Key::kMeta)).Get(kBudgetNote);
  if (theirs.starts_with("[{")) note.replace(note.size() - 1, 1, ",").append(theirs.substr(1));
  NoteInMeta(answer, kBudgetNote, note);
}

Task<Result<ReplyPtr>> Account::Refuse(Charged refused) {
  Look(refused);
  std::size_t which = places_[refused.refused_by];
  Duration wait = refused.retry_after;
  if (plan_->gates[which].by_calendar()) {
    // The store does not know when a calendar's period ends, and of all that have no room the one
    // that has it last is to be named: the rest are asked by themselves.
    wait = UntilEnd(which);
    Amounts rest{};
    for (std::size_t i = 0; i < plan_->gates.size(); ++i) {
      const Gate& gate = plan_->gates[i];
      if (taken_[i] == 0 || totals_[i] + taken_[i] <= gate.limit) continue;
      if (!gate.by_calendar()) {
        rest[i] = taken_[i];
      } else if (UntilEnd(i) > wait) {
        which = i;
        wait = UntilEnd(i);
      }
    }
    const Result<Charged> asked = co_await ValueOf(Add(rest, true, begin_));
    if (asked && asked->taken) {
      Look(*asked);
      for (std::int64_t& amount : rest) amount = -amount;
      co_await ValueOf(Settled(Add(rest, false, begin_), begin_));
    } else if (asked && asked->retry_after > wait) {
      which = places_[asked->refused_by];
      wait = asked->retry_after;
    }
  }
  Standing standing = StandingOf(which);
  standing.needed = taken_[which];
  if (wait != Duration::max()) standing.refills = wait;
  plan_->gates[which].refused.Add();
  co_return Failure(BudgetRefusal(standing));
}

class CountedReply final : public Reply {
 public:
  CountedReply(ReplyPtr inner, Account account)
      : account_(std::move(account)), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (!next) {
      co_await ValueOf(account_.Failed(next.error()));
    } else if (*next && (*next)->is_response()) {
      const Result<Charged> settled = co_await ValueOf(account_.Answered(**next));
      account_.Tell(settled, **next);
    }
    co_return next;
  }

 private:
  Account account_;  // outlives inner_: what is cancelled ends before it is charged
  ReplyPtr inner_;
};

class BudgetPolicy final : public Policy {
 public:
  explicit BudgetPolicy(const PolicyDeps& deps)
      : settings_(deps),
        shared_{.clock = deps.clock, .store = deps.store},
        metrics_(deps.metrics),
        states_(*deps.states) {}

  std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                   const PolicyScope& scope) const override {
    auto plan = std::make_shared<Plan>();
    if (settings == nullptr || scope.server.empty()) return plan;
    plan->config = *static_cast<const Config*>(settings.get());
    const Config& config = plan->config;
    if (!config.enabled) return plan;
    AddGates(*plan, metrics_);
    plan->learnt = states_.Get<LearntByTool>(fmt::format("budget server {}", scope.server), [] {
      return std::make_shared<LearntByTool>(kMostTools);
    });
    return plan;
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Plan& plan = settings_(call);
    // The gateway's own tools cost nothing, nor does what reaches no server or gives up there.
    const bool free = call.forsaken || call.only_kept > Duration::zero();
    if (plan.gates.empty() || !plan.config.methods.Has(call.message.method()) || free ||
        call.message.kind() != mcp::Kind::kRequest || call.target.server.empty()) {
      return next.Handle(call);
    }
    return Paid(call, next, plan);
  }

  bool IsOff(const PolicySet& set) const override { return settings_(set).gates.empty(); }

 private:
  static constexpr std::size_t kMostTools = 2000;  // of a server; the rest are guessed alike

  // `plan` lives as long as the call's target.
  Task<Result<ReplyPtr>> Paid(Call& call, Service& next, const Plan& plan) const {
    Executor executor = co_await net::this_coro::executor;
    Account account(shared_, plan, call, std::move(executor));
    Eventual<Charged> answer = account.Reserve();
    Result<Charged> charged = Charged();
    if (answer.here()) {
      charged = std::move(*answer);
    } else {
      charged = co_await std::move(answer).Later();
    }
    if (!charged && !plan.config.allow_on_error) co_return Failure(Unknown(plan, charged.error()));
    if (!charged) plan.unknowns->Count();
    if (charged && !charged->taken) {
      Result<ReplyPtr> refusal = co_await account.Refuse(*charged);
      co_return refusal;
    }
    if (charged) account.Hold(*charged);
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!charged) co_return reply;
    if (!reply) {
      Eventual<Charged> settled = account.Failed(reply.error());
      if (!settled.here()) co_await std::move(settled).Later();
      co_return reply;
    }
    if (mcp::Message* whole = (*reply)->Whole()) {
      Eventual<Charged> settled = account.Answered(*whole);
      if (settled.here()) {
        account.Tell(*settled, *whole);
      } else {
        const Result<Charged> later = co_await std::move(settled).Later();
        account.Tell(later, *whole);
      }
      co_return reply;
    }
    ReplyPtr counted = std::make_unique<CountedReply>(std::move(*reply), std::move(account));
    co_return counted;
  }

  const SettingsOf<Plan> settings_;
  const Shared shared_;
  switchyard::telemetry::Metrics& metrics_;
  States& states_;
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  return ParseConfig(std::move(section), static_cast<const Config*>(inherited));
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  OfferPrices(deps);
  return std::make_shared<BudgetPolicy>(deps);
}

}  // namespace switchyard::policies::budget
