#include "catalog/listen_filter.h"

#include <utility>

#include <boost/json.hpp>

namespace switchyard::catalog {
namespace {

std::unexpected<Error> Invalid(std::string message) {
  return Failure(Code::kInvalid, Origin::kClient, std::move(message));
}

}  // namespace

std::optional<std::vector<std::string>> SubscriptionsOf(const boost::json::object& notifications) {
  std::vector<std::string> uris;
  const boost::json::value* member = notifications.if_contains("resourceSubscriptions");
  if (member == nullptr) return uris;
  if (!member->is_array()) return std::nullopt;
  std::set<std::string_view> seen;
  for (const boost::json::value& uri : member->as_array()) {
    if (!uri.is_string()) return std::nullopt;
    if (seen.insert(uri.as_string()).second) uris.emplace_back(uri.as_string());
  }
  return uris;
}

Result<ListenFilter> ReadListenFilter(std::string_view raw, std::size_t max_uris) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(raw, error);
  if (error || !value.is_object()) {
    return Invalid(
        "subscriptions/listen needs params.notifications, an object such as "
        "{\"toolsListChanged\":true}");
  }
  const boost::json::object& filter = value.as_object();
  const auto wants = [&filter](std::string_view key) {
    const boost::json::value* member = filter.if_contains(key);
    return member != nullptr && member->is_bool() && member->as_bool();
  };
  std::optional<std::vector<std::string>> uris = SubscriptionsOf(filter);
  if (!uris || uris->size() > max_uris) {
    return Invalid("params.notifications.resourceSubscriptions must be at most " +
                   std::to_string(max_uris) + " strings");
  }
  return ListenFilter{.lists = {.tools = wants("toolsListChanged"),
                                .prompts = wants("promptsListChanged"),
                                .resources = wants("resourcesListChanged")},
                      .uris = std::move(*uris)};
}

std::string Acknowledged(const ListenFilter& filter, const std::set<std::string_view>& honoured) {
  boost::json::object named;
  if (filter.lists.tools) named["toolsListChanged"] = true;
  if (filter.lists.prompts) named["promptsListChanged"] = true;
  if (filter.lists.resources) named["resourcesListChanged"] = true;
  boost::json::array uris;
  for (const std::string& uri : filter.uris) {
    if (honoured.contains(uri)) uris.emplace_back(uri);
  }
  if (!uris.empty()) named["resourceSubscriptions"] = std::move(uris);
  return boost::json::serialize(named);
}

}  // namespace switchyard::catalog
