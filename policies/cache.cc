// tool_policies:
//   search_*:   {cache: {ttl: 5m, stale_if_error: 10m}}
//   run_check:  {cache: {ttl: 1m, key: "check:{start}:{end}", allow: [run_check]}}
//   write_page: {cache: {invalidates: [search_*, "file:///*"]}}
//
// Answers to tools/call, resources/read and prompts/get are kept and given again, where nothing is
// changed by them: a hint or the operator says so, and the name of a tool does not say otherwise.
// `ttl` is how long, if the server says nothing of it; off unless configured. Nothing is shared
// between callers unless the server says cacheScope public. Equal calls at the same time are one
// call to the server. An old answer may stand in for an error: stale_if_error, stale_while_open.
#include "policies/cache.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/section.h"
#include "core/reply.h"
#include "mcp/message.h"
#include "mcp/method.h"
#include "mcp/raw_object.h"
#include "mcp/tasks.h"
#include "policies/cache/key.h"
#include "policies/cache/leading.h"
#include "policies/lib/answer_cache.h"
#include "policies/lib/failure_data.h"
#include "policies/lib/flight.h"
#include "policies/lib/kept_answer.h"
#include "policies/lib/writer_tasks.h"
#include "policies/registry.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::cache {
namespace {

using mcp::Key;
using switchyard::telemetry::Metrics;

// ---- what changes what is kept

// Lets go of what a writer may have changed, when its call is over, whatever came of it.
class Invalidation {
 public:
  Invalidation(Shared& shared, const Rules& rules, const Call& call)
      : shared_(&shared), rules_(&rules), call_(&call) {}
  Invalidation(Invalidation&& other) noexcept
      : shared_(std::exchange(other.shared_, nullptr)), rules_(other.rules_), call_(other.call_) {}
  Invalidation& operator=(Invalidation&&) = delete;
  ~Invalidation() { Now(); }

  void Now() {
    if (shared_ == nullptr) return;
    shared_->topics.Invalidate(Servers(), rules_->settings.invalidates);
    shared_ = nullptr;
  }
  void DropsNothing() { shared_ = nullptr; }

  // A response, before the client has it: who has read it reads nothing older.
  void Saw(const mcp::Message& response) {
    if (shared_ == nullptr) return;
    if (response.Get(Key::kResultType) == R"("task")") {
      // Its id as the client will have it.
      const mcp::Message told = Plain(response.Clone());
      shared_->tasks.Add(told.GetString(Key::kTaskId),
                         {.servers = Servers(), .globs = rules_->settings.invalidates});
    }
    Now();
  }

 private:
  // Members of a group are interchangeable: what is written to one of them shows at all.
  std::vector<std::string> Servers() const {
    std::vector<std::string> servers = rules_->peers;
    servers.emplace_back(call_->target.server);
    return servers;
  }

  Shared* shared_;
  const Rules* rules_;
  const Call* call_;
};

class WritingReply final : public Reply {
 public:
  WritingReply(ReplyPtr inner, Invalidation invalidation)
      : invalidation_(std::move(invalidation)), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (next && *next && !(*next)->is_response()) co_return next;
    if (next && *next) invalidation_.Saw(**next);
    inner_ = nullptr;  // not while a slow client reads the last message
    invalidation_.Now();
    co_return next;
  }

 private:
  Invalidation invalidation_;  // outlives inner_: what is dropped has ended by then
  ReplyPtr inner_;
};

// What a client is told of the end of a writer's task: by its id, what it may have changed goes.
void SawTask(Shared& shared, const std::string& id, bool ended) {
  const std::optional<WriterTasks::Writer> writer = shared.tasks.Find(id);
  if (!writer) return;
  shared.topics.Invalidate(writer->servers, writer->globs);
  if (ended) shared.tasks.Forget(id);
}

bool SaysEnd(std::string_view task) {
  return mcp::IsTerminal(mcp::RawObject::Parse(task).GetString("status"));
}

// A request about a task.
class WatchedTask final : public Reply {
 public:
  WatchedTask(Shared& shared, const Call& call, ReplyPtr inner)
      : shared_(shared), call_(call), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (next && *next && (*next)->is_response()) Saw(**next);
    co_return next;
  }
  void Saw(const mcp::Message& response) const {
    const mcp::Method asked = call_.message.method();
    const bool asks = response.Get(Key::kResultType) == R"("input_required")";
    const bool ended = asked == mcp::Method::kTasksResult
                           ? !asks
                           : asked == mcp::Method::kTasksGet && SaysEnd(response.result());
    // Who cancels may not ask again.
    if (!ended && asked != mcp::Method::kTasksCancel) return;
    SawTask(shared_, call_.message.GetString(Key::kTaskId), ended);
  }

 private:
  Shared& shared_;
  const Call& call_;
  ReplyPtr inner_;
};

// A listen: what its client is told of as updated is not kept any longer.
class WatchedListen final : public Reply {
 public:
  WatchedListen(Shared& shared, ReplyPtr inner) : shared_(shared), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (next && *next && (*next)->kind() == mcp::Kind::kNotification) Saw(**next);
    co_return next;
  }

 private:
  void Saw(const mcp::Message& news) const {
    if (news.method() == mcp::Method::kResourceUpdated) {
      shared_.topics.InvalidateUri(Plain(news.Clone()).GetString(Key::kUri));
    } else if (news.method() == mcp::Method::kTaskChanged && !shared_.tasks.empty() &&
               SaysEnd(news.params())) {
      SawTask(shared_, Plain(news.Clone()).GetString(Key::kTaskId), true);
    }
  }

  Shared& shared_;
  ReplyPtr inner_;
};

class Cache final : public Policy {
 public:
  explicit Cache(const PolicyDeps& deps)
      : settings_(deps), metrics_(deps.metrics), accounts_(deps.accounts), shared_(deps) {}

  std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                   const PolicyScope& scope) const override {
    if (settings == nullptr) return nullptr;
    auto rules = std::make_shared<Rules>(
        Rules{.settings = *static_cast<const CacheSettings*>(settings.get()),
              .peers = {scope.peers.begin(), scope.peers.end()}});
    if (!rules->settings.enabled) return rules;
    const auto counter = [&](const char* outcome) {
      return &metrics_.CounterOf("switchyard_cache_calls_total",
                                 {std::string(scope.server), outcome});
    };
    rules->hits = counter("hit");
    rules->misses = counter("miss");
    rules->stale = counter("stale");
    rules->shared = counter("shared");
    shared_.answers.SetMaxBytes(rules->settings.max_bytes);
    on_ = true;
    return rules;
  }

  void ServerListed(std::string_view server) const override {
    shared_.topics.InvalidateServer(server);
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    if (call.message.kind() != mcp::Kind::kRequest) return next.Handle(call);
    if (call.method().route == mcp::Route::kListen) {
      return on_.load(std::memory_order_relaxed) ? Watched(call, next) : next.Handle(call);
    }
    if (call.method().route == mcp::Route::kTask) {
      return shared_.tasks.empty() ? next.Handle(call) : WatchTask(call, next);
    }
    const Rules& rules = settings_(call);
    const CacheSettings& settings = rules.settings;
    const mcp::Method method = call.message.method();
    if (call.target.server.empty()) return next.Handle(call);
    // Also where nothing of the tool's own is kept.
    if (method == mcp::Method::kToolsCall && !settings.invalidates.empty()) {
      return Writing(call, next, rules);
    }
    if (!settings.enabled || call.once) return next.Handle(call);
    if (!settings.Permits(method, call.target.definition) || MustReachServer(call)) {
      return next.Handle(call);
    }
    std::optional<CacheKeys> keys = CacheKeysOf(shared_.topics, settings, call, accounts_);
    if (!keys) return next.Handle(call);
    if (call.only_kept > Duration(0)) return Kept(call, next, rules, *keys);
    return Cached(call, next, rules, std::move(*keys));
  }

 private:
  Task<Result<ReplyPtr>> Watched(Call& call, Service& next) const {
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) co_return reply;
    ReplyPtr watched = std::make_unique<WatchedListen>(shared_, std::move(*reply));
    co_return watched;
  }

  Task<Result<ReplyPtr>> Writing(Call& call, Service& next, const Rules& rules) const {
    Invalidation invalidation(shared_, rules, call);
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) {
      if (NothingRan(reply.error())) invalidation.DropsNothing();
      co_return reply;
    }
    if (const mcp::Message* whole = (*reply)->Whole()) {
      invalidation.Saw(*whole);
      co_return reply;
    }
    ReplyPtr writing = std::make_unique<WritingReply>(std::move(*reply), std::move(invalidation));
    co_return writing;
  }

  Task<Result<ReplyPtr>> WatchTask(Call& call, Service& next) const {
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) co_return reply;
    ReplyPtr watched = std::make_unique<WatchedTask>(shared_, call, std::move(*reply));
    co_return watched;
  }

  // `rules` live as long as the call's target.
  Task<Result<ReplyPtr>> Cached(Call& call, Service& next, const Rules& rules,
                                CacheKeys keys) const {
    const TimePoint now = shared_.clock.Now();
    AnswerCache::EntryPtr old;
    if (shared_.shared_answers > 0) old = shared_.answers.Find(keys.Everybody(), now);
    const bool found = old != nullptr && old->IsFresh(now);
    AnswerCache::Begun begun;
    if (!found) {
      // What only the server may say is kept is not waited for: most likely it will not be.
      const bool flies = rules.settings.ttl > Duration(0);
      begun = shared_.answers.Begin(keys.own, *keys.topic, now, flies);
      if (begun.entry != nullptr) old = begun.entry;
    }
    if (old != nullptr && old->IsFresh(now)) {
      rules.hits->Add();
      NoteCached(call);
      co_return ReplyWith(shared_.Give(*old->answer, call, "hit", old->AgeAt(now)));
    }
    std::shared_ptr<Flight> flight = begun.flight;
    if (flight != nullptr && !begun.leads) {
      const Flight::Told told = co_await Flight::Follow(flight, call.deadline.at(), shared_.clock);
      if (told == Flight::Told::kLanded) co_return FromLanding(call, rules, flight->landing());
      if (told == Flight::Told::kTimedOut) co_return Failure(NoAnswer(call));
      if (told == Flight::Told::kAlone) flight = nullptr;
    }
    Leading leading(shared_, rules, call, std::move(keys), std::move(old), std::move(flight));
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) {
      Result<mcp::Message> told = leading.Failed(std::move(reply.error()));
      if (!told) co_return Failure(std::move(told.error()));
      co_return ReplyWith(std::move(*told));
    }
    if (mcp::Message* whole = (*reply)->Whole()) {
      *whole = leading.Saw(std::move(*whole));
      co_return reply;
    }
    ReplyPtr led = std::make_unique<LeadingReply>(std::move(*reply), std::move(leading));
    co_return led;
  }

  Task<Result<ReplyPtr>> Kept(Call& call, Service& next, const Rules& rules,
                              const CacheKeys& keys) const {
    const TimePoint now = shared_.clock.Now();
    AnswerCache::EntryPtr kept = shared_.answers.Find(keys.own, now);
    if (!kept) kept = shared_.answers.Find(keys.Everybody(), now);
    if (!kept || kept->AgeAt(now) > call.only_kept) return next.Handle(call);
    rules.stale->Add();
    NoteCached(call);
    return [](mcp::Message answer) -> Task<Result<ReplyPtr>> {
      co_return ReplyWith(std::move(answer));
    }(shared_.Give(*kept->answer, call, "stale", kept->AgeAt(now)));
  }

  Result<ReplyPtr> FromLanding(Call& call, const Rules& rules,
                               const Flight::Landing& landing) const {
    const bool later = landing.stale() && call.others_first;
    if (later) call.spare = landing.oldest;
    NoteCached(call);
    if (landing.answer != nullptr && !later) {
      (landing.stale() ? rules.stale : rules.shared)->Add();
      // What another call has just been answered was not kept.
      if (!landing.stale()) {
        return ReplyWith(landing.answer->Give(call.message.id(), "shared", landing.age));
      }
      return ReplyWith(shared_.Give(*landing.answer, call, "stale", landing.age));
    }
    rules.shared->Add();
    if (landing.error) return Failure(*landing.error);
    mcp::Message copy = landing.message->Clone();
    copy.SetId(std::string(call.message.id()));
    return ReplyWith(std::move(copy));
  }

  static Error NoAnswer(const Call& call) {
    return {.code = Code::kDeadline,
            .message = fmt::format("server {}: no answer in time to an equal call that was asked "
                                   "before this one",
                                   call.target.server)};
  }

  const SettingsOf<Rules> settings_;
  Metrics& metrics_;
  const AccountVersions* const accounts_;
  mutable Shared shared_;  // thread-safe
  mutable std::atomic<bool> on_{false};
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  return ParseCacheSettings(std::move(section), static_cast<const CacheSettings*>(inherited));
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) { return std::make_shared<Cache>(deps); }

}  // namespace switchyard::policies::cache
