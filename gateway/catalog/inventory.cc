#include "catalog/inventory.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "mcp/scan.h"

namespace switchyard::catalog {
namespace {

using mcp::ElementsOf;
using mcp::Field;
using mcp::Fields;
using mcp::Find;
using mcp::IsArray;
using mcp::MembersOf;

constexpr std::uint64_t kLongestTtlMs = 24 * 60 * 60 * 1000;

// Whether these capabilities promise list_changed for a group ("tools", ...).
bool Announces(std::string_view capabilities, std::string_view group) {
  const std::optional<Fields> fields = MembersOf(capabilities);
  const Field* own = fields ? Find(*fields, group) : nullptr;
  const std::optional<Fields> members = own != nullptr ? MembersOf(own->value) : std::nullopt;
  const Field* changes = members ? Find(*members, "listChanged") : nullptr;
  return changes != nullptr && changes->value == "true";
}

}  // namespace

Result<std::vector<std::string>> ItemsOf(std::string_view list_result_json, std::string_view key) {
  const auto broken = [key](std::string_view what) {
    return Failure(Code::kProtocol, Origin::kServer,
                   std::string("list result: ").append(key).append(" ").append(what));
  };
  const std::optional<Fields> result = MembersOf(list_result_json);
  if (!result) return Failure(Code::kProtocol, Origin::kServer, "list result is not an object");
  const Field* list = Find(*result, key);
  if (list == nullptr) return broken("is missing");
  if (!IsArray(list->value)) return broken("is not an array");
  const auto elements = ElementsOf(list->value);
  if (!elements) return broken("is not valid JSON");
  return std::vector<std::string>(elements->begin(), elements->end());
}

ListHint HintOf(const mcp::Message& list_result, const ServerFacts& facts, std::string_view group) {
  if (!mcp::IsModern(facts.version)) {
    const bool told = Announces(facts.capabilities, group);
    return {.ttl_ms = told ? ListHint::kModestTtlMs : 0, .shared = false};
  }
  // Absent, negative or no number: not to be kept.
  ListHint hint{.ttl_ms = 0, .shared = list_result.GetString(mcp::Key::kCacheScope) == "public"};
  const std::string_view ttl = list_result.Get(mcp::Key::kTtlMs);
  const auto [end, error] = std::from_chars(ttl.data(), ttl.data() + ttl.size(), hint.ttl_ms);
  if (error != std::errc() || end != ttl.data() + ttl.size()) hint.ttl_ms = 0;
  hint.ttl_ms = std::min(hint.ttl_ms, kLongestTtlMs);
  return hint;
}

bool SameLists(const Inventory& a, const Inventory& b) {
  return a.tools == b.tools && a.prompts == b.prompts && a.resources == b.resources &&
         a.templates == b.templates &&
         std::ranges::equal(a.hints, b.hints, {}, &ListHint::shared, &ListHint::shared);
}

}  // namespace switchyard::catalog
