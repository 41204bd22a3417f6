// Which calls are equal for the cache. Of policies/cache.cc alone. Pure but for the topics.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "core/account_versions.h"
#include "core/call.h"
#include "core/definition.h"
#include "core/resolver.h"
#include "mcp/method.h"
#include "policies/cache.h"
#include "policies/lib/answer_cache.h"
#include "policies/lib/arguments.h"
#include "policies/lib/canonical_json.h"
#include "policies/lib/store_key.h"

namespace switchyard::policies::cache {

// Where the answer is read (method, endpoint and how URIs read there), what is asked (server, name,
// the URI as the client has it, the definition's digest, arguments or what the operator made of
// them), and what the server is told of the client: capabilities, info, tasks, `_meta`, headers.
struct CacheKeys {
  CacheKey own;  // for this caller alone: issuer, subject, client, account, scopes and claims
  std::size_t who = 0;  // where in `own` the caller stands, to its end
  TopicPtr topic;
  std::uint64_t generation = 0;  // of the topic, as of now

  CacheKey Everybody() const { return own.text.substr(0, who) + "9:everybody"; }
};

// Of a definition, once a catalog.
struct Traits {
  std::string digest;
  TopicPtr topic;
};

inline TopicPtr AddDefinition(StoreKey& key, Topics& topics, const Call& call) {
  const Definition* definition = call.target.definition;
  if (definition == nullptr) {
    key.Add("");
    return topics.Of(call.target.server, call.target.name);
  }
  const Traits& traits = definition->derived.Get<Traits>([&] {
    return Traits{.digest = Sha256(definition->json),
                  .topic = topics.Of(definition->server, definition->name)};
  });
  key.Add(traits.digest);
  return traits.topic;
}

inline std::uint64_t UriViewOf(const Target& target) {
  return target.others == nullptr ? 0 : target.others->UriViewOf(target.server);
}

inline void AddClient(StoreKey& key, const Call& call) {
  if (const Client* client = call.client.get()) {
    key.Add(client->capabilities).Add(client->info);
    key.Add(std::to_string(static_cast<int>(client->tasks)));
  } else {
    key.Add("").Add("").Add("");
  }
  // Parameters in headers that no schema marks are passed on, so they may count as well.
  key.Add(call.message.OtherMeta()).Add(std::to_string(call.header_params.sent.size()));
  for (const auto& [name, value] : call.header_params.sent) key.Add(name).Add(value);
}

// What each token has anew; no server is shown a value by it (servers.*.credentials.by).
inline bool IsOfOneToken(std::string_view claim) {
  return claim == "exp" || claim == "iat" || claim == "nbf" || claim == "jti";
}

// A server may be shown another value for each value of any claim, so all of them count.
// `account`: which of its accounts at the server it is known by.
inline void AddCaller(StoreKey& key, const Principal& caller, std::uint32_t account) {
  key.Add("own").Add(caller.issuer).Add(caller.subject).Add(caller.client);
  if (account != 0) key.Add("account").Add(std::to_string(account));
  if (caller.scopes.empty() && caller.claims.empty()) return;
  std::vector<std::string> scopes = caller.scopes;
  std::ranges::sort(scopes);
  key.Add(std::to_string(scopes.size()));
  for (const std::string& scope : scopes) key.Add(scope);
  for (const auto& [claim, values] : caller.claims) {
    if (IsOfOneToken(claim)) continue;
    key.Add(claim).Add(std::to_string(values.size()));
    for (const std::string& value : values) key.Add(value);
  }
}

// nullopt: there is no key, and so no answer from the cache. The call has its target.
inline std::optional<CacheKeys> CacheKeysOf(Topics& topics, const CacheSettings& settings,
                                            const Call& call, const AccountVersions* accounts) {
  const json_schema::JsonDoc::Read& read = ReadArguments(call.message.Get(mcp::Key::kArguments));
  const std::optional<std::string> arguments =
      settings.key.empty() ? CanonicalJson(read) : settings.key.Fill(read);
  if (!arguments) return std::nullopt;
  StoreKey key;
  key.Add(call.method().name).Add(call.endpoint).Add(std::to_string(UriViewOf(call.target)));
  key.Add(call.target.server).Add(call.target.name);
  // The answer names the resource as it was asked for, and there may be two ways to.
  const bool resource = call.method().route == mcp::Route::kResource;
  if (resource) key.Add(call.message.GetString(mcp::Key::kUri));
  TopicPtr topic = AddDefinition(key, topics, call);
  key.Add(settings.key_text).Add(*arguments);
  AddClient(key, call);
  const std::size_t who = key.text().size();
  const Principal& caller = *call.caller;
  AddCaller(
      key, caller,
      accounts == nullptr ? 0 : accounts->Of(call.target.server, caller.issuer, caller.subject));
  const std::uint64_t generation = topic->generation.load();
  return CacheKeys{.own = std::string(key.text()),
                   .who = who,
                   .topic = std::move(topic),
                   .generation = generation};
}

// A call that goes to its server whatever is known: it answers a question, wants a task, or has
// headers that the router must hold against its arguments.
inline bool MustReachServer(const Call& call) {
  const bool checked = call.header_params.expected && call.target.transparent &&
                       call.target.definition != nullptr &&
                       !call.target.definition->param_marks.empty();
  return checked || call.forsaken || call.message.Has(mcp::Key::kRequestState) ||
         call.message.Has(mcp::Key::kInputResponses) || call.message.Has(mcp::Key::kTask) ||
         (call.client != nullptr && call.client->tasks == Tasks::kWanted);
}

}  // namespace switchyard::policies::cache
