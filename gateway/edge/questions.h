// What a server wants to know before it goes on (the inputRequests of a modern `input_required`
// result) as questions that a legacy client understands. Pure functions.
// MRTR = basic/patterns/mrtr; L-ELI = 2025-11-25/client/elicitation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/askable.h"
#include "mcp/message.h"
#include "mcp/version.h"

namespace switchyard::edge {

struct Question {
  std::string key;     // among inputRequests
  std::string method;  // of the request to the client
  std::string params;  // JSON
  std::string answer;  // JSON; set when the client's revision has no words for the question
  std::string url;     // of an elicitation by URL, else ""
  std::string elicitation_id;
};

// More in one result is a server gone wrong.
inline constexpr std::size_t kMaxQuestions = 32;

// An Error (kProtocol, kServer) where the server asks for what the client did not declare, or what
// is no question at all. `mint_id` makes the id of an elicitation by URL, which modern servers do
// not give.
Result<std::vector<Question>> QuestionsOf(const mcp::Message& input_required, const Askable& can,
                                          mcp::Version version,
                                          const std::function<std::string()>& mint_id);

// The client's response as the bare result for inputResponses; an Error where there is none, since
// MRTR has no slot for errors. An elicitation that failed counts as cancelled.
Result<std::string> AnswerOf(const Question& question, const mcp::Message& response);

}  // namespace switchyard::edge
