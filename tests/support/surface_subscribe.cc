// Resource subscriptions of a fake server, both eras. URIs that end in "/three" cannot be had.
// "subscribed:<uri>" and "unsubscribed:<uri>" happen (Surface::Named).
#include <algorithm>
#include <utility>

#include "support/surface.h"

namespace switchyard::tests {
namespace {

bool CanBeHad(std::string_view uri) { return !uri.ends_with("/three"); }

bool IsPart(const std::string& uri, const std::string& whole) {
  return uri == whole || uri.starts_with(whole + "/");
}

}  // namespace

Surface::Interest Surface::Honoured(const json::value& filter) {
  Interest interest;
  for (const char* kind : {"tools", "prompts", "resources"}) {
    if (At(filter, "/" + std::string(kind) + "ListChanged") == true) interest.kinds.insert(kind);
  }
  const json::value uris = At(filter, "/resourceSubscriptions");
  if (!uris.is_array()) return interest;
  for (const json::value& uri : uris.as_array()) {
    if (CanBeHad(uri.as_string())) interest.uris.emplace(uri.as_string());
  }
  return interest;
}

std::string Surface::Acknowledgement(const Interest& interest) {
  json::object filter;
  for (const std::string& kind : interest.kinds) filter[kind + "ListChanged"] = true;
  if (!interest.uris.empty()) {
    filter["resourceSubscriptions"] = json::array(interest.uris.begin(), interest.uris.end());
  }
  return json::serialize(filter);
}

// resources/subscribe and resources/unsubscribe of a legacy client.
void Surface::Subscribe(Turn& turn) {
  const std::string uri = TextAt(turn.message(), "/params/uri");
  const bool leaves = turn.method() == "resources/unsubscribe";
  if (!leaves && !CanBeHad(uri)) {
    turn.Error(-32602, "cannot be subscribed to");
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    const auto key = std::pair(turn.scope(), uri);
    const bool fits = leaves ? subscribed_.erase(key) == 1 : subscribed_.insert(key).second;
    if (!fits) complaints_.push_back(turn.method() + " twice: " + uri);
  }
  Named((leaves ? "unsubscribed:" : "subscribed:") + uri).Set();
  turn.Result("");
}

bool Surface::IsSubscribed(const std::string& session, const std::string& uri) const {
  return std::ranges::any_of(subscribed_, [&](const auto& entry) {
    return entry.first == session && IsPart(uri, entry.second);
  });
}

void Surface::Updated(const std::string& uri) {
  const std::string method = "notifications/resources/updated";
  const std::string members = R"("uri":)" + Quote(uri);
  const std::scoped_lock lock(mutex_);
  for (Listener* listener : listeners_) {
    const Interest& interest = listener->interest;
    const bool wanted =
        interest.session
            ? IsSubscribed(*interest.session, uri)
            : std::ranges::any_of(interest.uris, [&](const auto& own) { return IsPart(uri, own); });
    if (!wanted) continue;
    listener->news.emplace_back(method, members);
    listener->wake.Set();
  }
  if (on_change_ && IsSubscribed("", uri)) {
    on_change_(R"({"jsonrpc":"2.0","method":")" + method + R"(","params":{)" + members + "}}");
  }
}

}  // namespace switchyard::tests
