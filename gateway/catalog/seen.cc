#include "catalog/seen.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/builtin.h"

namespace switchyard::catalog {
namespace {

const PolicySet* PoliciesOf(const Content& content, std::string_view server) {
  const auto found = content.policies.find(server);
  return found == content.policies.end() ? nullptr : found->second.get();
}

bool AsksFor(const Definition& builtin, const Definition& tool) {
  const auto asks = [&builtin](const Definition& one) {
    return one.policies != nullptr && builtin.builtin->IsOfferedWith(*one.policies);
  };
  return asks(tool) ||
         std::ranges::any_of(tool.members, [&](const auto& member) { return asks(*member); });
}

std::vector<const Definition*> ItemsSeen(const Content& content, ItemKind kind,
                                         const Sight& sight) {
  std::vector<const Definition*> items;
  bool builtins = false;
  for (const Definition& item : content.shown(kind)) {
    builtins |= item.builtin != nullptr;
    if (item.builtin == nullptr && sight.Shows(item)) items.push_back(&item);
  }
  if (!builtins) return items;
  const std::vector<const Definition*> tools = items;
  for (const Definition& item : content.shown(kind)) {
    const bool asked = item.builtin != nullptr &&
                       std::ranges::any_of(
                           tools, [&item](const Definition* tool) { return AsksFor(item, *tool); });
    if (asked) items.push_back(&item);
  }
  return items;
}

// Some of its tools may have rules of their own.
bool ShowsItemOf(const Content& content, ItemKind kind, std::string_view server,
                 const Sight& sight) {
  const auto is_its = [server](const auto& member) { return member->server == server; };
  return std::ranges::any_of(content.shown(kind), [&](const Definition& item) {
    const bool its = item.server == server || std::ranges::any_of(item.members, is_its);
    return its && sight.Shows(item);
  });
}

}  // namespace

bool ShowsServer(const Content& content, const EndpointView& view, std::string_view name,
                 const Sight& sight) {
  const auto shows = [&](std::string_view server) {
    const PolicySet* policies = PoliciesOf(content, server);
    return std::ranges::any_of(
        std::array{ItemKind::kTool, ItemKind::kPrompt, ItemKind::kResource}, [&](ItemKind kind) {
          return sight.ShowsAny(kind, policies) || ShowsItemOf(content, kind, server, sight);
        });
  };
  for (const GroupView& group : view.groups) {
    if (group.name == name && std::ranges::any_of(group.servers, shows)) return true;
  }
  return shows(name);
}

namespace {

// Of what is out of order, only what is about something that the caller may know of.
bool ShowsSource(const Content& content, const EndpointView& view,
                 const Content::OutageSource& source, const Sight& sight) {
  if (source.tool.empty()) return ShowsServer(content, view, source.server, sight);
  const auto owner = content.owners.find(source.server);
  if (owner == content.owners.end()) return false;
  const auto tool = owner->second.tools.find(source.tool);
  return tool != owner->second.tools.end() && sight.Shows(*tool->second);
}

std::map<std::string, std::string> MissingSeen(const Content& content, const EndpointView& view,
                                               const Sight& sight) {
  std::map<std::string, std::string> missing = content.missing;
  std::erase_if(missing,
                [&](const auto& one) { return !ShowsServer(content, view, one.first, sight); });
  return missing;
}

}  // namespace

Seen See(const Content& content, const EndpointView& view, ItemKind kind, const Sight& sight) {
  Seen seen{.items = ItemsSeen(content, kind, sight),
            .missing = MissingSeen(content, view, sight),
            .outages = content.outages};
  std::erase_if(seen.outages, [&](const auto& outage) {
    const auto sources = content.outage_sources.find(outage.first);
    return sources == content.outage_sources.end() ||
           std::ranges::none_of(sources->second, [&](const Content::OutageSource& source) {
             return ShowsSource(content, view, source, sight);
           });
  });
  return seen;
}

bool IsAskedFor(const Definition& builtin, const Content& content, const Sight& sight) {
  return std::ranges::any_of(content.of(ItemKind::kTool), [&](const Definition& tool) {
    return tool.builtin == nullptr && AsksFor(builtin, tool) && sight.Shows(tool);
  });
}

ListHint HintSeen(const Content& content, ItemKind kind, const Seen& seen) {
  ListHint hint;
  if (!seen.missing.empty() || !seen.outages.empty()) hint.ttl_ms = 0;  // is about to change
  for (const Definition* item : seen.items) {
    const auto owner = content.owners.find(item->server);
    if (owner == content.owners.end()) continue;
    hint.Tighten(owner->second.inventory->hints[static_cast<std::size_t>(kind)]);
  }
  hint.shared = false;
  return hint;
}

Offer OfferSeen(const Content& content, const EndpointView& view, const Sight& sight) {
  Offer offer;
  for (const auto& [server, owner] : content.owners) {
    const PolicySet* policies = PoliciesOf(content, server);
    const auto shows = [&](ItemKind kind) {
      return sight.ShowsAny(kind, policies) || ShowsItemOf(content, kind, server, sight);
    };
    Offer own = owner.offer;
    own.tools &= shows(ItemKind::kTool);
    own.prompts &= shows(ItemKind::kPrompt);
    own.resources &= shows(ItemKind::kResource) || shows(ItemKind::kTemplate);
    own.subscribe &= own.resources;
    own.completions &= own.prompts || own.resources;
    own.tasks &= own.tools;
    own.logging &= own.tools || own.prompts || own.resources;
    offer.Add(own);
  }
  if (!MissingSeen(content, view, sight).empty()) {
    offer.tools = offer.prompts = offer.resources = true;
  }
  return offer;
}

std::string InstructionsSeen(const Content& content, const Catalog::Options& options,
                             const Sight& sight) {
  std::vector<std::pair<std::string_view, std::string_view>> instructions;
  for (const auto& [server, owner] : content.owners) {
    if (owner.heading.empty() || !ShowsServer(content, options.view, server, sight)) continue;
    instructions.emplace_back(owner.heading, owner.inventory->facts.instructions);
  }
  return MergeInstructions(options.instructions_header, instructions, options.view.transparent);
}

std::shared_ptr<const SeenPages::Pages> SeenPages::Find(ItemKind kind, mcp::Version version,
                                                        const Seen& seen) const {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.kind == kind && entry.version == version && entry.seen == seen) return entry.pages;
  }
  return nullptr;
}

void SeenPages::Keep(ItemKind kind, mcp::Version version, Seen seen,
                     std::shared_ptr<const Pages> pages) {
  const std::lock_guard lock(mutex_);
  if (entries_.size() == kMost) entries_.pop_back();
  entries_.push_front(
      {.kind = kind, .version = version, .seen = std::move(seen), .pages = std::move(pages)});
}

}  // namespace switchyard::catalog
