// guardrail:
//   arguments: {secrets: deny}
//   results: {all: redact, email: off}
//   patterns: {employee: '\bE-\d{6}\b'}
//   hook: {url: "https://dlp.example/mcp", phases: [arguments, result]}
//
// What a call must not carry to a server, and what an answer must not carry back: keys, tokens,
// private keys, passwords, card numbers, addresses, and what the operator's own patterns (RE2) fit.
// Each is off, reported, redacted (`[redacted:aws_key]`) or denied, in each direction, by the name
// of a detector (policies/lib/guardrail_detectors.def) or of a group: all, secrets, personal,
// patterns.
//
// Of a call its arguments are looked at, what it answers to questions, a resource's URI and headers
// that mirror arguments; of an answer all text, also of errors and notifications. Nothing is kept,
// and neither logs nor metrics nor refusals ever hold what was found.
//
// A hook, if there is one, is shown what the rules left of the arguments and may rewrite them, and
// the rules look at what it made of results. See guardrail/hook.h.
#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <spdlog/spdlog.h>

#include "config/section.h"
#include "core/task_policies.h"
#include "policies/guardrail/hook.h"
#include "policies/guardrail/judge.h"
#include "policies/guardrail/settings.h"
#include "policies/registry.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::guardrail {
namespace {

// What the calls of one scope go by.
struct Bound {
  std::shared_ptr<const Settings> settings = nullptr;
  const Compiled* compiled = nullptr;  // of settings; null: nothing was said
  std::string server = {};
  // A listen tells of tasks, which are judged as their tools' results: it is looked at wherever
  // something is judged at all.
  bool of_listens = false;

  bool Has(Direction direction) const { return compiled != nullptr && !RulesOf(direction).off(); }
  bool Hooks() const { return settings != nullptr && settings->hook.on(); }
  bool HooksResults() const { return Hooks() && settings->hook.results; }
  const Rules& RulesOf(Direction direction) const {
    return compiled->rules.at(static_cast<std::size_t>(direction));
  }
};

std::string_view OutcomeOf(Action action) {
  constexpr std::array<std::string_view, 4> kOutcomes = {"off", "reported", "redacted", "denied"};
  return kOutcomes.at(static_cast<std::size_t>(action));
}

// Who counts and tells. Borrows what its call's target and the process hold.
class Clerk {
 public:
  Clerk(const Bound& bound, switchyard::telemetry::Metrics& metrics)
      : bound_(bound), metrics_(metrics) {}

  void Tell(const Call& call, Direction direction, const Judged& judged) const {
    const Rules& rules = bound_.RulesOf(direction);
    for (const Note& note : judged.notes) {
      metrics_
          .CounterOf("switchyard_guardrail_total",
                     {bound_.server, std::string(NameOf(direction)), rules.names[note.detector],
                      std::string(OutcomeOf(note.action))})
          .Add(note.count);
    }
    const std::string reported = Places(judged.notes, rules, Action::kReport);
    if (reported.empty()) return;
    spdlog::warn("guardrail: server {}: {}: {}: {}", bound_.server, NameOf(call), NameOf(direction),
                 reported);
  }

  // The error is what the client gets instead.
  Result<void> Judge(const Call& call, mcp::Message& message) const {
    if (!bound_.Has(Direction::kResult)) return {};
    Judged judged = JudgeAnswer(call, message, bound_.RulesOf(Direction::kResult));
    Tell(call, Direction::kResult, judged);
    if (judged.refusal) return Failure(std::move(*judged.refusal));
    return {};
  }
  Error Judge(const Call& call, Error error) const {
    if (!bound_.Has(Direction::kResult)) return error;
    Tell(call, Direction::kResult, JudgeFailure(error, bound_.RulesOf(Direction::kResult)));
    return error;
  }

 private:
  const Bound& bound_;
  switchyard::telemetry::Metrics& metrics_;
};

// Of what a subscription tells only tasks have somebody's words in them.
bool IsLookedAt(const Call& call, const mcp::Message& message) {
  return call.method().route != mcp::Route::kListen || message.is_response() ||
         message.method() == mcp::Method::kTaskChanged;
}

// What is told of a task in a listen: its id as the listener knows it.
std::string TaskIn(const mcp::Message& news) {
  if (news.edits().empty()) return news.GetString(mcp::Key::kTaskId);
  const Result<mcp::Message> anew =
      mcp::Message::Parse(news.ToText(), mcp::Check::kEnvelope);  // as it will be written
  return anew ? anew->GetString(mcp::Key::kTaskId) : std::string();
}

class GuardedReply final : public Reply {
 public:
  // `bound`: of the call, as in the clerk.
  GuardedReply(ReplyPtr inner, Clerk clerk, const Call& call, const Bound& bound,
               const SettingsOf<Bound>& settings, const Hook& hook,
               switchyard::telemetry::Metrics& metrics)
      : inner_(std::move(inner)),
        clerk_(clerk),
        call_(call),
        bound_(bound),
        settings_(settings),
        hook_(hook),
        metrics_(metrics) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    for (;;) {
      Result<std::optional<mcp::Message>> next = co_await inner_->Next();
      if (!next) co_return Failure(clerk_.Judge(call_, std::move(next.error())));
      if (!*next) co_return next;
      const bool response = (*next)->is_response();
      if (!IsLookedAt(call_, **next)) co_return next;
      Result<void> judged;
      if (!response && call_.method().route == mcp::Route::kListen) {
        judged = co_await JudgeNews(**next);
      } else {
        judged = clerk_.Judge(call_, **next);
      }
      if (judged) co_return next;
      // The work goes on without what it said on the way.
      if (response) co_return Failure(std::move(judged.error()));
    }
  }

 private:
  // By what is set for the task's own tool, its hook included.
  Task<Result<void>> JudgeNews(mcp::Message& news) const {
    const TaskPolicies* tasks = call_.target.tasks;
    // Held until all have judged.
    const std::shared_ptr<const PolicySet> policies =
        tasks == nullptr ? nullptr : tasks->PoliciesOfTask(call_, TaskIn(news));
    const Bound& bound = policies == nullptr ? bound_ : settings_(*policies);
    if (bound.HooksResults()) {
      Result<void> judged =
          co_await hook_.JudgeAnswer(call_, news, bound.settings->hook, bound.server);
      if (!judged) co_return judged;
    }
    co_return Clerk(bound, metrics_).Judge(call_, news);
  }

  ReplyPtr inner_;
  const Clerk clerk_;
  const Call& call_;  // outlives its reply, as does what it goes by
  const Bound& bound_;
  const SettingsOf<Bound>& settings_;  // of the policy, as what follows
  const Hook& hook_;
  switchyard::telemetry::Metrics& metrics_;
};

// Requests that carry somebody's words to a server, or from it.
bool Concerns(const Call& call) {
  const mcp::MethodInfo& method = call.method();
  return call.message.kind() == mcp::Kind::kRequest && !call.forsaken &&
         (method.IsForServer() || method.route == mcp::Route::kListen);
}

class Guardrail final : public Policy {
 public:
  explicit Guardrail(const PolicyDeps& deps)
      : bound_(deps), metrics_(deps.metrics), hook_(deps.fetcher, deps.clock, deps.metrics) {}

  std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                   const PolicyScope& scope) const override {
    const bool of_listens = scope.server.empty();
    if (settings == nullptr && !of_listens) return nullptr;
    auto bound = std::make_shared<Bound>();
    bound->of_listens = of_listens;
    bound->server = scope.server;
    if (settings == nullptr) return bound;
    bound->settings = std::static_pointer_cast<const Settings>(std::move(settings));
    bound->compiled = &CompiledOf(*bound->settings);
    if (bound->Has(Direction::kResult) || bound->HooksResults()) {
      judges_.store(true, std::memory_order_relaxed);
    }
    return bound;
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Bound& bound = bound_(call);
    if (!Concerns(call)) return next.Handle(call);
    const Clerk clerk(bound, metrics_);
    if (Result<void> judged = JudgeByRules(call, bound, clerk); !judged) {
      return Refuse(std::move(judged.error()));
    }
    if (bound.Hooks()) return Hooked(call, next, bound, clerk);
    return JudgesResults(call, bound) ? Guarded(call, next, bound, clerk) : next.Handle(call);
  }

  bool IsOff(const PolicySet& set) const override {
    const Bound& bound = bound_(set);
    return !bound.of_listens && !bound.Has(Direction::kArguments) &&
           !bound.Has(Direction::kResult) && !bound.Hooks();
  }

 private:
  static Task<Result<ReplyPtr>> Refuse(Error refusal) { co_return Failure(std::move(refusal)); }

  bool JudgesResults(const Call& call, const Bound& bound) const {
    const bool tells_of_tasks =
        call.method().route == mcp::Route::kListen && judges_.load(std::memory_order_relaxed);
    return bound.Has(Direction::kResult) || tells_of_tasks;
  }

  static Result<void> JudgeByRules(Call& call, const Bound& bound, const Clerk& clerk) {
    if (!bound.Has(Direction::kArguments)) return {};
    Judged judged = JudgeCall(call, bound.RulesOf(Direction::kArguments));
    clerk.Tell(call, Direction::kArguments, judged);
    if (judged.refusal) return Failure(std::move(*judged.refusal));
    return {};
  }

  // The rules before the hook on the way in, and behind it on the way back.
  Task<Result<ReplyPtr>> Hooked(Call& call, Service& next, const Bound& bound, Clerk clerk) const {
    const HookSettings& hook = bound.settings->hook;
    if (Hook::SeesArguments(call, hook)) {
      Result<bool> rewritten = co_await hook_.JudgeCall(call, hook, bound.server);
      if (!rewritten) co_return Failure(std::move(rewritten.error()));
      if (*rewritten) {
        Result<void> judged = JudgeByRules(call, bound, clerk);
        if (!judged) co_return Failure(std::move(judged.error()));
      }
    }
    struct Through final : Service {
      Through(const Hook& h, Service& n, const HookSettings& s, const std::string& to)
          : through(h), behind(n), settings(s), server(to) {}
      Task<Result<ReplyPtr>> Handle(Call& one) override {
        return Hook::SeesResult(one, settings) ? through.Handle(one, behind, settings, server)
                                               : behind.Handle(one);
      }
      const Hook& through;
      Service& behind;
      const HookSettings& settings;
      const std::string& server;
    } through(hook_, next, hook, bound.server);
    if (!JudgesResults(call, bound)) co_return co_await through.Handle(call);
    co_return co_await Guarded(call, through, bound, clerk);
  }

  Task<Result<ReplyPtr>> Guarded(Call& call, Service& next, const Bound& bound, Clerk clerk) const {
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) co_return Failure(clerk.Judge(call, std::move(reply.error())));
    if (mcp::Message* whole = (*reply)->Whole()) {
      Result<void> judged = clerk.Judge(call, *whole);
      if (!judged) co_return Failure(std::move(judged.error()));
      co_return reply;
    }
    ReplyPtr guarded = std::make_unique<GuardedReply>(std::move(*reply), clerk, call, bound, bound_,
                                                      hook_, metrics_);
    co_return guarded;
  }

  const SettingsOf<Bound> bound_;
  switchyard::telemetry::Metrics& metrics_;
  mutable std::atomic<bool> judges_{false};  // whether results of anything are, by rules or hooks
  const Hook hook_;
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  return ParseSettings(std::move(section), static_cast<const Settings*>(inherited));
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<Guardrail>(deps);
}

}  // namespace switchyard::policies::guardrail
