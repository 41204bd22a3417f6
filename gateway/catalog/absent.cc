#include "catalog/absent.h"

#include <algorithm>
#include <optional>

#include "catalog/content.h"
#include "catalog/glob.h"
#include "catalog/groups.h"
#include "catalog/names.h"

namespace switchyard::catalog {
namespace {

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
    if (state.inventory != nullptr) continue;
    const GroupView* const group = GroupOf(options.view, naming.server);
    const std::string& called = group == nullptr ? naming.server : group->name;
    if (!content.missing.contains(called)) continue;
    const auto down = std::ranges::find(content.absent, false, &AbsentServer::starting);
    content.absent.insert(state.starting ? down : content.absent.end(),
                          {.naming = naming, .called = called, .starting = state.starting});
  }
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
    const auto* const prefix = content.PrefixOf(exposed);
    if ((prefix == nullptr ? "" : prefix->first) != naming.prefix) return Claim::kNone;
    if (prefix == nullptr) claim = Claim::kMaybe;
    if (prefix != nullptr) own.remove_prefix(prefix->first.size() + kAfterPrefix.size());
  }
  if (own.empty()) return Claim::kNone;
  if (kind != ItemKind::kTool) return claim;
  const bool offered = Selects(naming.include, naming.exclude, own) &&
                       Selects(view.include, view.exclude, exposed) &&
                       !content.builtin_names.contains(exposed);
  return offered ? claim : Claim::kNone;
}

}  // namespace switchyard::catalog
