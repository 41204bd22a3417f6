// servers.<s>.tool_policies.search: fallback:
//   on: [open, rate, budget, overload, timeout, unavailable, error]   # or tool_error
//   alternatives:                               # in this order
//     - {server: backup}                        # its tool of the same name
//     - {tool: web__find, arguments: {q: "{query}", limit: 5}}
//     - {stale: 1h}                             # what the cache keeps, at most so old
//     - {answer: {text: "search is down, answer from what you know"}}
//   trust_hints: true                           # readOnlyHint
//   may_have_run: false
//   within: 0s                                  # no alternative later than this; 0 = no such limit
//
// Answers a tools/call that failed by another way: another tool that this endpoint offers, an old
// answer, a fixed one. Of a group of servers the other members come first, without being named;
// what the cache would answer an error with (stale_if_error) comes after all other tools. An
// alternative is a call of its own through all that stands behind this policy, as if its client had
// named it: what judges the caller or the target judges it, its server has its own retry, breaker,
// slots and time. Its own alternatives are not asked. Nobody else is asked once a call may have
// run, unless the tool only reads or `may_have_run` says so; nor once something of an answer was
// delivered.
#include "policies/fallback.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/resolver.h"
#include "mcp/raw_object.h"
#include "policies/lib/failure_data.h"
#include "policies/lib/meta_note.h"
#include "policies/registry.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::fallback {
namespace {

using mcp::Key;
using Kind = Alternative::Kind;
using Step = Begun::Step;
using switchyard::telemetry::Metrics;

constexpr std::string_view kNote = "switchyard/fallback";

// What both the original call and its alternatives are made of.
struct Shared {
  const Clock& clock;
  Metrics& metrics;
};

constexpr std::string_view kMember = "member";

std::optional<FallbackReason> ReasonIn(const Step& first) {
  return first ? ReasonOf(**first) : ReasonOf(first.error());
}
bool IsCancelled(const Step& first) { return !first && first.error().code == Code::kCancelled; }

// Known to have changed nothing: it did not run, or its server did not take it.
bool NothingRan(const Step& first) {
  return first ? BlamesTheCall(**first) : policies::NothingRan(first.error());
}

bool IsUnknown(const Step& first) {
  return !first && first.error().code == Code::kNotFound && first.error().origin == Origin::kClient;
}

std::string WordsOf(const Step& first) {
  if (!first) return first.error().message;
  if ((*first)->kind() == mcp::Kind::kResult) return "the tool failed";
  const std::string text = mcp::RawObject::Parse((*first)->error()).GetString("message");
  return text.empty() ? "the server answered with an error" : text;
}

// ---- one call's way through its alternatives

class Detour {
 public:
  // All of it outlives this.
  Detour(const FallbackSettings& settings, const Shared& shared, Call& call, Service& next,
         TimePoint begin)
      : settings_(settings),
        shared_(shared),
        call_(call),
        next_(next),
        server_(call.target.server) {
    call_.done_at.reset();  // said where the server that failed has its home
    if (settings.within > Duration::zero()) until_.ShrinkTo(begin + settings.within);
    until_.ShrinkTo(call.deadline);
  }

  // Another's reply, or what the call came to first and what was tried since.
  Task<Result<ReplyPtr>> Take(Step first, FallbackReason because) {
    Saw(first, call_);
    std::optional<Begun> by_member = co_await AskMembers();
    if (by_member) {
      Result<ReplyPtr> reply = Given(std::move(*by_member), kMember, because);
      co_return reply;
    }
    if (call_.message.method() == mcp::Method::kToolsCall) {
      for (const Alternative& alternative : settings_.alternatives) {
        if (!MayGoOn()) break;
        // What is the same whatever was asked comes after what the tool once answered.
        if (alternative.kind == Kind::kAnswer && spare_ != nullptr) {
          std::optional<Begun> old = co_await AskSpare();
          if (old) co_return GiveOld(std::move(*old), because);
        }
        std::optional<Begun> answer = co_await TryAll(alternative);
        if (!answer) continue;
        call_.stand_in = from_;
        Result<ReplyPtr> reply = Given(std::move(*answer), KindOf(alternative), because);
        co_return reply;
      }
    }
    std::optional<Begun> old = co_await AskSpare();
    if (old) co_return GiveOld(std::move(*old), because);
    if (!tried_.empty()) Count("none", because);
    co_return GoOn({.first = WithTried(std::move(first))}, "", "");
  }

  // The same where no other is to be asked.
  Task<Result<ReplyPtr>> TakeOld(Step first) {
    Saw(first, call_);
    std::optional<Begun> old = co_await AskSpare();
    if (old) first = std::move(old->first);
    co_return GoOn({.first = std::move(first)}, "", "");
  }

 private:
  bool MayGoOn() const {
    return (!ran_ || settings_.may_have_run) && !until_.Passed(shared_.clock.Now());
  }
  // What was asked already: the target or, of a group, any of its members.
  bool IsOwn(const Definition& tool) const {
    const Definition* own = call_.target.definition;
    return &tool == own ||
           (own->listed != nullptr && (&tool == own->listed || tool.listed == own->listed));
  }

  // The alternative's tool; of a group, its other members after it. Nullopt: none of them answers.
  Task<std::optional<Begun>> TryAll(const Alternative& alternative) {
    const Definition* const first = ToolOf(alternative);
    if (alternative.is_tool() && first != nullptr && IsOwn(*first)) co_return std::nullopt;
    const std::vector<const Definition*> tools = ToolsOf(alternative, first);
    for (const Definition* tool : tools) {
      if (tool != first && !MayGoOn()) break;
      from_ = NameOf(alternative, tool);
      Begun begun = co_await Ask(alternative, tool);
      // Also one that is hidden from the caller, whatever refused it then: they read alike.
      const bool hidden = begun.call != nullptr && begun.call->target.definition == nullptr;
      if (hidden || IsUnknown(begun.first)) {
        tried_.emplace_back(NameOf(alternative, nullptr), WordsOf(NotOffered().first));
        co_return std::nullopt;
      }
      if (Answers(begun.first) || IsCancelled(begun.first)) co_return begun;
      if (begun.call != nullptr && alternative.is_tool()) Saw(begun.first, *begun.call);
      tried_.emplace_back(from_, WordsOf(begun.first));
    }
    co_return std::nullopt;
  }

  // The others of the target's group, best first; nullopt: there is none, or none could serve it.
  // The call is the same one, so the target is the one that it goes to, and its time ends as ours.
  Task<std::optional<Begun>> AskMembers() {
    const Definition* const own = call_.target.definition;
    if (own->listed == nullptr) co_return std::nullopt;
    const Deadline before = std::exchange(call_.deadline, until_);
    for (const std::shared_ptr<Definition>& member : own->listed->members) {
      if (member.get() == own) continue;
      if (!MayGoOn()) break;
      SendTo(*member);
      from_ = member->server;
      Result<ReplyPtr> reply = co_await next_.Handle(call_);
      Begun begun = co_await Begin(std::move(reply), nullptr);
      if (call_.target.definition == nullptr) co_return begun;  // hidden by now
      if (IsCancelled(begun.first) || IsOfMember(begun.first)) co_return begun;
      Saw(begun.first, call_);
      tried_.emplace_back("server " + from_, WordsOf(begun.first));
    }
    SendTo(*own);
    call_.deadline = before;
    co_return std::nullopt;
  }

  // An answer for the client: the member was asked the same.
  bool IsOfMember(const Step& first) const {
    if (!first) return false;
    const std::optional<FallbackReason> reason = ReasonOf(**first);
    return !reason || !settings_.Covers(*reason);
  }

  void SendTo(const Definition& tool) {
    call_.target.server = tool.server;
    call_.target.definition = &tool;
    call_.target.policies = tool.policies.get();
    call_.spare = Duration::zero();
  }

  Result<ReplyPtr> Given(Begun begun, std::string_view kind, FallbackReason because) const {
    if (!IsCancelled(begun.first)) Count(kind, because);
    std::string note = begun.first ? Note(kind, because, begun.first) : "";
    return GoOn(std::move(begun), kNote, std::move(note));
  }

  const Definition* ToolOf(const Alternative& alternative) const {
    if (!alternative.is_tool() || call_.target.others == nullptr) return nullptr;
    return call_.target.others->FindToolOf(
        alternative.server, alternative.tool.empty() ? call_.target.name : alternative.tool);
  }

  Task<Begun> Ask(const Alternative& alternative, const Definition* tool) {
    if (alternative.kind == Kind::kAnswer) {
      co_return Begun{.call = nullptr,
                      .rest = nullptr,
                      .first = mcp::Message::FromResult(call_.message.id(), alternative.answer)};
    }
    std::unique_ptr<Call> call;
    if (alternative.kind == Kind::kStale) {
      call = KeptCallOf(call_, alternative.stale);
    } else if (tool != nullptr && tool->builtin == nullptr) {
      call = CallOf(call_, *tool, alternative.arguments.Fill(call_.message.Get(Key::kArguments)));
    }
    if (call == nullptr) co_return NotOffered();
    call->deadline = until_;
    call->others_first = alternative.is_tool();
    Result<ReplyPtr> reply = co_await next_.Handle(*call);
    Begun begun = co_await Begin(std::move(reply), std::move(call));
    co_return begun;
  }

  static Begun NotOffered() {
    return {.call = nullptr,
            .rest = nullptr,
            .first = Failure(Error{.code = Code::kUnavailable,
                                   .retryable = true,
                                   .message = "is not offered at present"})};
  }

  bool Answers(const Step& first) const {
    if (!first || (*first)->kind() == mcp::Kind::kError || BlamesTheCall(**first)) return false;
    const std::optional<FallbackReason> reason = ReasonOf(**first);
    return !reason || !settings_.Covers(*reason);
  }

  // After an attempt that failed.
  void Saw(const Step& first, const Call& asked) {
    const bool reads = settings_.trust_hints && asked.target.definition->annotations.read_only;
    if (!NothingRan(first) && !reads) ran_ = true;
    if (spare_ == nullptr && asked.spare > Duration::zero()) {
      spare_ = KeptCallOf(asked, asked.spare);
    }
  }

  // What was held back while others could be asked; it may be gone since.
  Task<std::optional<Begun>> AskSpare() {
    std::unique_ptr<Call> call = std::move(spare_);
    if (call == nullptr) co_return std::nullopt;
    Result<ReplyPtr> reply = co_await next_.Handle(*call);
    Begun begun = co_await Begin(std::move(reply), std::move(call));
    if (!Answers(begun.first)) co_return std::nullopt;
    co_return begun;
  }
  // Without a word of ours where nobody else was asked: it is the cache's own doing.
  Result<ReplyPtr> GiveOld(Begun old, FallbackReason because) {
    if (tried_.empty()) return GoOn(std::move(old), "", "");
    from_ = "cache";
    call_.stand_in = from_;
    return Given(std::move(old), kKinds[static_cast<std::size_t>(Kind::kStale)], because);
  }

  void Count(std::string_view kind, FallbackReason because) const {
    shared_.metrics
        .CounterOf("switchyard_fallback_total",
                   {server_, std::string(kind), std::string(ToString(because))})
        .Add();
  }

  std::string Note(std::string_view kind, FallbackReason because, const Step& first) const {
    mcp::RawObject note;
    note.SetString("kind", kind);
    note.SetString("from", from_);
    note.SetString("because", ToString(because));
    if (kind == kKinds[static_cast<std::size_t>(Kind::kStale)]) {
      const mcp::RawObject meta = mcp::RawObject::Parse(ReadAnew(**first).Get(Key::kMeta));
      const std::string age = mcp::RawObject::Parse(meta.Get("switchyard/cache")).Get("ageMs");
      if (!age.empty()) note.Set("ageMs", age);
    }
    return note.ToText();
  }
  static mcp::Message ReadAnew(const mcp::Message& message) {
    Result<mcp::Message> read = mcp::Message::Parse(message.ToText(), mcp::Check::kEnvelope);
    return read ? std::move(*read) : mcp::Message();
  }

  // What the client is told of the call, and of what was tried in its stead.
  Step WithTried(Step first) const {
    if (tried_.empty()) return first;
    std::string list, words;
    for (const auto& [from, why] : tried_) {
      list += fmt::format(R"({}{{"from":{},"error":{}}})", list.empty() ? "" : ",",
                          mcp::Quote(from), mcp::Quote(why));
      words += fmt::format("; fallback {}: {}", from, why);
    }
    if (first) {
      NoteInMeta(**first, kNote, fmt::format(R"({{"tried":[{}]}})", list));
      return first;
    }
    Error& error = first.error();
    error.message += words;
    mcp::RawObject data = mcp::RawObject::Parse(error.data);
    if (!data.Has("origin")) {
      data.SetString("origin", switchyard::ToString(error.origin));
      data.SetString("code", switchyard::ToString(error.code));
    }
    if (ran_) error.retryable = false;
    data.Set("retryable", error.retryable ? "true" : "false");
    data.Set("fallback", fmt::format("[{}]", list));
    error.data = data.ToText();
    return first;
  }

  const FallbackSettings& settings_;
  const Shared& shared_;
  Call& call_;
  Service& next_;
  const std::string server_;  // that was meant
  Deadline until_;
  bool ran_ = false;             // an attempt may have, with a tool that does not only read
  std::unique_ptr<Call> spare_;  // for an old answer of the first who has one
  std::string from_;             // who was asked last
  std::vector<std::pair<std::string, std::string>> tried_;  // from whom, and what became of it
};

class Fallback final : public Policy {
 public:
  explicit Fallback(const PolicyDeps& deps)
      : settings_(deps), shared_{.clock = deps.clock, .metrics = deps.metrics} {}

  bool StandsIn(const PolicySet& set) const override {
    return !settings_(set).alternatives.empty();
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const FallbackSettings& settings = settings_(call);
    const Definition* target = call.target.definition;
    const bool group = target != nullptr && target->listed != nullptr;
    const bool off = settings.alternatives.empty() && !group;
    return off || !MayStandIn(call, group) ? next.Handle(call) : Guarded(call, next, settings);
  }

 private:
  // Of what a client began elsewhere, or wants to follow as a task, nobody else knows anything.
  static bool MayStandIn(const Call& call, bool group) {
    const Definition* tool = call.target.definition;
    const mcp::Method method = call.message.method();
    const bool has_others =
        method == mcp::Method::kToolsCall || (method == mcp::Method::kPromptsGet && group);
    return has_others && tool != nullptr && tool->builtin == nullptr && !call.forsaken &&
           !call.message.Has(Key::kRequestState) && !call.message.Has(Key::kInputResponses) &&
           (call.client == nullptr || call.client->tasks != Tasks::kWanted);
  }

  // `settings` live as long as the call's target.
  Task<Result<ReplyPtr>> Guarded(Call& call, Service& next,
                                 const FallbackSettings& settings) const {
    const TimePoint begin = shared_.clock.Now();
    const Definition* listed = call.target.definition->listed;
    call.others_first = (listed != nullptr && listed->members.size() > 1) ||
                        std::ranges::any_of(settings.alternatives, &Alternative::is_tool);
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (call.target.definition == nullptr) co_return reply;  // hidden: nothing stands in for it
    if (reply) {
      const mcp::Message* whole = (*reply)->Whole();
      if (whole != nullptr && !ReasonOf(*whole)) co_return reply;
    }
    Begun begun = co_await Begin(std::move(reply), nullptr);
    const std::optional<FallbackReason> reason = ReasonIn(begun.first);
    const bool covered = reason && settings.Covers(*reason);
    if (!covered && call.spare == Duration::zero()) co_return GoOn(std::move(begun), "", "");
    Detour detour(settings, shared_, call, next, begin);
    Result<ReplyPtr> answer = co_await (covered ? detour.Take(std::move(begun.first), *reason)
                                                : detour.TakeOld(std::move(begun.first)));
    co_return answer;
  }

  const SettingsOf<FallbackSettings> settings_;
  const Shared shared_;
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  return ParseFallbackSettings(std::move(section), static_cast<const FallbackSettings*>(inherited));
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<Fallback>(deps);
}

}  // namespace switchyard::policies::fallback
