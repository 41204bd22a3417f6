// What the policies that cut results share in a process: the shelves where the rests are, and who
// wants switchyard_read_result to be offered. Found in States, held by each of them. (A Call is
// core's, which lib does not know.)
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/seal.h"
#include "mcp/json_string.h"
#include "mcp/message.h"
#include "mcp/scan.h"
#include "policies/lib/result_shelves.h"
#include "policies/lib/states.h"

namespace switchyard {
class PolicySet;
}

namespace switchyard::policies {

class CutResults {
 public:
  static std::shared_ptr<CutResults> Of(States& states) {
    return states.Get<CutResults>("cut results", [] { return std::make_shared<CutResults>(); });
  }

  // While the policies are made, by each of them: whether its settings want the tool. It outlives
  // all calls.
  void OfferWith(std::function<bool(const PolicySet&)> wants) {
    wanted_.push_back(std::move(wants));
  }
  bool IsOfferedWith(const PolicySet& policies) const {
    return std::ranges::any_of(wanted_, [&](const auto& wants) { return wants(policies); });
  }

  ResultShelves shelves;  // thread-safe

 private:
  std::vector<std::function<bool(const PolicySet&)>> wanted_;  // const once policies are made
};

// Possession of a handle is not enough: who may read is who called. Who has not proved who they
// are is known by their session, if they have one.
template <class Call>
std::string OwnerOf(const Call& call) {
  const auto& caller = *call.caller;
  const bool known = !caller.subject.empty() || call.client == nullptr;
  return fmt::format("{}\n{}\n{}\n{}\n{}", call.endpoint, caller.issuer, caller.subject,
                     caller.client, known ? "" : call.client->session);
}

// As the caller named it.
template <class Call>
std::string ToolNameOf(const Call& call) {
  if (call.target.definition != nullptr) return call.target.definition->exposed;
  return call.target.task_of.empty() ? call.target.name : std::string(call.target.task_of);
}

// The handle that a call of switchyard_read_result names.
inline std::optional<std::string> HandleIn(const mcp::Message& call) {
  const std::string_view raw = call.Get(mcp::Key::kArguments);
  const auto arguments = mcp::MembersOf(raw.empty() ? "{}" : raw);
  const mcp::Field* handle = arguments ? mcp::Find(*arguments, "handle") : nullptr;
  return handle != nullptr ? mcp::Unquote(handle->value) : std::nullopt;
}

// What is behind it, if it is the caller's to read.
template <class Call>
std::shared_ptr<const KeptResult> KeptFor(const Call& call, const std::string& handle,
                                          const CutResults& cuts, const Sealer* sealer,
                                          TimePoint now) {
  if (sealer == nullptr) return nullptr;
  std::shared_ptr<const KeptResult> kept = cuts.shelves.Find(*sealer, handle, now);
  return kept != nullptr && kept->owner == OwnerOf(call) ? kept : nullptr;
}

}  // namespace switchyard::policies
