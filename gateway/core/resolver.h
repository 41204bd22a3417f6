// What the endpoint of a call offers, and how it reads for clients: how a policy sends a call
// elsewhere than where it was going. It finds what the client could have named itself and nothing
// more, so no way around what an endpoint leaves out leads through here; whether this caller may
// use what is found is for the policies to say, which is why such a call walks through all of them
// (see policies/fallback.cc).
//
// Found in a call's Target and alive as long as the Target's pin. For the thread that serves the
// call.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/definition.h"

namespace switchyard {

class PolicySet;
struct Call;

class Resolver {
 public:
  virtual ~Resolver() = default;

  // A tool: of this server by the server's own name for it, or, with no server, by the name that
  // clients know. Of a group the member that a call by that name would go to now. Null: it is not
  // offered. Lives as long as the resolver.
  virtual const Definition* FindToolOf(std::string_view server, std::string_view tool) const = 0;

  // What the policies go by for a name that leads nowhere: for who makes a call one of these. Null:
  // nobody says anything.
  virtual const std::shared_ptr<const PolicySet>& PoliciesOfUnknown() const = 0;

  // How URIs in answers of this server read for clients: two resolvers that give the same number
  // have them read alike; 0 = as the server wrote them.
  virtual std::uint64_t UriViewOf(std::string_view server) const = 0;
};

// From here on the call is one of a name that leads nowhere. Who saw it before may hold on to what
// the target borrowed.
void LeadNowhere(Call& call);

}  // namespace switchyard
