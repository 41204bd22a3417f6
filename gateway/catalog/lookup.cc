#include "catalog/lookup.h"

#include <cstddef>
#include <vector>

#include "catalog/names.h"

namespace switchyard::catalog {
namespace {

Destination To(const Definition& definition) {
  return {.server = definition.server,
          .name = definition.name,
          .definition = &definition,
          .policies = definition.policies.get()};
}

bool AnyMatches(const std::vector<Content::Template>& templates, std::string_view uri) {
  for (const Content::Template& candidate : templates) {
    if (candidate.pattern.Matches(uri)) return true;
  }
  return false;
}

// Of a URI that the server does not list, or that is not offered.
bool IsWithheld(const Content::Owner& owner, std::string_view uri) {
  return owner.withheld.Has(uri) ||
         (owner.withheld.Makes(uri) && !AnyMatches(owner.templates, uri));
}

}  // namespace

std::optional<Destination> Lookup::Find(ItemKind kind, std::string_view exposed) const {
  const auto& index = content_.by_exposed[static_cast<std::size_t>(kind)];
  const auto found = index.find(exposed);
  if (found == index.end()) return std::nullopt;
  return To(*found->second);
}

// Without a server: it leads nowhere, however else it may be read.
std::optional<Destination> Lookup::FindRewritten(std::string_view uri) const {
  const std::optional<RewrittenUri> parsed = ParseRewrittenUri(uri);
  if (!parsed || transparent_) return std::nullopt;
  const auto owner = content_.owners.find(parsed->server);
  if (owner == content_.owners.end() || !owner->second.has_resources) return std::nullopt;
  const auto exact = owner->second.resources.find(parsed->original);
  if (exact != owner->second.resources.end()) return To(*exact->second);
  if (IsWithheld(owner->second, parsed->original)) return Destination();
  return ToServer(owner->first, parsed->original);
}

// Something there that it does not list.
Destination Lookup::ToServer(std::string_view server, std::string_view name) const {
  return {
      .server = server, .name = name, .definition = nullptr, .policies = PoliciesFor(server).get()};
}

const std::shared_ptr<const PolicySet>& Lookup::PoliciesFor(std::string_view server) const {
  const auto found = content_.policies.find(server);
  return found == content_.policies.end() ? content_.own_policies : found->second;
}

std::optional<Destination> Lookup::FindResource(std::string_view uri, const Eyes& eyes) const {
  const auto reached = [&eyes](const std::optional<Destination>& to) {
    return to && eyes.Reach(*to);
  };
  if (const auto exact = Find(ItemKind::kResource, uri); reached(exact)) return exact;
  if (const auto original = FindOriginal(uri, eyes)) return original;
  if (const auto rewritten = FindRewritten(uri)) {
    if (rewritten->server.empty()) return std::nullopt;
    if (reached(rewritten)) return rewritten;
  }
  std::string_view only;
  std::size_t others = 0;
  for (const auto& [server, owner] : content_.owners) {
    const Destination to = ToServer(server, uri);
    const bool withheld = IsWithheld(owner, uri);
    if (!withheld && AnyMatches(owner.templates, uri) && eyes.Reach(to)) return to;
    if (!owner.has_resources || !eyes.SeeSome(to.policies)) continue;
    if (!withheld) only = server;
    ++others;
  }
  if (others != 1 || only.empty()) return std::nullopt;
  const Destination to = ToServer(only, uri);
  return eyes.Reach(to) ? std::optional(to) : std::nullopt;
}

std::optional<Destination> Lookup::FindTemplate(std::string_view text, const Eyes& eyes) const {
  const auto exact = Find(ItemKind::kTemplate, text);
  if (exact && eyes.Reach(*exact)) return exact;
  if (transparent_) return std::nullopt;
  for (const auto& [server, owner] : content_.owners) {
    for (const Content::Template& one : owner.templates) {
      if (one.definition->name == text && eyes.Reach(To(*one.definition))) {
        return To(*one.definition);
      }
    }
  }
  return std::nullopt;
}

// That of the first owner that is seen, where several have it.
std::optional<Destination> Lookup::FindOriginal(std::string_view uri, const Eyes& eyes) const {
  const auto first = content_.by_original.find(uri);
  if (first == content_.by_original.end() && eyes.sight == nullptr) return std::nullopt;
  if (first != content_.by_original.end() && eyes.Reach(To(*first->second))) {
    return To(*first->second);
  }
  if (transparent_) return std::nullopt;
  for (const auto& [server, owner] : content_.owners) {
    const auto item = owner.resources.find(uri);
    if (item != owner.resources.end() && eyes.Reach(To(*item->second))) return To(*item->second);
  }
  return std::nullopt;
}

const std::pair<const std::string, std::string>* Content::PrefixOf(std::string_view exposed) const {
  for (std::size_t at = exposed.rfind(kAfterPrefix); at != std::string_view::npos && at > 0;
       at = exposed.rfind(kAfterPrefix, at - 1)) {
    const auto found = prefixes.find(exposed.substr(0, at));
    if (found != prefixes.end() && at + kAfterPrefix.size() < exposed.size()) return &*found;
  }
  return nullptr;
}

Destination Lookup::WouldLead(std::string_view exposed) const {
  if (transparent_ && !content_.policies.empty()) {
    return ToServer(content_.policies.begin()->first, exposed);
  }
  const auto* const prefix = IsValidName(exposed) ? content_.PrefixOf(exposed) : nullptr;
  if (prefix != nullptr) {
    return ToServer(prefix->second, exposed.substr(prefix->first.size() + kAfterPrefix.size()));
  }
  const auto without = content_.prefixes.find("");
  return ToServer(without == content_.prefixes.end() ? "" : without->second, exposed);
}

}  // namespace switchyard::catalog
