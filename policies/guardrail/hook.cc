#include "policies/guardrail/hook.h"

#include <optional>
#include <utility>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "auth/strict_json.h"
#include "config/text_check.h"
#include "core/principal_view.h"
#include "mcp/json_string.h"
#include "policies/guardrail/judge.h"
#include "policies/lib/arguments.h"
#include "policies/lib/canonical_json.h"
#include "policies/lib/json_schema/json_doc.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::guardrail {
namespace {

constexpr std::size_t kLongestReason = 200;
constexpr std::string_view kArguments = "arguments", kResult = "result";

std::string_view WordOf(HookAction action) {
  switch (action) {
    case HookAction::kAllow: return "allowed";
    case HookAction::kDeny: return "denied";
    case HookAction::kRewrite: return "rewritten";
  }
  return "denied";
}

// A JSON object, but for its end; `"key":raw` members may follow.
std::string Begin(const Call& call, std::string_view phase, std::string_view server) {
  std::string text = fmt::format(
      R"({{"phase":"{}","principal":{},"endpoint":{},"method":{},"server":{},"name":{})", phase,
      boost::json::serialize(ViewOf(*call.caller)),
      mcp::Quote(call.endpoint.empty() ? "/mcp" : fmt::format("/mcp/{}", call.endpoint)),
      mcp::Quote(call.method().name), mcp::Quote(server), mcp::Quote(call.target.name));
  const std::string_view arguments = call.message.Get(mcp::Key::kArguments);
  if (!arguments.empty()) text.append(",\"arguments\":").append(arguments);
  const std::string_view answers = call.message.Get(mcp::Key::kInputResponses);
  if (!answers.empty()) text.append(",\"input_responses\":").append(answers);
  return text;
}

Error Denied(const Call& call, std::string_view phase, const std::string& reason) {
  const bool ran = phase == kResult;
  return {.code = Code::kForbidden,
          .message = fmt::format("{} {}{}{}", NameOf(call),
                                 ran ? "ran, but its answer was withheld" : "was not called",
                                 reason.empty() ? "" : ": ", reason),
          .detail = fmt::format("guardrail: the hook denied the {}", phase),
          .data = fmt::format(R"({{"origin":"gateway","code":"forbidden","retryable":false,)"
                              R"("guardrail":{{"direction":"{}","findings":[]}}}})",
                              phase),
          .for_agent = true};
}

// What two readers would read as two things: the hook might see one, and the server the other.
bool IsAmbiguous(const mcp::Message& message) {
  const auto ambiguous = [&message](mcp::Key key) {
    const std::string_view raw = message.Get(key);
    return !raw.empty() && !CanonicalJson(ReadArguments(raw));
  };
  return ambiguous(mcp::Key::kInputResponses) || ambiguous(mcp::Key::kArguments);
}

Error Ambiguous(const Call& call) {
  return {.code = Code::kInvalid,
          .origin = Origin::kClient,
          .message = fmt::format("{} was not called: what it was given has an object with the same "
                                 "key twice, or is nested too deeply, so nobody could look through "
                                 "it for sure",
                                 NameOf(call))};
}

Error Unjudged(const Call& call, std::string_view phase, std::string why) {
  const bool ran = phase == kResult;
  return {.code = Code::kUnavailable,
          .retryable = !ran,
          .message = fmt::format(
              "{} {}", NameOf(call),
              ran ? "ran, but its answer was withheld, since nobody could look through it"
                  : "was not called, since nobody could look through what it was given: try again "
                    "later"),
          .detail = fmt::format("guardrail: hook: {}", why)};
}

// Where the arguments stand in params, or where they would: params with others in their place.
std::optional<std::string> WithArguments(const mcp::Message& message, const std::string& anew) {
  const std::string_view params = message.params();
  if (params.empty()) return std::nullopt;
  const std::string_view old = message.Get(mcp::Key::kArguments);
  std::string text;
  if (!old.empty()) {
    const auto at = static_cast<std::size_t>(old.data() - params.data());
    text.append(params.substr(0, at)).append(anew).append(params.substr(at + old.size()));
    return text;
  }
  const std::size_t first = params.find_first_not_of(" \t\r\n", 1);
  const bool empty = first == std::string_view::npos || params[first] == '}';
  text = "{\"arguments\":" + anew + (empty ? "" : ",");
  return text.append(params.substr(1));
}

// With the type that the old one had, if it says none: hooks know results by what is in them.
void PutResult(mcp::Message& message, std::string body) {
  const std::string type(message.Get(mcp::Key::kResultType));
  const std::string id(message.id());
  mcp::Message anew = mcp::Message::FromResult(id, body);
  if (!type.empty() && !anew.Has(mcp::Key::kResultType)) {
    const std::size_t first = body.find_first_not_of(" \t\r\n", 1);
    const bool empty = first == std::string::npos || body[first] == '}';
    body.replace(0, 1, "{\"resultType\":" + type + (empty ? "" : ","));
    anew = mcp::Message::FromResult(id, std::move(body));
  }
  message = std::move(anew);
}

}  // namespace

std::expected<HookSaid, std::string> HookSaidIn(const std::string& answer) {
  const auto object = auth::ReadObject(answer);
  if (!object) return std::unexpected(object.error());
  const boost::json::string* action = auth::StringIn(*object, "action");
  if (action == nullptr) return std::unexpected("it has no action");
  HookSaid said;
  if (*action == "allow") {
    said.action = HookAction::kAllow;
  } else if (*action == "deny") {
    if (const auto* reason = auth::StringIn(*object, "reason")) {
      said.reason = config::Printable(*reason, kLongestReason);
    }
  } else if (*action == "rewrite") {
    const boost::json::value* body = object->if_contains("body");
    if (body == nullptr || !body->is_object()) {
      return std::unexpected("a rewrite without a body that is an object");
    }
    // As it was said: numbers that were read and written again are others.
    const std::string padded = answer + std::string(64, ' ');
    const auto read =
        json_schema::JsonDoc::Parse(std::string_view(padded).substr(0, answer.size()));
    if (!read) return std::unexpected(std::string(read.error()));
    const std::uint32_t at = read->Find(0, "body");
    if (at == 0) return std::unexpected("a rewrite without a body");
    said.action = HookAction::kRewrite;
    said.body = read->Raw(at);
  } else {
    return std::unexpected("its action is none of allow, deny and rewrite");
  }
  return said;
}

bool Hook::SeesArguments(const Call& call, const HookSettings& hook) {
  if (!hook.on() || !hook.arguments) return false;
  const mcp::Route route = call.method().route;
  return route == mcp::Route::kTool || route == mcp::Route::kPrompt ||
         route == mcp::Route::kResource;
}

bool Hook::SeesResult(const Call& call, const HookSettings& hook) {
  if (!hook.on() || !hook.results) return false;
  const mcp::Route route = call.method().route;
  return route == mcp::Route::kTool || route == mcp::Route::kPrompt ||
         route == mcp::Route::kResource || route == mcp::Route::kTask;
}

void Hook::Count(std::string_view server, std::string_view phase, std::string_view outcome) const {
  metrics_
      .CounterOf("switchyard_guardrail_hook_total",
                 {std::string(server), std::string(phase), std::string(outcome)})
      .Add();
}

Task<Result<HookSaid>> Hook::Ask(const Call& call, const HookSettings& hook,
                                 std::string body) const {
  if (body.size() > hook.max_bytes) {
    co_return Failure(Code::kTooLarge, Origin::kGateway, "what it would be shown is too long");
  }
  Deadline until = Deadline::In(clock_, hook.remote.timeout);
  until.ShrinkTo(call.deadline);
  Result<std::string> answer =
      co_await fetch::PostJson(*fetcher_, hook.remote, std::move(body), hook.max_bytes, until);
  if (!answer) co_return Failure(std::move(answer.error()));
  auto said = HookSaidIn(*answer);
  if (!said) {
    co_return Failure(Code::kProtocol, Origin::kServer, "no clear answer: " + said.error());
  }
  co_return std::move(*said);
}

Task<Result<bool>> Hook::JudgeCall(Call& call, const HookSettings& hook,
                                   std::string_view server) const {
  std::string why;
  if (MakeReadable(call.message)) {
    if (IsAmbiguous(call.message)) {
      Count(server, kArguments, "failed");
      co_return Failure(Ambiguous(call));
    }
    Result<HookSaid> said = co_await Ask(call, hook, Begin(call, kArguments, server) + "}");
    if (said && said->action != HookAction::kRewrite) {
      Count(server, kArguments, WordOf(said->action));
      if (said->action == HookAction::kDeny) {
        co_return Failure(Denied(call, kArguments, said->reason));
      }
      co_return false;
    }
    const bool has_arguments = call.method().route != mcp::Route::kResource;
    if (said && has_arguments) {
      const auto params = WithArguments(call.message, said->body);
      if (params && ReplaceParams(call, *params)) {
        Count(server, kArguments, WordOf(HookAction::kRewrite));
        co_return true;
      }
    }
    why = said ? "its arguments make no request" : said.error().message;
  } else {
    why = "the request cannot be read";
  }
  Count(server, kArguments, "failed");
  spdlog::warn("guardrail: server {}: {}: hook: {}", server, NameOf(call), why);
  if (hook.allow_on_error) co_return false;
  co_return Failure(Unjudged(call, kArguments, std::move(why)));
}

Task<Result<void>> Hook::JudgeAnswer(const Call& call, mcp::Message& message,
                                     const HookSettings& hook, std::string_view server) const {
  std::string why;
  if (MakeReadable(message)) {
    const mcp::Kind kind = message.kind();
    std::string body = Begin(call, kResult, server);
    const bool rewritable = kind == mcp::Kind::kResult;
    const std::string_view part = rewritable                  ? message.result()
                                  : kind == mcp::Kind::kError ? message.error()
                                                              : message.params();
    const std::string_view key = rewritable                  ? "result"
                                 : kind == mcp::Kind::kError ? "error"
                                                             : "task";
    body.append(",\"").append(key).append("\":").append(part.empty() ? "{}" : part).append("}");
    Result<HookSaid> said = co_await Ask(call, hook, std::move(body));
    if (said && said->action != HookAction::kRewrite) {
      Count(server, kResult, WordOf(said->action));
      if (said->action == HookAction::kDeny) {
        co_return Failure(Denied(call, kResult, said->reason));
      }
      co_return Result<void>();
    }
    if (said && rewritable) {
      Count(server, kResult, WordOf(HookAction::kRewrite));
      PutResult(message, std::move(said->body));
      co_return Result<void>();
    }
    why = said ? "only results can be rewritten" : said.error().message;
  } else {
    why = "the answer cannot be read";
  }
  Count(server, kResult, "failed");
  spdlog::warn("guardrail: server {}: {}: hook: {}", server, NameOf(call), why);
  if (hook.allow_on_error) co_return Result<void>();
  co_return Failure(Unjudged(call, kResult, std::move(why)));
}

class Hook::HookedReply final : public Reply {
 public:
  HookedReply(ReplyPtr inner, const Hook& hook, const Call& call, const HookSettings& settings,
              std::string server)
      : inner_(std::move(inner)),
        hook_(hook),
        call_(call),
        settings_(settings),
        server_(std::move(server)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    for (;;) {
      Result<std::optional<mcp::Message>> next = co_await inner_->Next();
      if (!next || !*next) co_return next;
      const bool response = (*next)->is_response();
      if (!response && (*next)->method() != mcp::Method::kTaskChanged) co_return next;
      Result<void> judged = co_await hook_.JudgeAnswer(call_, **next, settings_, server_);
      if (judged) co_return next;
      // The work goes on without what it said on the way.
      if (response) co_return Failure(std::move(judged.error()));
    }
  }

 private:
  ReplyPtr inner_;
  const Hook& hook_;
  const Call& call_;  // outlives its reply, as do the settings
  const HookSettings& settings_;
  const std::string server_;
};

Task<Result<ReplyPtr>> Hook::Handle(Call& call, Service& next, const HookSettings& hook,
                                    std::string_view server) const {
  Result<ReplyPtr> reply = co_await next.Handle(call);
  if (!reply) co_return reply;
  ReplyPtr hooked =
      std::make_unique<HookedReply>(std::move(*reply), *this, call, hook, std::string(server));
  co_return hooked;
}

}  // namespace switchyard::policies::guardrail
