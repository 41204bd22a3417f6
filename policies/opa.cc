// opa: {url: "http://127.0.0.1:8181/v1/data/mcp/allow", ttl: 10s, timeout: 1s}
//
// Whether a call may be made is asked of somebody outside, by the data API of Open Policy Agent: of
// calls that rules of authorize allow, and of those alone. It is told who calls what, and the
// arguments by their digest (`arguments: whole`: as they are); it says true, false or
// {"allow": ..., "reason": ...}. A decision holds for `ttl` for whoever asks the same.
//
// No decision is a denial: an error, no answer in time, an answer that says neither. Lists go by
// the rules alone, so what is denied here is no secret: its caller is told that it is denied.
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/section.h"
#include "fetch/remote.h"
#include "policies/opa/decisions.h"
#include "policies/opa/question.h"
#include "policies/opa/settings.h"
#include "policies/registry.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::opa {
namespace {

constexpr std::size_t kMaxAnswer = std::size_t{64} << 10;
constexpr std::array<std::string_view, 3> kFromWords = {"asked", "kept", "shared"};

// nullopt: nobody is asked about it.
std::optional<std::string_view> KindOf(const Call& call) {
  const Definition* item = call.target.definition;
  const bool own = item != nullptr && item->builtin != nullptr;
  const bool nowhere = item == nullptr && call.target.server.empty();
  if (call.forsaken || own || nowhere) return std::nullopt;
  switch (call.method().route) {
    case mcp::Route::kTool: return "tool";
    case mcp::Route::kPrompt: return "prompt";
    case mcp::Route::kResource: return "resource";
    case mcp::Route::kReference:
      return item != nullptr && item->kind == ItemKind::kPrompt ? "prompt" : "resource";
    default: return std::nullopt;
  }
}

std::string_view NameOf(const Call& call) {
  const Definition* item = call.target.definition;
  return item != nullptr ? std::string_view(item->exposed) : std::string_view(call.target.name);
}

Error Denial(const Call& call, const Said& said) {
  const std::string why = said.reason.empty() ? "" : ": " + said.reason;
  return {
      .code = Code::kForbidden,
      .message = fmt::format("you may not use {} so{}; ask whoever runs this gateway, repeating "
                             "the same call does not help",
                             NameOf(call), why),
      .detail = "denied by the external decision" + why,
      .data = R"({"origin":"gateway","code":"forbidden","retryable":false,)"
              R"("dependsOn":["arguments","time"]})",
      .for_agent = true};
}

// Nothing ran.
Error Undecided(const Call& call, Error why) {
  return {.code = Code::kUnavailable,
          .retryable = true,
          .message = fmt::format("whether you may use {} could not be found out, so it was not "
                                 "called: try again later",
                                 NameOf(call)),
          .detail = fmt::format("no external decision: {}{}{}", why.message,
                                why.detail.empty() ? "" : ": ", why.detail)};
}

class Opa final : public Policy {
 public:
  explicit Opa(const PolicyDeps& deps)
      : settings_(deps),
        clock_(deps.clock),
        metrics_(deps.metrics),
        fetcher_(deps.fetcher),
        decisions_(std::make_shared<Decisions>(deps.clock)) {}

  bool IsOff(const PolicySet& set) const override { return !settings_(set).on(); }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Settings& settings = settings_(call);
    if (!settings.on()) return next.Handle(call);
    const std::optional<std::string_view> kind = KindOf(call);
    return kind ? Decide(call, next, settings, *kind) : next.Handle(call);
  }

 private:
  Task<Result<ReplyPtr>> Decide(Call& call, Service& next, const Settings& settings,
                                std::string_view kind) const {
    std::optional<Question> question = QuestionOf(call, kind, settings, clock_.WallNow());
    if (!question) {
      Count("failed", "asked");
      co_return Failure(Code::kInvalid, Origin::kClient, "the arguments cannot be read");
    }
    Deadline until = Deadline::In(clock_, settings.remote.timeout);
    until.ShrinkTo(call.deadline);
    Result<Decisions::Found> found =
        co_await Decisions::Get(decisions_, std::move(question->key), settings.ttl, until.at(),
                                [&] { return Ask(settings, question->body, until); });
    if (!found) {
      Count("failed", "asked");
      co_return Failure(Undecided(call, std::move(found.error())));
    }
    const bool allowed = found->said.allow;
    Count(allowed ? "allowed" : "denied", kFromWords.at(static_cast<std::size_t>(found->from)));
    if (call.notes != nullptr && call.meant.empty()) {
      call.notes->decided_by = "opa";
      call.notes->decision = allowed ? "allowed" : "denied";
      call.notes->rule = found->said.reason;
    }
    if (!allowed) co_return Failure(Denial(call, found->said));
    co_return co_await next.Handle(call);
  }

  Task<Result<Said>> Ask(const Settings& settings, std::string body, Deadline until) const {
    const Result<std::string> answer =
        co_await fetch::PostJson(*fetcher_, settings.remote, std::move(body), kMaxAnswer, until);
    if (!answer) co_return Failure(answer.error());
    co_return SaidIn(*answer);
  }

  void Count(std::string_view outcome, std::string_view from) const {
    metrics_.CounterOf("switchyard_opa_decisions_total", {std::string(outcome), std::string(from)})
        .Add();
  }

  const SettingsOf<Settings> settings_;
  const Clock& clock_;
  switchyard::telemetry::Metrics& metrics_;
  fetch::Fetcher* const fetcher_;
  const std::shared_ptr<Decisions> decisions_;
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  return ParseSettings(std::move(section), static_cast<const Settings*>(inherited));
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) { return std::make_shared<Opa>(deps); }

}  // namespace switchyard::policies::opa
