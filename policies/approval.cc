// approval:
//   hold: 45s
//   rules:
//     - {annotations: destructive}
//     - {name: large, tool: transfer_*, arguments: [{at: /amount, min: 1000}]}
//
// Calls that a person has to approve. What is asked for is bound to the caller, the endpoint, the
// tool and its definition, the exact arguments and the rule, until it expires; an approval is good
// for one call. Who decides: the user of the client, asked by elicitation where the client can, or
// who runs the gateway (`switchyard approve`, the admin API), whichever comes first.
//
// A call is held for a while; then its caller is told how to come back for it: by the identical
// call. The desk (gateway/approvals/desk.h) keeps what waits, also over a restart.
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "approvals/desk.h"
#include "approvals/words.h"
#include "config/section.h"
#include "core/askable.h"
#include "core/notes.h"
#include "mcp/error_map.h"
#include "mcp/json_string.h"
#include "mcp/raw_object.h"
#include "policies/approval/call.h"
#include "policies/approval/held.h"
#include "policies/approval/settings.h"
#include "policies/registry.h"

namespace switchyard::policies::approval {
namespace {

using approvals::Answer;
using approvals::Desk;
using approvals::Request;
using approvals::Verdict;

constexpr const char* kQuestion = "switchyard_approval";  // its key among inputRequests

Error BadState() {
  return {.code = Code::kInvalid,
          .origin = Origin::kClient,
          .message =
              "requestState is not valid for this call: start the call again, without "
              "requestState and inputResponses",
          .rpc_code = mcp::kInvalidParams};
}

// Which rule wants a person.
struct Need {
  std::string rule, policy;
};

std::string NameOf(const Principal& caller) {
  return caller.subject.empty() ? "client" : "client " + approvals::Readable(caller.subject, 80);
}

// One call on its way through.
class Passage {
 public:
  Passage(Call& call, Service& next, const Settings& settings, Tools tools, Need need)
      : call_(call), next_(next), settings_(settings), tools_(tools), need_(std::move(need)) {}

  Task<Result<ReplyPtr>> Go() {
    Result<Request> request = RequestOf(call_);
    if (!request) co_return Failure(std::move(request.error()));
    request_ = std::move(*request);
    request_.rule = need_.rule;
    request_.policy = need_.policy;
    request_.by_client = settings_.by_client;
    request_.by_operator = settings_.by_operator;
    const std::string state = call_.message.GetString(mcp::Key::kRequestState);
    if (IsOwnState(state)) co_return co_await Again(state);
    // What a server would read of these no person has seen, and none is bound to an approval.
    if (call_.message.Has(mcp::Key::kRequestState) ||
        call_.message.Has(mcp::Key::kInputResponses)) {
      co_return Failure(BadState());
    }
    if (!settings_.by_operator && !MayAsk()) {
      co_return Failure(
          Error{.code = Code::kForbidden,
                .message = "the call needs the approval of this client's user, and this client "
                           "cannot ask one (it declared no elicitation by form)",
                .for_agent = true});
    }
    const Answer answer = tools_.desk.Present(request_, settings_.expires, ClaimOf(call_.message));
    co_return co_await Follow(answer, MayAsk());
  }

 private:
  // A retry that brings a state of ours.
  Task<Result<ReplyPtr>> Again(std::string text) {
    const std::optional<OwnState> state =
        tools_.sealer == nullptr ? std::nullopt : Open(*tools_.sealer, text);
    if (!state) co_return Failure(BadState());
    const bool goes_on = state->kind == OwnState::Kind::kGoesOn;
    const std::string key = goes_on ? GoesOnKey(request_) : request_.CallKey();
    if (state->call_key != key) co_return Failure(BadState());
    if (goes_on && !tools_.desk.TakeTicket(state->text)) co_return Failure(BadState());
    const mcp::RawObject answers =
        mcp::RawObject::Parse(call_.message.Get(mcp::Key::kInputResponses));
    Result<mcp::Message> message = WithoutOurs(call_.message, !goes_on, state->inner);
    if (!message) co_return Failure(std::move(message.error()));
    call_.message = std::move(*message);
    if (goes_on) co_return co_await Run(call_, next_, tools_, key);
    const std::optional<bool> approve = approvals::AnswerOf(answers.Get(kQuestion));
    if (!approve || !settings_.by_client) {
      co_return co_await Follow(tools_.desk.Look(request_, state->text), false, Duration::zero());
    }
    const Answer answer =
        tools_.desk.Answered(request_, state->text, *approve, NameOf(*call_.caller));
    co_return co_await Follow(answer, false);
  }

  Task<Result<ReplyPtr>> Follow(Answer answer, bool may_ask) {
    return Follow(std::move(answer), may_ask, settings_.hold);
  }
  Task<Result<ReplyPtr>> Follow(Answer answer, bool may_ask, Duration hold) {
    answer.approval.request.rule = need_.rule;
    Note(call_, answer);
    if (answer.verdict == Verdict::kRun) {
      co_return co_await Run(call_, next_, tools_, GoesOnKey(request_));
    }
    if (answer.verdict != Verdict::kPending) co_return ReplyOf(call_, answer);
    if (may_ask) co_return Ask(answer.approval);
    if (hold == Duration::zero()) co_return ReplyOf(call_, answer);
    const Executor executor = co_await net::this_coro::executor;
    ReplyPtr held = std::make_unique<Held>(call_, next_, tools_, std::move(request_),
                                           answer.approval, hold, executor);
    co_return held;
  }

  // Whether the client's user can be asked within this call.
  bool MayAsk() const {
    return settings_.by_client && tools_.sealer != nullptr && call_.depth == 0 &&
           call_.client != nullptr && call_.client->tasks != Tasks::kWanted &&
           Askable::Of(call_).form;
  }

  ReplyPtr Ask(const approvals::Approval& approval) const {
    const std::string state = Seal(
        *tools_.sealer,
        {.kind = OwnState::Kind::kQuestion, .text = approval.id, .call_key = request_.CallKey()});
    std::string result = R"({"resultType":"input_required","inputRequests":{")";
    result.append(kQuestion).append(R"(":{"method":"elicitation/create","params":)");
    result.append(approvals::QuestionOf(approval)).append(R"(}},"requestState":)");
    result.append(mcp::Quote(state)).append("}");
    return ReplyWith(mcp::Message::FromResult(call_.message.id(), std::move(result)));
  }

  Call& call_;
  Service& next_;
  const Settings& settings_;  // lives as long as the call's target
  const Tools tools_;
  const Need need_;
  Request request_;
};

class ApprovalPolicy final : public Policy {
 public:
  explicit ApprovalPolicy(const PolicyDeps& deps)
      : settings_(deps),
        clock_(deps.clock),
        desk_(deps.approvals),
        sealer_(deps.sealer),
        between_(deps.between) {}

  std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                   const PolicyScope& /*scope*/) const override {
    if (settings == nullptr) return settings;
    const auto& given = *static_cast<const Settings*>(settings.get());
    if (desk_ != nullptr && given.enabled) {
      for (const auto& rule : given.rules) desk_->Knows(rule->policy);
    }
    return settings;
  }

  bool IsOff(const PolicySet& set) const override {
    const Settings& settings = settings_(set);
    return (!settings.enabled || settings.rules.empty()) && !AnyRequired();
  }

  std::optional<std::string> StateWithin(std::string_view text) const override {
    if (sealer_ == nullptr) return std::nullopt;
    const std::optional<OwnState> state = Open(*sealer_, text);
    if (!state) return std::nullopt;
    return state->inner.empty() ? std::string() : mcp::Unquote(state->inner);
  }

  void ServerListed(std::string_view server) const override {
    if (desk_ != nullptr) desk_->Listed(server);
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Target& target = call.target;
    const bool own = target.definition != nullptr && target.definition->builtin != nullptr;
    const bool concerns = call.message.kind() == mcp::Kind::kRequest &&
                          call.message.method() == mcp::Method::kToolsCall && !own &&
                          !target.server.empty();
    if (!concerns) return next.Handle(call);
    if (call.forsaken) return GiveUp(call, next);
    const Settings& settings = settings_(call);
    std::optional<Need> need = NeedOf(call, settings);
    if (!need) return next.Handle(call);
    if (desk_ == nullptr || call.only_kept > Duration(0)) return Refuse();
    return Gated(call, next, settings, std::move(*need));
  }

 private:
  bool AnyRequired() const { return between_ != nullptr && between_->approvals.load(); }

  std::optional<Need> NeedOf(const Call& call, const Settings& settings) const {
    const CallNotes* notes = call.notes.get();
    if (notes != nullptr && !notes->approval_policy.empty()) {
      return Need{.rule = notes->approval_rule, .policy = notes->approval_policy};
    }
    if (!settings.enabled || settings.rules.empty()) return std::nullopt;
    const Definition* tool = call.target.definition;
    const bool priced = settings.has_costs() && between_ != nullptr && between_->price;
    const Rule* rule =
        settings.RuleFor({.tool = call.target.name,
                          .hints = tool != nullptr ? tool->annotations : Annotations(),
                          .arguments = call.message.Get(mcp::Key::kArguments),
                          .cost = priced ? between_->price(call) : std::nullopt});
    if (rule == nullptr) return std::nullopt;
    return Need{.rule = rule->name, .policy = rule->policy};
  }

  Task<Result<ReplyPtr>> Gated(Call& call, Service& next, const Settings& settings,
                               Need need) const {
    Passage passage(call, next, settings, {.desk = *desk_, .clock = clock_, .sealer = sealer_},
                    std::move(need));
    co_return co_await passage.Go();
  }

  // What waits at a server for a call that was approved is given up there; of ours nothing is: the
  // call may come again.
  Task<Result<ReplyPtr>> GiveUp(Call& call, Service& next) const {
    const std::string text = call.message.GetString(mcp::Key::kRequestState);
    if (sealer_ == nullptr || !IsOwnState(text)) return next.Handle(call);
    const std::optional<OwnState> state = Open(*sealer_, text);
    if (!state || state->inner.empty()) return Refuse();
    Result<mcp::Message> message = WithoutOurs(call.message, false, state->inner);
    if (!message) return Refuse();
    if (desk_ != nullptr) static_cast<void>(desk_->TakeTicket(state->text));
    call.message = std::move(*message);
    return next.Handle(call);
  }

  // Nothing of such calls is kept, and without a desk nobody can approve any.
  static Task<Result<ReplyPtr>> Refuse() {
    co_return Failure(Error{.code = Code::kForbidden,
                            .message = "the call needs a person's approval, which cannot be had "
                                       "this way",
                            .for_agent = true});
  }

  const SettingsOf<Settings> settings_;
  const Clock& clock_;
  Desk* const desk_;
  const Sealer* const sealer_;
  const std::shared_ptr<const Between> between_;
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  return ParseSettings(std::move(section), static_cast<const Settings*>(inherited));
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<ApprovalPolicy>(deps);
}

}  // namespace switchyard::policies::approval
