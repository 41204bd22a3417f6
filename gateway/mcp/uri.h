// How URIs of resources relate. Pure.
#pragma once

#include <string_view>

namespace switchyard::mcp {

// Whether `uri` is `whole` or a part of it: an update may name a sub-resource of what was
// subscribed to (schema: ResourceUpdatedNotification). Parts begin where URIs have their joints, so
// `x://ab` is no part of `x://a`.
constexpr bool IsPartOf(std::string_view uri, std::string_view whole) {
  if (whole.empty() || !uri.starts_with(whole)) return false;
  if (uri.size() == whole.size() || whole.back() == '/') return true;
  const char joint = uri[whole.size()];
  return joint == '/' || joint == '?' || joint == '#';
}

}  // namespace switchyard::mcp
