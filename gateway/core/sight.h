// What a caller may know of. What it may not is left out of all that the gateway answers itself
// (lists, discovery, subscriptions), as if it did not exist, and a call of it is made one of a name
// that leads nowhere before any policy goes by where it leads (catalog/hiding.h).
//
// Of one call, but may outlive it (a subscription). Safe to use from any thread; it borrows the
// policies of what it is asked about for the length of each question.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/definition.h"
#include "mcp/method.h"

namespace switchyard {

class PolicySet;
struct Call;

// Where a call leads, or might.
struct Lead {
  mcp::Route route = mcp::Route::kTool;  // of its method
  std::string_view name;                 // by the server
  const Definition* item = nullptr;      // null: not listed
  const PolicySet* policies = nullptr;
};

class Sight {
 public:
  virtual ~Sight() = default;

  // An item of a list; of a group, as lists show it.
  virtual bool Shows(const Definition& item) const = 0;
  // Whether a call may lead there in any way. A resource may be listed or not.
  virtual bool MayLead(const Lead& lead) const = 0;
  // Of a call that may not: counts it, and says why, for the log. The call as it came.
  virtual std::string Hide(const Lead& lead, Call& call) const = 0;
  // Of a call that leads nowhere, by the name that it gave: does what Hide() would and says
  // nothing, so that time does not tell what is hidden from what is unknown.
  virtual void Miss(const Lead& lead) const = 0;
  // Anything at all of a kind at the server to which such calls lead.
  virtual bool ShowsAny(ItemKind kind, const PolicySet* policies) const = 0;
};

// Null: the caller may know of everything there is.
using FindSight = std::function<std::shared_ptr<const Sight>(const Call& call)>;

}  // namespace switchyard
