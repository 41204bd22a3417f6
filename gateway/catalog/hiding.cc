#include "catalog/hiding.h"

#include <optional>
#include <string>
#include <utility>

#include "catalog/reference.h"
#include "core/resolver.h"

namespace switchyard::catalog {
namespace {

// The log is told why, the caller is not. "" = nothing was hidden: it takes the same way.
Task<Result<ReplyPtr>> HandleHidden(Call& call, Service& next, std::string why) {
  Result<ReplyPtr> reply = co_await next.Handle(call);
  if (!reply && !why.empty()) reply.error().detail = std::move(why);
  co_return reply;
}

}  // namespace

Task<Result<ReplyPtr>> Hiding::Handle(Call& call) {
  std::optional<std::string> why = router_.Hide(call);
  if (why) return HandleHidden(call, next_, std::move(*why));
  return next_.Handle(call);
}

std::optional<std::string> Router::Hide(Call& call) const {
  const mcp::Route route = call.method().route;
  const bool names_item = route == mcp::Route::kTool || route == mcp::Route::kPrompt ||
                          route == mcp::Route::kResource || route == mcp::Route::kReference;
  if (!names_item || call.forsaken) return std::nullopt;
  const std::shared_ptr<const Sight> sight = SightOf(call);
  if (sight == nullptr) return std::nullopt;
  const Target& target = call.target;
  const Definition* const item = target.definition;
  const bool nowhere = item == nullptr && target.server.empty();
  const bool named = route == mcp::Route::kTool || route == mcp::Route::kPrompt;
  const std::string said =
      nowhere && named ? call.message.GetString(mcp::Key::kName) : std::string();
  Lead lead{.route = route, .name = target.name, .item = item, .policies = target.policies};
  if (nowhere && named) {
    const Destination would = catalog_->WouldLead(said);
    lead.name = would.name;
    lead.policies = would.policies;
  }
  const bool builtin = item != nullptr && item->builtin != nullptr;
  const bool shown = builtin ? catalog_->ShowsBuiltin(*item, *sight) : sight->MayLead(lead);
  if ((shown && !nowhere) || LeadElsewhere(*sight, call)) return std::nullopt;
  if (nowhere) {
    sight->Miss(lead);
    LeadOnNowhere(call);
    return std::string();
  }
  std::string why =
      builtin ? "hidden: no tool that it is for may be used" : sight->Hide(lead, call);
  LeadNowhere(call);
  return why;
}

// What nobody else has, other servers may have for this caller.
bool Router::LeadElsewhere(const Sight& sight, Call& call) const {
  const mcp::Route route = call.method().route;
  std::optional<Reference> reference;
  std::string uri;
  if (route == mcp::Route::kResource) {
    uri = call.message.GetString(mcp::Key::kUri);
  } else if (route == mcp::Route::kReference) {
    reference = ParseReference(call.message.Get(mcp::Key::kRef));
    if (!reference || reference->prompt) return false;
    uri = reference->key;
  } else {
    return false;
  }
  const std::optional<Destination> found =
      reference ? catalog_->FindReference(uri, &sight) : catalog_->FindResource(uri, &sight, route);
  if (!found) return false;
  if (reference) RenameReference(call, *reference, found->name);
  LeadTo(*found, call);
  return true;
}

}  // namespace switchyard::catalog
