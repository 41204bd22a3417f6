// Groups of interchangeable servers: one set of tools and prompts for clients, several servers that
// may serve them. A tool is offered once, as the best member that is up lists it; whoever lists it
// with the same input schema may serve its calls, too. Resources stay those of the member that has
// them; of a URI that several have, the best member's.
//
// Merging is for whoever builds a catalog, choosing for its router.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/seal.h"
#include "catalog/catalog.h"
#include "core/definition.h"
#include "core/outage.h"

namespace switchyard::catalog {

using IsUp = std::function<bool(std::string_view server)>;

// `items`, of one kind, as the servers list them: those of a group become one for each name, and
// the others of this name its members, those that are down last. Says of each item that differs
// from the one that is offered why it serves no calls. Pointers between the two are set by
// LinkMembers().
std::vector<std::string> MergeGroup(const GroupView& group, ItemKind kind,
                                    std::vector<Definition>& items, const IsUp& is_up);
// Once the items stay where they are.
void LinkMembers(std::vector<Definition>& items);

// The group that a server is a member of at this endpoint; null = none.
const GroupView* GroupOf(const EndpointView& view, std::string_view server);

// Under which name a server's instructions stand; "" = another member of its group speaks for it.
std::string_view HeadingOf(const EndpointView& view, std::string_view server, const IsUp& is_up);
// The names of a group's tools (`items`) that a server lists which `is_up`.
std::set<std::string, std::less<>> ServedNames(const GroupView& group,
                                               const std::vector<Definition>& items,
                                               const IsUp& is_up);
// Of a group clients miss something only when all of it is down; then it is missing by its name.
void NoteMissing(const EndpointView& view, const IsUp& is_up,
                 std::map<std::string, std::string>& missing);

// What is asked of members when one is chosen. Of the worker's thread.
struct Choosing {
  std::function<std::size_t(std::string_view server)> load = nullptr;  // calls in flight
  FindOutage outage = nullptr;
  const Sealer* sealer = nullptr;  // of the states of what members ask (member_states.h)
  // Of a state: what is within those that policies put around it, "" = a policy's own question;
  // nullopt = no policy gave it.
  std::function<std::optional<std::string>(std::string_view state)> state_within = nullptr;
};

// The member of `listed` (which has some) that the next call goes to: the best that no policy is
// known to refuse at present, one that is down only for want of others; the first one when all are
// refused.
const Definition& ChooseMember(const Definition& listed, const Choosing& choosing,
                               const IsUp& is_up);

}  // namespace switchyard::catalog
