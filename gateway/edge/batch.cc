#include "edge/batch.h"

#include "edge/refusals.h"
#include "mcp/error_map.h"
#include "mcp/json_tokens.h"
#include "mcp/message.h"

namespace switchyard::edge {
bool IsBatch(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && body[first] == '[';
}

Result<std::vector<std::string>> SplitBatch(const std::string& body) {
  const auto tokens = mcp::JsonTokens::Find(body);
  if (!tokens)
    return Failure(Invalid(mcp::kParseError, "not JSON: " + std::string(tokens.error())));
  bool too_deep = false;
  if (tokens->FindFault(mcp::Message::kMaxDepth, too_deep) != mcp::JsonTokens::kNoFault ||
      tokens->at(0) != '[') {
    return Failure(Invalid(mcp::kParseError, too_deep ? "nested too deeply" : "not a JSON array"));
  }
  std::vector<std::string> elements;
  for (std::size_t i = 1; tokens->at(i) != ']';) {
    const std::size_t end = tokens->Skip(i, mcp::Message::kMaxDepth);
    if (end == 0) return Failure(Invalid(mcp::kParseError, "nested too deeply"));
    if (elements.size() == kMaxBatch) {
      return Failure(Invalid(mcp::kInvalidRequest,
                             "a batch has at most " + std::to_string(kMaxBatch) + " messages"));
    }
    elements.push_back(body.substr(tokens->begin(i), tokens->EndBefore(end) - tokens->begin(i)));
    i = tokens->at(end) == ',' ? end + 1 : end;
  }
  if (elements.empty()) return Failure(Invalid(mcp::kInvalidRequest, "an empty batch"));
  return elements;
}

}  // namespace switchyard::edge
