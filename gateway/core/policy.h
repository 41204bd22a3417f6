// A policy: sees a call, may answer, refuse, change or watch it, and hands it to `next`. One object
// serves the whole process and outlives its calls and replies, hence const and thread-safe; what it
// goes by for a call hangs on the call (policy_set.h). It costs one file in policies/ and one line
// in policies/order.def.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/builtin.h"
#include "core/outage.h"
#include "core/policy_set.h"
#include "core/service.h"
#include "core/sight.h"

namespace switchyard {

using config::Stage;

class Policy {
 public:
  virtual ~Policy() = default;
  virtual Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const = 0;

  // Once for each kind of calls, before any of them: what Handle() finds for them. `settings` as
  // its parser gave them; null = nobody said anything. By default they are it; a policy that counts
  // joins what it counts in, found by `scope` (policies/lib/states.h). On the control thread.
  virtual std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                           const PolicyScope& scope) const;

  // Whether it hands every call that goes by `set` on to `next` and does nothing else: chains leave
  // it out of their way then. The same answer for as long as the set lives. Asked when the set is
  // made, on any thread.
  virtual bool IsOff(const PolicySet& /*set*/) const { return false; }

  // Of calls of the server's tool ("" = of nothing that is a tool) that go by `set`. Asked for
  // whenever lists are built; a policy that gives another answer says so (PolicyDeps).
  virtual std::optional<Outage> OutageOf(const PolicySet& set, std::string_view tool) const;

  // Whether it answers a tools/call that goes by `set` by other means while the server cannot: its
  // tools stay in the lists then. The same answer for as long as the set lives.
  virtual bool StandsIn(const PolicySet& /*set*/) const { return false; }

  // Whether SightOf() can ever give one; the same answer for as long as the policy lives.
  virtual bool HasSights() const { return false; }
  // Of what the sights of all callers say of calls that go by `set`: another number for what may be
  // another answer, the same number for the same. Asked when the set is made, on any thread.
  virtual std::uint64_t SightKey(const PolicySet& /*set*/) const { return 0; }
  // What the caller of `call` may know of; null = everything. The policy outlives what it gives.
  virtual std::shared_ptr<const Sight> SightOf(const Call& /*call*/) const { return nullptr; }

  // Of a `requestState` of a client's: what further in gave, if it is one that this policy made
  // around that; "" = it asked by itself. nullopt = it is none of its own. Thread-safe; takes
  // nothing off and uses nothing up.
  virtual std::optional<std::string> StateWithin(std::string_view /*state*/) const {
    return std::nullopt;
  }

  // A server's lists are known for the first time, or changed: what was known of it may be so no
  // longer. Before any catalog says so; on any thread.
  virtual void ServerListed(std::string_view /*server*/) const {}

  // The tools that it brings for clients to use. They live as long as it does.
  virtual BuiltinTools Tools() const { return {}; }
};

// A policy and its place in policies/order.def.
struct PlacedPolicy {
  std::shared_ptr<const Policy> policy;
  std::size_t slot = 0;
};

}  // namespace switchyard
