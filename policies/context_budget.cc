// context_budget: {total: 200000, reserved: {system: 2000, response: 4096}, max_fraction: 0.3,
//                  min_available: 1000, warn_at: 0.8, per: session, idle: 30m}
//
// How much of a model's context window the tools of one conversation may fill, in tokens: what is
// reserved for the system prompt and the response is not theirs, arguments and results use up the
// rest. One result takes at most `max_fraction` of what is left: a larger one is cut, and its rest
// is read with switchyard_read_result, whose pages count like the result itself. With less than
// `min_available` left calls are refused with the advice to answer from what is there. Forgotten
// after `idle` without calls. total: 0 = off.
//
// A conversation is a legacy session, or who calls with which client; a client that has more of
// them at a time names each in the _meta of its calls, by the key `conversation`. Each endpoint has
// a count of it, whatever the level that a call's settings come from.
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "config/section.h"
#include "core/definition.h"
#include "core/store.h"
#include "policies/context_budget/whose.h"
#include "policies/lib/context_size.h"
#include "policies/lib/context_window.h"
#include "policies/lib/context_words.h"
#include "policies/lib/cut_results.h"
#include "policies/lib/kept_answer.h"
#include "policies/lib/meta_note.h"
#include "policies/lib/result_block.h"
#include "policies/lib/result_shelves.h"
#include "policies/lib/settings.h"
#include "policies/lib/states.h"
#include "policies/lib/vocabulary_file.h"
#include "policies/registry.h"
#include "telemetry/counter.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::context_budget {
namespace {

using switchyard::telemetry::Counter;

struct Config {
  ContextWindow window = {};
  bool per_session = true;
  std::string conversation = "switchyard/conversation";
  Duration idle = std::chrono::minutes(30);
  Duration keep = std::chrono::minutes(10);
  std::size_t keep_bytes = std::size_t{64} << 20;
  TokenSettings tokens = {};
};

// What the calls of one scope go by.
struct Rules {
  Config config = {};
  std::shared_ptr<ResultShelf> shelf = nullptr;  // null: rests are not kept
  std::array<Counter*, 3> by_kind = {};          // of ContextShare
  Counter* refused = nullptr;
  Counter* unknown = nullptr;
  Counter* arguments = nullptr;  // tokens of them
  Counter* results = nullptr;    // tokens of them
  bool of_pages = false;  // of the gateway's own tools: a page may count where its result did

  bool on() const { return config.window.total != 0; }
  const ContextWindow& window() const { return config.window; }
  const TokenCounter& counter() const { return *config.tokens.counter; }
};

// What is between the policy and the calls under way; outlives them.
struct Shared {
  explicit Shared(const PolicyDeps& deps)
      : store(deps.store),
        clock(deps.clock),
        sealer(deps.sealer),
        cuts(CutResults::Of(*deps.states)),
        dropped(deps.metrics.CounterOf("switchyard_kept_results_dropped_total", {})) {}

  Store* const store;
  const Clock& clock;
  const Sealer* const sealer;
  const std::shared_ptr<CutResults> cuts;
  Counter& dropped;
};

// One call's part in what is in use. Borrows what the call's target and the process hold.
class Account {
 public:
  // `tool`: whose result it is.
  Account(const Shared& shared, const Rules& rules, const Call& call, std::string tool)
      : shared_(&shared),
        rules_(&rules),
        call_(&call),
        tool_(std::move(tool)),
        key_(KeyOf(call, rules.config.per_session, rules.config.conversation)) {}

  // The error that it is refused with.
  Task<std::optional<Error>> Begin() {
    // What answers a server's questions was counted when it was asked for.
    const bool again = call_->message.Has(mcp::Key::kInputResponses);
    const std::string_view text = call_->message.Get(mcp::Key::kArguments);
    const std::int64_t tokens =
        again ? 0 : TokensOfText(text, rules_->counter(), rules_->window().capacity() + 1);
    bool let_in = false;
    const Result<ContextUse> use = co_await Change([&let_in, tokens, this](ContextUse& now) {
      let_in = LetIn(rules_->window(), tokens, now);
      return let_in;
    });
    // A store that cannot be asked must not stop all traffic.
    if (!use) {
      rules_->unknown->Add();
      co_return std::nullopt;
    }
    if (!let_in) {
      rules_->refused->Add();
      co_return ContextRefusal(rules_->window(), *use, tokens, rules_->config.idle);
    }
    began_ = use->began;
    counts_ = true;
    rules_->arguments->Add(static_cast<std::uint64_t>(tokens));
    co_return std::nullopt;
  }

  // A result that comes: lets it take its share, and cuts it to that.
  Task<void> Take(mcp::Message& message) {
    if (!counts_) co_return;
    message = Plain(std::move(message));
    if (!MakeCuttable(message)) {  // a question, a task, an error object
      const std::int64_t said = TokensOfText(message.error(), rules_->counter(), kContextAside);
      counts_ = false;
      co_await Return(kContextAside - said);
      co_return;
    }
    const std::int64_t enough = rules_->window().capacity() + 1;
    const std::int64_t wanted = TokensOfResult(message.result(), rules_->counter(), enough);
    ContextShare share;
    Result<ContextUse> use = co_await Change([&share, wanted, this](ContextUse& now) {
      share = TakeShare(rules_->window(), wanted, now.began == began_, now);
      return true;
    });
    counts_ = false;
    if (!use) {
      rules_->unknown->Add();
      co_return;
    }
    const std::int64_t taken =
        share.kind == ContextShare::Kind::kWhole ? share.tokens : Cut(message, share, wanted);
    rules_->results->Add(static_cast<std::uint64_t>(taken));
    rules_->by_kind.at(static_cast<std::size_t>(share.kind))->Add();
    began_ = use->began;
    if (taken < share.tokens) {
      Result<ContextUse> less = co_await Return(share.tokens - taken);
      if (less) use = std::move(less);
    }
    const std::string notice = ContextNotice(rules_->window(), *use);
    if (!notice.empty()) NoteInMeta(message, "switchyard/context", notice);
  }

  // It ended without a result.
  Task<void> Fail(const Error& error) {
    if (!counts_ || error.code == Code::kCancelled) co_return;
    const std::int64_t said = TokensOfText(error.message, rules_->counter(), kContextAside);
    counts_ = false;
    co_await Return(kContextAside - said);
  }

 private:
  // Over and over, until nobody else changed it meanwhile. `change` tells whether it did anything.
  template <class F>
  Task<Result<ContextUse>> Change(F change) {
    const TimePoint now = shared_->clock.Now();
    const Store::Key key(key_.text, key_.scope);
    Result<std::optional<Store::Item>> seen = co_await ValueOf(shared_->store->Get(key, now));
    if (!seen) co_return Failure(std::move(seen.error()));
    std::optional<Store::Item> item = std::move(*seen);
    for (;;) {
      const std::optional<ContextUse> known = item ? ContextUse::Parse(item->value) : std::nullopt;
      ContextUse use = known.value_or(ContextUse{.began = now.time_since_epoch().count()});
      if (!change(use)) co_return use;
      const std::uint64_t version = item ? item->version : 0;
      Result<Store::Swapped> swapped = co_await ValueOf(
          shared_->store->Swap(key, version, use.ToText(), rules_->config.idle, now));
      if (!swapped) co_return Failure(std::move(swapped.error()));
      if (swapped->done) co_return use;
      item = std::move(swapped->item);
    }
  }

  // Of what is its own; not of what was begun since it was forgotten.
  Task<Result<ContextUse>> Return(std::int64_t tokens) {
    return Change([tokens, began = began_](ContextUse& now) {
      if (now.began != began) return false;
      GiveBack(tokens, now);
      return true;
    });
  }

  // Gives what it takes now.
  std::int64_t Cut(mcp::Message& message, ContextShare& share, std::int64_t wanted) const {
    if (share.kind == ContextShare::Kind::kCut) {
      const std::string_view result = message.result();
      ResultShelf* const shelf = rules_->shelf.get();
      const bool keep = shelf != nullptr && result.size() <= shelf->max_bytes;
      std::optional<ResultPages> pages =
          PagesWithin(result, share.tokens, rules_->config.tokens.counter, keep);
      if (pages) {
        KeptResult kept{
            .pages = std::move(*pages), .tool = tool_, .meant = {}, .owner = OwnerOf(*call_)};
        shared_->dropped.Add(PutFirstPage(message, std::move(kept),
                                          {.shelf = keep ? shelf : nullptr,
                                           .sealer = shared_->sealer,
                                           .now = shared_->clock.Now(),
                                           .why = " to what the context has room for"}));
        const std::int64_t taken =
            TokensOfResult(message.result(), rules_->counter(), share.tokens + 1);
        if (taken <= share.tokens) return taken;
      }
      share.kind = ContextShare::Kind::kWithheld;
    }
    return Withhold(message, share, wanted);
  }

  std::int64_t Withhold(mcp::Message& message, const ContextShare& share,
                        std::int64_t wanted) const {
    const std::string text = ContextWithheld(rules_->window(), wanted, share.available);
    message = mcp::Message::FromResult(
        message.id(), fmt::format(R"({{"resultType":"complete","content":[{}],"isError":true}})",
                                  TextBlock(text)));
    return std::min(TokensOfText(text, rules_->counter(), share.tokens), share.tokens);
  }

  const Shared* shared_;
  const Rules* rules_;
  const Call* call_;
  std::string tool_;
  ContextKey key_;
  std::int64_t began_ = 0;
  bool counts_ = false;  // something is set aside for it
};

class CountedReply final : public Reply {
 public:
  CountedReply(ReplyPtr inner, Account account)
      : inner_(std::move(inner)), account_(std::move(account)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (!next) {
      co_await account_.Fail(next.error());
    } else if (*next && (*next)->is_response()) {
      co_await account_.Take(**next);
    }
    co_return next;
  }

 private:
  ReplyPtr inner_;
  Account account_;  // of a call, which outlives its reply
};

class ContextBudget final : public Policy {
 public:
  explicit ContextBudget(const PolicyDeps& deps)
      : settings_(deps), shared_(deps), metrics_(deps.metrics), states_(*deps.states) {
    shared_.cuts->OfferWith([settings = settings_](const PolicySet& policies) {
      const Rules& rules = settings(policies);
      return rules.on() && rules.shelf != nullptr;
    });
  }

  std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                   const PolicyScope& scope) const override {
    auto rules = std::make_shared<Rules>();
    rules->of_pages = scope.server.empty();
    if (settings != nullptr) rules->config = *static_cast<const Config*>(settings.get());
    if (!rules->on()) return rules;
    const std::string name = scope.Key(PolicyScope::Counts::kAsSet);
    const auto counter = [&](const char* metric, const char* what) {
      return &metrics_.CounterOf(metric, {std::string(scope.server), what});
    };
    constexpr const char* kCalls = "switchyard_context_calls_total";
    constexpr const char* kTokens = "switchyard_context_tokens_total";
    rules->by_kind = {counter(kCalls, "whole"), counter(kCalls, "cut"),
                      counter(kCalls, "withheld")};
    rules->refused = counter(kCalls, "refused");
    rules->unknown = counter(kCalls, "unknown");
    rules->arguments = counter(kTokens, "arguments");
    rules->results = counter(kTokens, "results");
    const Config& config = rules->config;
    if (config.keep == Duration::zero() || config.keep_bytes == 0) return rules;
    rules->shelf = states_.Get<ResultShelf>(
        fmt::format("context_budget {} {} {}", name, config.keep.count(), config.keep_bytes),
        [&] { return shared_.cuts->shelves.Make(config.keep_bytes, config.keep); });
    return rules;
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    if (call.forsaken || call.message.kind() != mcp::Kind::kRequest ||
        call.message.method() != mcp::Method::kToolsCall) {
      return next.Handle(call);
    }
    // A page counts as the result does that it is of.
    const Definition* const tool =
        ToolOfPage(call, *shared_.cuts, shared_.sealer, shared_.clock.Now());
    const bool page = tool != nullptr && tool->policies != nullptr;
    const Rules& rules = page ? settings_(*tool->policies) : settings_(call);
    if (!rules.on()) return next.Handle(call);
    std::string name = page ? tool->exposed : ToolNameOf(call);
    return Counted(call, next, Account(shared_, rules, call, std::move(name)));
  }

  bool IsOff(const PolicySet& set) const override {
    const Rules& rules = settings_(set);
    return !rules.on() && !rules.of_pages;
  }

 private:
  static Task<Result<ReplyPtr>> Counted(Call& call, Service& next, Account account) {
    std::optional<Error> refusal = co_await account.Begin();
    if (refusal) co_return Failure(std::move(*refusal));
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) {
      co_await account.Fail(reply.error());
      co_return reply;
    }
    if (mcp::Message* whole = (*reply)->Whole()) {
      co_await account.Take(*whole);
      co_return reply;
    }
    ReplyPtr counted = std::make_unique<CountedReply>(std::move(*reply), std::move(account));
    co_return counted;
  }

  const SettingsOf<Rules> settings_;
  const Shared shared_;
  switchyard::telemetry::Metrics& metrics_;
  States& states_;
};

// ---- settings

void ParseReserved(config::Section& section, ContextWindow& window) {
  constexpr std::int64_t kMost = 1'000'000'000;
  if (auto reserved = section.Child("reserved", "a mapping of system and response to tokens")) {
    reserved->Take("system", window.for_system, 0, kMost);
    reserved->Take("response", window.for_response, 0, kMost);
  } else {
    section.Shows("reserved", fmt::format("{{system: {}, response: {}}}", window.for_system,
                                          window.for_response));
  }
}

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  constexpr std::int64_t kMost = 1'000'000'000;
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  ContextWindow& window = config->window;
  section.Take("total", window.total, 0, kMost);
  if (window.total == 0) section.IsOff("total: 0");
  ParseReserved(section, window);
  section.Take("max_fraction", window.max_fraction, 0.01, 1);
  section.Take("min_available", window.min_available, 1, kMost);
  section.Take("warn_at", window.warn_at, 0, 1);
  if (const auto word = section.Enum("per", {"session", "principal"})) {
    config->per_session = *word == "session";
  }
  section.Shows("per", config->per_session ? "session" : "principal");
  section.Take("conversation", config->conversation);
  section.Take("idle", config->idle, std::chrono::seconds(1), std::chrono::hours(24 * 30));
  section.Take("keep", config->keep, Duration::zero(), std::chrono::hours(24));
  section.TakeBytes("keep_bytes", config->keep_bytes);
  TakeTokenSettings(section, config->tokens);
  if (const std::optional<ContextProblem> problem = ProblemOf(window)) {
    section.Error(problem->key, problem->message);
  }
  return config;
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<ContextBudget>(deps);
}

}  // namespace switchyard::policies::context_budget
