#include "catalog/starting.h"

#include <algorithm>
#include <ranges>

#include "catalog/content.h"
#include "catalog/glob.h"
#include "catalog/groups.h"
#include "catalog/names.h"
#include "core/builtin.h"
#include "mcp/json_string.h"
#include "mcp/scan.h"

namespace switchyard::catalog {
namespace {

constexpr std::string_view kBetween = "__";  // as ExposedName() writes it

bool HasPrefix(std::string_view exposed, std::string_view prefix) {
  return exposed.size() > prefix.size() + kBetween.size() && exposed.starts_with(prefix) &&
         exposed.substr(prefix.size()).starts_with(kBetween);
}

// A name that no server's tool is offered under.
bool IsTheGateways(const BuiltinTools& builtins, std::string_view exposed) {
  return std::ranges::any_of(builtins, [exposed](const auto& builtin) {
    const std::optional<mcp::Fields> fields = mcp::MembersOf(builtin->definition());
    const mcp::Field* const name = fields ? mcp::Find(*fields, "name") : nullptr;
    return name != nullptr && mcp::Unquote(name->value) == exposed;
  });
}

}  // namespace

void NoteStarting(const Catalog::Options& options, const std::vector<ServerState>& servers,
                  Content& content) {
  for (const ServerState& state : servers) {
    const ServerNaming& naming = state.naming;
    if (!content.policies.contains(naming.server)) continue;  // not of this endpoint
    content.prefixes.emplace(naming.prefix, naming.server);
    if (!state.starting) continue;
    const GroupView* const group = GroupOf(options.view, naming.server);
    const std::string& called = group == nullptr ? naming.server : group->name;
    if (content.missing.contains(called)) {
      content.starting.push_back({.naming = naming, .called = called});
    }
  }
}

std::optional<std::string_view> OwnNameAt(const StartingServer& server, const Content& content,
                                          const Catalog::Options& options, ItemKind kind,
                                          std::string_view exposed) {
  const ServerNaming& naming = server.naming;
  const EndpointView& view = options.view;
  std::string_view own = exposed;
  if (!view.transparent) {
    if (!IsValidName(exposed)) return std::nullopt;
    const auto leads = [exposed](const std::string& prefix) {
      return !prefix.empty() && HasPrefix(exposed, prefix);
    };
    if (!naming.prefix.empty()) {
      if (!leads(naming.prefix)) return std::nullopt;
      own.remove_prefix(naming.prefix.size() + kBetween.size());
    } else if (std::ranges::any_of(content.prefixes | std::views::keys, leads)) {
      return std::nullopt;  // that of another server says whose it is
    }
  }
  if (own.empty()) return std::nullopt;
  if (kind != ItemKind::kTool) return own;
  const bool offered = Selects(naming.include, naming.exclude, own) &&
                       Selects(view.include, view.exclude, exposed) &&
                       !IsTheGateways(options.builtins, exposed);
  return offered ? std::optional(own) : std::nullopt;
}

}  // namespace switchyard::catalog
