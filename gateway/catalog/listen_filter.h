// What a client's subscriptions/listen asks for. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include "base/result.h"
#include "catalog/catalog.h"

namespace switchyard::catalog {

struct ListenFilter {
  Catalog::Changes lists;
  std::vector<std::string> uris;  // each once, in the client's order
};

// `raw`: params.notifications. kInvalid: no object, or more than `max_uris`.
Result<ListenFilter> ReadListenFilter(std::string_view raw, std::size_t max_uris);

// What an acknowledgement names: all of `filter`, but of its URIs those that are `honoured`. JSON.
std::string Acknowledged(const ListenFilter& filter, const std::set<std::string_view>& honoured);

// The strings of `resourceSubscriptions`, each once; nullopt: it is something else.
std::optional<std::vector<std::string>> SubscriptionsOf(const boost::json::object& notifications);

}  // namespace switchyard::catalog
