// What is said to callers about approvals. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "approvals/desk.h"
#include "base/result.h"
#include "mcp/message.h"

namespace switchyard::approvals {

// Why one is gone, to follow a colon; static.
std::string_view WordsOf(Why why);
// approved, pending, denied, void, full, unavailable; static.
std::string_view StatusOf(Verdict verdict);

// The result of a call that did not run, and is not refused for good: it waits, its approval is
// void, or there is no room. `note` goes before what to do.
mcp::Message ToldOf(std::string_view raw_id, const Answer& answer, std::string_view note = {});
// The refusal of a call that a person denied.
Error Denied(const Approval& approval);

// The params of an elicitation by form that asks the client's user.
std::string QuestionOf(const Approval& approval);
// What an ElicitResult says: whether to approve; nullopt: nothing, it was closed.
std::optional<bool> AnswerOf(std::string_view raw_result);

}  // namespace switchyard::approvals
