// Whether a request that may have run may run a second time. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mcp/method.h"

namespace switchyard::policies {

// What an operator said; globs over the server's own tool names.
struct TwiceRules {
  std::vector<std::string> idempotent = {};
  std::vector<std::string> never = {};  // wins
  bool trust_hints = true;
  bool trust_keys = true;
};

struct TwiceFacts {
  mcp::Method method;
  std::string_view tool;  // the server's own name
  bool hinted = false;    // the tool says that it only reads or is idempotent
  std::string meta = {};  // as Message::OtherMeta() gives it
};

// "" = it may; else why not, to follow a colon.
std::string WhyNotTwice(const TwiceRules& rules, const TwiceFacts& facts);

}  // namespace switchyard::policies
