// What an external decision is asked and what it says: Open Policy Agent's data API, a POST of
// `{"input": ...}` answered by `{"result": ...}`. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/call.h"
#include "policies/opa/settings.h"

namespace switchyard::policies::opa {

struct Question {
  std::string key;   // the same for what will have the same answer, time apart; 32 bytes
  std::string body;  // of the request
};
// `kind`: tool, prompt or resource. nullopt: its arguments cannot be read for sure, or are too
// deep.
std::optional<Question> QuestionOf(const Call& call, std::string_view kind,
                                   const Settings& settings,
                                   std::chrono::system_clock::time_point now);

struct Said {
  bool allow = false;
  std::string reason = {};  // for whoever calls; short, one line
};
// Of the body of an answer with status 200. A result that is undefined (absent) is none: a policy
// that is not loaded yet says nothing that could be kept.
Result<Said> SaidIn(const std::string& body);

}  // namespace switchyard::policies::opa
