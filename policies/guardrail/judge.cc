#include "policies/guardrail/judge.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "mcp/header_value.h"
#include "mcp/param_marks.h"

namespace switchyard::policies::guardrail {
namespace {

Error Refusal(std::string message, std::string_view direction, const Inspection& inspection,
              const Rules& rules) {
  return {.code = Code::kForbidden,
          .message = std::move(message),
          .detail = fmt::format("guardrail: {}: {}", direction,
                                Places(inspection.notes(), rules, Action::kDeny)),
          .data = fmt::format(R"({{"origin":"gateway","code":"forbidden","retryable":false,)"
                              R"("guardrail":{{"direction":"{}","findings":{}}}}})",
                              direction, PlacesAsJson(inspection.notes(), rules, Action::kDeny)),
          .for_agent = true};
}

Error RefusedCall(const Call& call, const Inspection& inspection, const Rules& rules) {
  return Refusal(
      fmt::format("{} was not called: what it was given holds what must not be sent: {}. "
                  "Take that out and call it again",
                  NameOf(call), Places(inspection.notes(), rules, Action::kDeny)),
      "arguments", inspection, rules);
}

Error WithheldAnswer(const Call& call, const Inspection& inspection, const Rules& rules) {
  return Refusal(
      fmt::format("{} ran, but its answer was withheld, for it holds what must not be passed on: "
                  "{}. The same call will probably fail again",
                  NameOf(call), Places(inspection.notes(), rules, Action::kDeny)),
      "result", inspection, rules);
}

Error Unreadable(Code code, Origin origin, std::string message) {
  return {.code = code, .origin = origin, .message = std::move(message)};
}

const mcp::ParamMark* MarkOf(const Call& call, std::string_view header) {
  if (call.target.definition == nullptr) return nullptr;
  const auto same = [header](const mcp::ParamMark& mark) {
    return std::ranges::equal(mark.header, header, [](char a, char b) {
      const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
      };
      return lower(a) == lower(b);
    });
  };
  const auto& marks = call.target.definition->param_marks;
  const auto found = std::ranges::find_if(marks, same);
  return found == marks.end() ? nullptr : &*found;
}

// `arguments` are raw JSON, "" = none.
bool Mirrors(const Call& call, const std::pair<std::string, std::string>& header,
             std::string_view arguments) {
  const mcp::ParamMark* mark = MarkOf(call, header.first);
  return mark != nullptr &&
         mcp::HeaderMatches(header.second, mcp::MarkedArgument(*mark, arguments));
}

// Those that mirror arguments were judged with these.
void JudgeHeaders(Call& call, Inspection& inspection) {
  const std::string_view arguments = call.message.Get(mcp::Key::kArguments);
  for (auto& header : call.header_params.sent) {
    if (Mirrors(call, header, arguments)) continue;
    const std::string text = mcp::DecodeHeaderValue(header.second).value_or(header.second);
    if (const auto anew = inspection.Text(text)) header.second = mcp::EncodeHeaderValue(*anew);
  }
}

// False: the two make no message.
bool PutInPlace(mcp::Message& message, std::string_view old, std::string_view anew) {
  const std::string_view bytes = message.bytes();
  const auto at = static_cast<std::size_t>(old.data() - bytes.data());
  std::string text(bytes.substr(0, at));
  text.append(anew).append(bytes.substr(at + old.size()));
  Result<mcp::Message> read = mcp::Message::Parse(std::move(text), mcp::Check::kEnvelope);
  if (read) message = std::move(*read);
  return read.has_value();
}

std::string_view PartOf(const mcp::Message& message) {
  switch (message.kind()) {
    case mcp::Kind::kResult: return message.result();
    case mcp::Kind::kError: return message.error();
    case mcp::Kind::kRequest:
    case mcp::Kind::kNotification: return message.params();
  }
  return {};
}

Region RegionOf(const mcp::Message& message) {
  switch (message.kind()) {
    case mcp::Kind::kResult: return Region::kResult;
    case mcp::Kind::kError: return Region::kError;
    case mcp::Kind::kRequest:
    case mcp::Kind::kNotification: return Region::kNotice;
  }
  return Region::kError;
}

}  // namespace

std::string_view NameOf(const Call& call) {
  if (call.target.definition != nullptr) return call.target.definition->exposed;
  return call.target.name.empty() ? call.method().name : std::string_view(call.target.name);
}

bool MakeReadable(mcp::Message& message) {
  if (message.edits().empty()) return true;
  Result<mcp::Message> anew = mcp::Message::Parse(message.ToText(), mcp::Check::kEnvelope);
  if (anew) message = std::move(*anew);
  return anew.has_value();
}

bool ReplaceParams(Call& call, std::string_view anew) {
  const std::string before(call.message.Get(mcp::Key::kArguments));
  if (!PutInPlace(call.message, call.message.params(), anew)) return false;
  const std::string_view after = call.message.Get(mcp::Key::kArguments);
  for (auto& header : call.header_params.sent) {
    if (!Mirrors(call, header, before)) continue;
    const auto value = mcp::HeaderValueFor(mcp::MarkedArgument(*MarkOf(call, header.first), after));
    if (value) header.second = *value;
  }
  return true;
}

Judged JudgeCall(Call& call, const Rules& rules) {
  Inspection inspection(rules);
  Judged judged;
  if (call.message.params().empty()) return judged;
  auto outcome = inspection.Json(call.message.params(), Region::kParams);
  bool readable = !outcome.broken;
  if (readable && outcome.anew && !inspection.denied()) {
    readable = MakeReadable(call.message);
    outcome = Inspection(rules).Json(call.message.params(), Region::kParams);
    readable = readable && outcome.anew && ReplaceParams(call, *outcome.anew);
  }
  if (readable) JudgeHeaders(call, inspection);
  judged.notes = inspection.notes();
  if (!readable) {
    judged.refusal = Unreadable(Code::kInvalid, Origin::kClient, "the params cannot be read");
  } else if (inspection.denied()) {
    judged.refusal = RefusedCall(call, inspection, rules);
  }
  return judged;
}

Judged JudgeAnswer(const Call& call, mcp::Message& message, const Rules& rules) {
  Inspection inspection(rules);
  Judged judged;
  bool readable = MakeReadable(message);
  const std::string_view part = PartOf(message);
  if (readable && part.empty()) return judged;
  const auto outcome = inspection.Json(part, RegionOf(message));
  readable = readable && !outcome.broken;
  if (readable && outcome.anew && !inspection.denied()) {
    if (message.kind() == mcp::Kind::kResult) {
      message = mcp::Message::FromResult(std::string(message.id()), *outcome.anew);
    } else {
      readable = PutInPlace(message, part, *outcome.anew);
    }
  }
  judged.notes = inspection.notes();
  if (!readable) {
    judged.refusal = Unreadable(Code::kProtocol, Origin::kServer,
                                "the answer is no JSON that could be looked through");
  } else if (inspection.denied()) {
    judged.refusal = WithheldAnswer(call, inspection, rules);
  }
  return judged;
}

Judged JudgeFailure(Error& error, const Rules& rules) {
  Inspection inspection(rules);
  if (auto anew = inspection.Text(error.message)) error.message = std::move(*anew);
  if (auto anew = inspection.Text(error.detail)) error.detail = std::move(*anew);
  if (!error.data.empty()) {
    auto outcome = inspection.Json(error.data, Region::kError);
    if (outcome.broken) error.data.clear();
    if (outcome.anew) error.data = std::move(*outcome.anew);
  }
  Judged judged{.notes = inspection.notes()};
  if (inspection.denied()) {
    error.message = "the call failed, and why is withheld: it holds what must not be passed on";
    error.detail = fmt::format("guardrail: {}", Places(judged.notes, rules, Action::kDeny));
    error.data.clear();
  }
  return judged;
}

}  // namespace switchyard::policies::guardrail
