// authorize:
//   rules:
//     - {effect: allow, who: {role: admin}}
//     - {effect: allow, who: {scope: files.read}, what: {server: files, tool: [read_*, list_*]}}
//     - name: no-secrets
//       effect: deny
//       what: {server: files}
//       when: {arguments: [{at: /path, glob: "*secret*"}]}
//
// Who may use what. No rule at any level: everyone may use everything. From the first rule on that
// speaks for a call nobody may use anything but what a rule allows, and no rule allows what another
// one denies. A level adds its rules to those around it.
//
// What a caller may not use in any way does not exist for it: no list shows it, and a call of it is
// one of a name that leads nowhere, before any policy that goes by where it leads (SightOf); what
// asks for it in another's stead meets the same here. What it may use, but not so or not now, it is
// told.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "approvals/desk.h"
#include "config/section.h"
#include "core/notes.h"
#include "core/resolver.h"
#include "core/sight.h"
#include "policies/authorize/book.h"
#include "policies/authorize/refusal.h"
#include "policies/authorize/rulebook.h"
#include "policies/authorize/settings.h"
#include "policies/registry.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::authorize {
namespace {

struct Judged {
  Verdict verdict;
  const Book* book;  // lives as long as the call's target
  // Of a denial: with these scopes it would be allowed.
  std::vector<std::string> scopes = {};
  const Rule* approval = nullptr;  // of kAllowed: wants a person to approve it; of a book
};

struct Asked {
  ItemKind kind;
  Use use;
};

std::optional<Asked> AskedBy(mcp::Route route, const Definition* item) {
  switch (route) {
    case mcp::Route::kTool: return Asked{ItemKind::kTool, Use::kCallTool};
    case mcp::Route::kPrompt: return Asked{ItemKind::kPrompt, Use::kGetPrompt};
    // Of a template: something that it makes.
    case mcp::Route::kResource:
    case mcp::Route::kReference: {
      const ItemKind kind = item != nullptr ? item->kind : ItemKind::kResource;
      return Asked{kind, route == mcp::Route::kResource ? Use::kReadResource : Use::kComplete};
    }
    default: return std::nullopt;
  }
}

// The group that an item is a member of, or is; else null.
const Definition* GroupOf(const Definition* item) {
  if (item == nullptr) return nullptr;
  const Definition* group = item->listed == nullptr ? item : item->listed;
  return group->members.empty() ? nullptr : group;
}

void Note(const Judged& judged, CallNotes& notes) {
  notes.decided_by = "authorize";
  notes.decision = kOutcomeWords.at(static_cast<std::size_t>(judged.verdict.outcome));
  notes.rule = judged.book->NameOf(judged.verdict);
}

// As much work, where no rule hides what nobody has.
void NoteNothing(CallNotes& notes) {
  notes.decided_by = "authorize";
  notes.decision = kOutcomeWords.at(static_cast<std::size_t>(Outcome::kHidden));
  notes.rule = "none";
}

Error RefusalOf(const Call& call, const Judged& judged) {
  return judged.scopes.empty() ? Refusal(call, judged.verdict, judged.book->NameOf(judged.verdict))
                               : LacksScopes(call, judged.scopes);
}

class RulesSight final : public Sight {
 public:
  RulesSight(const SettingsOf<Bound>& bound, switchyard::telemetry::Metrics& metrics,
             const Call& call)
      : bound_(bound), metrics_(metrics), caller_(call.caller), endpoint_(call.endpoint) {}

  // All members of a group, for any of them may get the call.
  bool Shows(const Definition& item) const override {
    if (item.builtin != nullptr) return true;
    for (const std::shared_ptr<Definition>& member : item.members) {
      if (!ShowsOne(*member)) return false;
    }
    return !item.members.empty() || ShowsOne(item);
  }
  bool MayLead(const Lead& lead) const override { return !HiddenBy(lead).has_value(); }
  std::string Hide(const Lead& lead, Call& call) const override {
    const std::optional<Judged> judged = HiddenBy(lead);
    if (!judged) return {};
    if (call.notes != nullptr) Note(*judged, *call.notes);
    judged->book->Count(judged->verdict, metrics_);
    return fmt::format("hidden by rule {}", judged->book->NameOf(judged->verdict));
  }
  void Miss(const Lead& lead) const override {
    const std::optional<Judged> judged = HiddenBy(lead);
    CallNotes notes;
    if (judged) Note(*judged, notes);
    if (!judged) NoteNothing(notes);
    const std::string unsaid = fmt::format(
        "hidden by rule {}", judged ? judged->book->NameOf(judged->verdict) : notes.rule);
    static_cast<void>(unsaid);
  }
  bool ShowsAny(ItemKind kind, const PolicySet* policies) const override {
    return policies == nullptr || bound_(*policies).CouldAny(caller_, endpoint_, kind);
  }

 private:
  bool ShowsOne(const Definition& item) const {
    return item.policies == nullptr ||
           bound_(*item.policies).Could(caller_, endpoint_, item.kind, item.name);
  }
  // A group is hidden with any of its members.
  std::optional<Judged> HiddenBy(const Lead& lead) const {
    const std::optional<Asked> asked = AskedBy(lead.route, lead.item);
    if (!asked) return std::nullopt;
    const Definition* group = GroupOf(lead.item);
    if (group == nullptr) return HiddenAt(lead.policies, *asked, lead.name);
    for (const std::shared_ptr<Definition>& member : group->members) {
      const auto judged = HiddenAt(member->policies.get(), *asked, member->name);
      if (judged) return judged;
    }
    return std::nullopt;
  }
  std::optional<Judged> HiddenAt(const PolicySet* policies, const Asked& asked,
                                 std::string_view name) const {
    const Book* book = policies == nullptr ? nullptr : bound_(*policies).book.get();
    if (book == nullptr) return std::nullopt;
    const std::optional<Verdict> verdict =
        book->rules.Hides(bound_(*policies).of_server, *book->rules.RulesFor(caller_, endpoint_),
                          {.kind = asked.kind, .name = name, .use = asked.use});
    if (!verdict) return std::nullopt;
    return Judged{.verdict = *verdict, .book = book};
  }

  const SettingsOf<Bound>& bound_;
  switchyard::telemetry::Metrics& metrics_;
  const Caller caller_;
  const std::string endpoint_;
};

class Authorize final : public Policy {
 public:
  explicit Authorize(const PolicyDeps& deps)
      : bound_(deps),
        clock_(deps.clock),
        metrics_(deps.metrics),
        desk_(deps.approvals),
        between_(deps.between),
        agents_(deps.agents),
        pacing_(deps.store, deps.clock) {}

  std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                   const PolicyScope& scope) const override {
    if (settings == nullptr) return nullptr;
    const auto& given = *static_cast<const Settings*>(settings.get());
    if (given.rules.empty()) return nullptr;
    auto bound = std::make_shared<Bound>();
    bound->book = BookOf(given);
    bound->of_server = bound->book->rules.RulesOf(scope.server);
    ruled_.store(true, std::memory_order_relaxed);
    if (bound->book->rules.counts()) counts_.store(true, std::memory_order_relaxed);
    for (const auto& rule : given.rules) {
      if (rule->effect != Effect::kRequireApproval) continue;
      if (desk_ != nullptr) desk_->Knows(rule->policy);
      if (between_ != nullptr) between_->approvals.store(true);
    }
    return bound;
  }

  bool HasSights() const override { return true; }
  std::uint64_t SightKey(const PolicySet& set) const override {
    const Bound& bound = bound_(set);
    return bound.book == nullptr ? 0 : bound.book->rules.SightKey();
  }
  std::shared_ptr<const Sight> SightOf(const Call& call) const override {
    if (!ruled_.load(std::memory_order_relaxed)) return nullptr;
    return std::make_shared<RulesSight>(bound_, metrics_, call);
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Target& target = call.target;
    const bool own = target.definition != nullptr && target.definition->builtin != nullptr;
    // One that gives up what waits at a server asks for nothing.
    const bool nowhere = target.definition == nullptr && target.server.empty();
    if (!ruled_.load(std::memory_order_relaxed) || call.forsaken || own || nowhere) {
      return next.Handle(call);
    }
    const std::optional<Asked> asked = AskedBy(call.method().route, target.definition);
    if (!asked) return next.Handle(call);
    if (counts_.load(std::memory_order_relaxed)) {
      std::vector<const Rule*> paced = PacedFor(call, *asked);
      if (!paced.empty()) return Counted(call, next, *asked, std::move(paced));
    }
    return Decide(call, next, *asked, {});
  }

 private:
  Task<Result<ReplyPtr>> Decide(Call& call, Service& next, const Asked& asked,
                                std::span<const Paced> paced) const {
    const std::optional<Judged> judged = Judge(call, asked, paced);
    HandOn(judged ? judged->approval : nullptr, call);
    if (!judged) return next.Handle(call);
    judged->book->Count(judged->verdict, metrics_);
    // Of what stands in, what was decided about the call itself is the record.
    if (call.notes != nullptr && call.meant.empty()) Note(*judged, *call.notes);
    switch (judged->verdict.outcome) {
      case Outcome::kAllowed: break;
      case Outcome::kDenied: return Refuse(RefusalOf(call, *judged));
      case Outcome::kHidden: return Hide(call, next, *judged);
    }
    return next.Handle(call);
  }

  Task<Result<ReplyPtr>> Counted(Call& call, Service& next, Asked asked,
                                 std::vector<const Rule*> rules) const {
    const std::vector<Paced> paced = co_await pacing_.Look(call, std::move(rules));
    Task<Result<ReplyPtr>> decided = Decide(call, next, asked, paced);
    Result<ReplyPtr> reply = co_await std::move(decided);
    co_return reply;
  }

  // Of a group, each rule once.
  std::vector<const Rule*> PacedFor(const Call& call, const Asked& asked) const {
    std::vector<const Rule*> all;
    const auto add = [&](const Bound& bound, std::string_view name) {
      if (bound.book == nullptr || !bound.book->rules.counts()) return;
      const auto for_caller = bound.book->rules.RulesFor(call.caller, call.endpoint);
      for (const Rule* rule : bound.book->rules.PacedFor(bound.of_server, *for_caller,
                                                         QuestionOf(call, asked, name, {}))) {
        if (std::ranges::find(all, rule) == all.end()) all.push_back(rule);
      }
    };
    const Definition* item = call.target.definition;
    const Definition* group = GroupOf(item);
    if (group == nullptr) add(bound_(call), item == nullptr ? call.target.name : item->name);
    for (std::size_t i = 0; group != nullptr && i < group->members.size(); ++i) {
      const Definition& member = *group->members[i];
      if (member.policies != nullptr) add(bound_(*member.policies), member.name);
    }
    return all;
  }

  Question QuestionOf(const Call& call, const Asked& asked, std::string_view name,
                      std::span<const Paced> paced) const {
    const bool has_arguments = asked.use == Use::kCallTool || asked.use == Use::kGetPrompt;
    return {.kind = asked.kind,
            .name = name,
            .use = asked.use,
            .arguments = has_arguments ? call.message.Get(mcp::Key::kArguments) : "",
            .now = clock_.WallNow(),
            .paced = paced};
  }

  std::shared_ptr<const Book> BookOf(const Settings& settings) const {
    return settings.compiled.Get<std::shared_ptr<const Book>>(
        [&] { return std::make_shared<const Book>(settings, agents_); });
  }

  // To the policy that asks for it. Of what stands in, what was left of the call itself goes.
  static void HandOn(const Rule* wants, Call& call) {
    if (call.notes == nullptr) {
      if (wants == nullptr) return;
      call.notes = std::make_shared<CallNotes>();
    }
    call.notes->approval_rule = wants == nullptr ? "" : wants->name;
    call.notes->approval_policy = wants == nullptr ? "" : wants->policy;
  }

  // nullopt: there is no rule. Of a group, as all its members together.
  std::optional<Judged> Judge(const Call& call, const Asked& asked,
                              std::span<const Paced> paced) const {
    const Definition* item = call.target.definition;
    const Definition* group = GroupOf(item);
    if (group == nullptr) {
      return JudgeAt(bound_(call), call, asked, item == nullptr ? call.target.name : item->name,
                     paced);
    }
    std::optional<Judged> strictest;
    std::vector<std::string> scopes;
    bool scopes_are_enough = true;
    const Rule* wants = nullptr;
    for (const std::shared_ptr<Definition>& member : group->members) {
      if (member->policies == nullptr) continue;
      const auto judged = JudgeAt(bound_(*member->policies), call, asked, member->name, paced);
      if (!judged) continue;
      if (judged->verdict.outcome == Outcome::kDenied) {
        scopes_are_enough &= !judged->scopes.empty();
        AddNew(judged->scopes, scopes);
      }
      if (wants == nullptr) wants = judged->approval;
      if (!strictest || judged->verdict.outcome > strictest->verdict.outcome) strictest = judged;
    }
    if (strictest) strictest->approval = wants;
    // One challenge names all that is needed, and none is made where it would not help.
    if (strictest && strictest->verdict.outcome == Outcome::kDenied) {
      if (!scopes_are_enough) scopes.clear();
      strictest->scopes = std::move(scopes);
    }
    return strictest;
  }

  static void AddNew(const std::vector<std::string>& from, std::vector<std::string>& to) {
    for (const std::string& scope : from) {
      if (std::ranges::find(to, scope) == to.end()) to.push_back(scope);
    }
  }

  std::optional<Judged> JudgeAt(const Bound& bound, const Call& call, const Asked& asked,
                                std::string_view name, std::span<const Paced> paced) const {
    if (bound.book == nullptr) return std::nullopt;
    const Rulebook& rules = bound.book->rules;
    const auto for_caller = rules.RulesFor(call.caller, call.endpoint);
    const Question question = QuestionOf(call, asked, name, paced);
    Judged judged{.verdict = rules.Decide(bound.of_server, *for_caller, question),
                  .book = bound.book.get()};
    if (judged.verdict.approval != kNoRule) {
      judged.approval = rules.rules()[judged.verdict.approval].get();
    }
    // What a rule denies no scope makes allowed, and who proved nothing has none.
    const Verdict& verdict = judged.verdict;
    if (verdict.outcome == Outcome::kDenied && verdict.rule == kNoRule &&
        !call.caller->subject.empty()) {
      judged.scopes = rules.ScopesFor(bound.of_server, *call.caller, call.endpoint, question);
    }
    return judged;
  }

  static Task<Result<ReplyPtr>> Refuse(Error refusal) { co_return Failure(std::move(refusal)); }

  // By its own coroutine: the log is told why, the caller is not.
  static Task<Result<ReplyPtr>> Hide(Call& call, Service& next, Judged judged) {
    std::string why = fmt::format("hidden by rule {}", judged.book->NameOf(judged.verdict));
    LeadNowhere(call);
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) reply.error().detail = std::move(why);
    co_return reply;
  }

  const SettingsOf<Bound> bound_;
  const Clock& clock_;
  switchyard::telemetry::Metrics& metrics_;
  approvals::Desk* const desk_;
  const std::shared_ptr<Between> between_;
  AgentDirectory* const agents_;
  const Pacing pacing_;
  // Whether there ever was a rule that counts calls.
  mutable std::atomic<bool> counts_{false};
  // Whether there ever was a rule: without one this costs a branch.
  mutable std::atomic<bool> ruled_{false};
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  return ParseSettings(std::move(section), static_cast<const Settings*>(inherited));
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<Authorize>(deps);
}

}  // namespace switchyard::policies::authorize
