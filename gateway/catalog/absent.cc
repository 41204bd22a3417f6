#include "catalog/absent.h"

#include <algorithm>
#include <optional>
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

std::string NameOf(const BuiltinTool& tool) {
  const std::optional<mcp::Fields> fields = mcp::MembersOf(tool.definition());
  const mcp::Field* const name = fields ? mcp::Find(*fields, "name") : nullptr;
  return name == nullptr ? std::string() : mcp::Unquote(name->value).value_or(std::string());
}

// The name itself says whose it is.
bool LeadsToAPrefix(const Content& content, std::string_view exposed) {
  return std::ranges::any_of(content.prefixes | std::views::keys, [exposed](const auto& prefix) {
    return !prefix.empty() && WithoutPrefix(prefix, exposed);
  });
}

Claim ClaimOfUri(const ServerNaming& naming, const EndpointView& view, std::string_view uri) {
  if (view.transparent) return Claim::kSure;
  const std::optional<RewrittenUri> rewritten = ParseRewrittenUri(uri);
  if (!rewritten) return Claim::kMaybe;
  return rewritten->server == naming.server ? Claim::kSure : Claim::kNone;
}

}  // namespace

void NoteAbsent(const Catalog::Options& options, const std::vector<ServerState>& servers,
                Content& content) {
  for (const ServerState& state : servers) {
    const ServerNaming& naming = state.naming;
    if (!content.policies.contains(naming.server)) continue;  // not of this endpoint
    content.prefixes.emplace(naming.prefix, naming.server);
    if (state.inventory != nullptr) continue;
    const GroupView* const group = GroupOf(options.view, naming.server);
    const std::string& called = group == nullptr ? naming.server : group->name;
    if (!content.missing.contains(called)) continue;
    const auto down = std::ranges::find(content.absent, false, &AbsentServer::starting);
    content.absent.insert(state.starting ? down : content.absent.end(),
                          {.naming = naming, .called = called, .starting = state.starting});
  }
  for (const auto& tool : options.builtins) content.builtin_names.insert(NameOf(*tool));
}

Claim ClaimOf(const AbsentServer& server, const Content& content, const Catalog::Options& options,
              ItemKind kind, std::string_view exposed) {
  const ServerNaming& naming = server.naming;
  const EndpointView& view = options.view;
  if (kind == ItemKind::kResource || kind == ItemKind::kTemplate) {
    return ClaimOfUri(naming, view, exposed);
  }
  Claim claim = Claim::kSure;
  std::string_view own = exposed;
  if (!view.transparent) {
    if (!IsValidName(exposed)) return Claim::kNone;
    if (!naming.prefix.empty()) {
      const std::optional<std::string_view> name = WithoutPrefix(naming.prefix, exposed);
      if (!name) return Claim::kNone;
      own = *name;
    } else if (LeadsToAPrefix(content, exposed)) {
      return Claim::kNone;
    } else {
      claim = Claim::kMaybe;
    }
  }
  if (own.empty()) return Claim::kNone;
  if (kind != ItemKind::kTool) return claim;
  const bool offered = Selects(naming.include, naming.exclude, own) &&
                       Selects(view.include, view.exclude, exposed) &&
                       !content.builtin_names.contains(exposed);
  return offered ? claim : Claim::kNone;
}

}  // namespace switchyard::catalog
