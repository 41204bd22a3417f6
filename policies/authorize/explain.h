// What each rule says of one call, for `switchyard check --as`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "policies/authorize/rulebook.h"
#include "policies/authorize/settings.h"

namespace switchyard::policies::authorize {

// A tools/call as somebody asks about it. Borrows.
struct Supposed {
  std::string_view endpoint, server, tool;  // the tool by its server's name for it
  std::string_view arguments;               // raw JSON
  WallTime now;
};

struct Explained {
  struct Line {
    std::string rule, effect;
    std::vector<std::string> against;  // why it does not hold; empty = it does
  };
  std::vector<Line> lines;
  std::string outcome;  // allowed, denied, hidden
  std::string because;
  bool asks_outside = false;  // of what is allowed here an external decision is asked besides
  std::string approval = {};  // the rule that wants a person to approve it; "" = none

  std::string ToText() const;
  boost::json::object ToJson() const;
};

Explained Explain(const Settings& settings, const Principal& caller, const Supposed& call);

}  // namespace switchyard::policies::authorize
