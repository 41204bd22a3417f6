// Where names and URIs lead at one endpoint. What it finds lives as long as the content.
//
// Immutable; safe to read from any thread. Borrows the content.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "catalog/catalog.h"
#include "catalog/content.h"
#include "core/sight.h"

namespace switchyard::catalog {

// What of the resources exists for a caller.
struct Eyes {
  const Sight* sight = nullptr;              // null = everything
  mcp::Route route = mcp::Route::kResource;  // of the calls that lead there

  bool Reach(const Destination& to) const {
    return sight == nullptr ||
           sight->MayLead(
               {.route = route, .name = to.name, .item = to.definition, .policies = to.policies});
  }
  bool SeeSome(const PolicySet* policies) const {
    return sight == nullptr || sight->ShowsAny(ItemKind::kResource, policies);
  }
};

class Lookup {
 public:
  Lookup(const Content& content, bool transparent) : content_(content), transparent_(transparent) {}

  std::optional<Destination> Find(ItemKind kind, std::string_view exposed) const;
  // As Catalog::FindResource() and FindReference() say.
  std::optional<Destination> FindResource(std::string_view uri, const Eyes& eyes = {}) const;
  std::optional<Destination> FindTemplate(std::string_view text, const Eyes& eyes) const;
  const std::shared_ptr<const PolicySet>& PoliciesFor(std::string_view server) const;
  // As Catalog::WouldLead() says.
  Destination WouldLead(std::string_view exposed) const;

 private:
  std::optional<Destination> FindOriginal(std::string_view uri, const Eyes& eyes) const;
  std::optional<Destination> FindRewritten(std::string_view uri) const;
  Destination ToServer(std::string_view server, std::string_view name) const;

  const Content& content_;
  const bool transparent_;
};

}  // namespace switchyard::catalog
