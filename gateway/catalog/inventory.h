// What one server offers, as it listed it: the input of the catalog. Immutable once published.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/definition.h"
#include "core/downstream.h"
#include "mcp/message.h"

namespace switchyard::catalog {

// What the operator said of a server, as far as names are concerned.
struct ServerNaming {
  std::string server;                // config name
  std::string prefix;                // "" = names stay as they are
  std::vector<std::string> include;  // globs over the server's own tool names; empty = all
  std::vector<std::string> exclude;
};

// What a server says of how long, and for whom, a list may be kept (specification 2026-07-28,
// server/utilities/caching); of several pages the strictest.
struct ListHint {
  static constexpr std::uint64_t kModestTtlMs = 5000;
  std::uint64_t ttl_ms = kModestTtlMs;
  bool shared = false;  // cacheScope "public"

  void Tighten(const ListHint& other) {
    ttl_ms = std::min(ttl_ms, other.ttl_ms);
    shared &= other.shared;
  }
};

struct Inventory {
  std::string server;
  ServerFacts facts;
  // The servers' own objects, verbatim, in the server's order.
  std::vector<std::string> tools, prompts, resources, templates;
  std::array<ListHint, 4> hints{};  // by ItemKind
  // Resources and URI templates that it lists and nobody may know of: they are in no list above,
  // and lead nowhere.
  std::vector<std::string> withheld_uris = {}, withheld_templates = {};
};

// Whether a client would see the same of both.
bool SameLists(const Inventory& a, const Inventory& b);

// What is known of a server, and a reason that clients and operators are told where that is not
// what it says now.
struct ServerState {
  ServerNaming naming;
  std::shared_ptr<const Inventory> inventory;  // the last that was read; null = none, or too old
  // "" = that is what it offers. "starting", "connection refused", ...
  std::string missing_because;
  bool up = false;
  bool starting = false;  // nothing was heard of it since it was configured
  std::shared_ptr<const Inventory> last = nullptr;  // when inventory is null: the one before
};

// The hint of one list result. A legacy server gives none: what we are told of when it changes may
// be kept a little, by nobody else.
ListHint HintOf(const mcp::Message& list_result, const ServerFacts& facts, std::string_view group);

// The objects of the array `key` ("tools", "prompts", "resources", "resourceTemplates") of a list
// result, verbatim. kProtocol when there is no such array or it is broken. What is inside of the
// items is checked when a catalog is built.
Result<std::vector<std::string>> ItemsOf(std::string_view list_result_json, std::string_view key);

}  // namespace switchyard::catalog
