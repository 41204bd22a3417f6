// A tool of the gateway's own, in the lists of an endpoint beside those of its servers. It is a row
// of the catalog like any other: calls of it walk through the policies of stage call, are counted
// and logged with no server, and end at its Handle() instead of at a server.
//
// One object serves the whole process and outlives the calls, hence const and thread-safe. Its name
// begins with `switchyard_`; a server's tool that is exposed under the same name is not offered.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/policy_set.h"
#include "core/service.h"

namespace switchyard {

class BuiltinTool {
 public:
  virtual ~BuiltinTool() = default;

  // JSON, as a server of the newest revision would list it.
  virtual const std::string& definition() const = 0;

  // Whether an endpoint offers it that serves a tool which goes by these policies.
  virtual bool IsOfferedWith(const PolicySet& policies) const = 0;

  virtual Task<Result<ReplyPtr>> Handle(Call& call) const = 0;
};

using BuiltinTools = std::vector<std::shared_ptr<const BuiltinTool>>;

}  // namespace switchyard
