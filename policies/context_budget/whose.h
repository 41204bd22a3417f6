// Whose context a call counts in, and by which settings. For policies/context_budget.cc alone;
// tests see it through the policy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/seal.h"
#include "core/call.h"
#include "core/definition.h"
#include "core/resolver.h"
#include "mcp/raw_object.h"
#include "policies/lib/cut_results.h"
#include "policies/lib/result_shelves.h"
#include "policies/lib/store_key.h"

namespace switchyard::policies::context_budget {

struct ContextKey {
  std::string text;
  std::uint64_t scope;  // the endpoint's
};

// Nothing that a client says leads to the context of another principal or session. `conversation`:
// by what key of `_meta` it may tell its own apart, "" = none.
inline ContextKey KeyOf(const Call& call, bool per_session, const std::string& conversation) {
  StoreKey key;
  key.Add("context_budget").Add(call.endpoint);
  const std::uint64_t scope = key.Scope();
  const Principal& caller = *call.caller;
  if (!per_session) {
    key.Add("principal").Add(caller.issuer).Add(caller.subject);
    return {.text = std::string(key.text()), .scope = scope};
  }
  if (call.client != nullptr && !call.client->session.empty()) {
    key.Add("session").Add(call.client->session);
  } else {
    key.Add("client").Add(caller.issuer).Add(caller.subject).Add(caller.client);
    key.Add(caller.client.empty() && call.client != nullptr ? call.client->name : "");
  }
  const std::string_view meta = call.message.Get(mcp::Key::kMeta);
  if (!conversation.empty() && !meta.empty()) {
    key.Add(mcp::RawObject::Parse(meta).GetString(conversation));
  }
  return {.text = std::string(key.text()), .scope = scope};
}

// Of a call that reads a page of a result: the tool that was called for it, whoever answered in its
// stead, which may go by settings of its server or its own, while the reader is the gateway's.
// Null: it is no such call, or the tool is no longer there. Lives as long as the call's target.
inline const Definition* ToolOfPage(const Call& call, const CutResults& cuts, const Sealer* sealer,
                                    TimePoint now) {
  const Definition* const reader = call.target.definition;
  if (reader == nullptr || reader->builtin == nullptr || reader->exposed != kResultReader ||
      call.target.others == nullptr) {
    return nullptr;
  }
  const std::optional<std::string> handle = HandleIn(call.message);
  if (!handle) return nullptr;
  const std::shared_ptr<const KeptResult> kept = KeptFor(call, *handle, cuts, sealer, now);
  if (kept == nullptr) return nullptr;
  return call.target.others->FindToolOf("", kept->meant.empty() ? kept->tool : kept->meant);
}

}  // namespace switchyard::policies::context_budget
