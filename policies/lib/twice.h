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

// What of the rules contradicts itself, a sentence each.
std::vector<std::string> ContradictionsIn(const TwiceRules& rules);

// Why no error of the classes `on` would ever have a tool of `glob` repeated: it may not run twice
// (never), and after all of these nobody knows whether it ran. "" = one might; also for no glob.
std::string WhyNeverRepeated(const TwiceRules& rules, const std::vector<std::string>& on,
                             std::string_view glob);

}  // namespace switchyard::policies
