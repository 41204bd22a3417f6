#include "cli/tools.h"

#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "cli/print.h"
#include "mcp/list_meta.h"

namespace switchyard::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kTimeout{30};
constexpr int kMaxPages = 10'000;

std::vector<Prefix> PrefixesOf(const config::Config& config) {
  std::vector<Prefix> prefixes;
  for (const auto& [name, server] : config.servers) {
    if (server.enabled) prefixes.push_back({.server = name, .prefix = server.effective_prefix()});
  }
  // The service of the gateway itself names its tools so.
  if (config.orchestration.enabled) {
    const std::string name = config::Orchestration::kServer;
    prefixes.push_back({.server = name, .prefix = name, .separator = "_"});
  }
  return prefixes;
}

json::array* ArrayAt(json::object& object, std::string_view key) {
  json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_array();
}

json::array* ToolsOf(json::object& result) { return ArrayAt(result, "tools"); }

// Whose they are, of the tools in the same order.
json::array* OwnersOf(json::object& result) {
  json::value* meta = result.if_contains("_meta");
  if (meta == nullptr || !meta->is_object()) return nullptr;
  return ArrayAt(meta->get_object(), mcp::kListServers);
}

void Append(json::array* from, json::array* to) {
  if (from != nullptr && to != nullptr) to->insert(to->end(), from->begin(), from->end());
}

}  // namespace

Result<Answer> ListTools(Client& client, Duration timeout) {
  Result<Answer> all = client.Request("tools/list", {}, timeout);
  if (!all || all->error) return all;
  bool merged = false;
  for (int pages = 1; pages < kMaxPages; ++pages) {
    const json::value* cursor = all->result.if_contains("nextCursor");
    if (cursor == nullptr || !cursor->is_string()) break;
    Result<Answer> page = client.Request("tools/list", {{"cursor", *cursor}}, timeout);
    if (!page || page->error) return page;
    json::array *to = ToolsOf(all->result), *from = ToolsOf(page->result);
    if (to == nullptr || from == nullptr) break;
    Append(from, to);
    Append(OwnersOf(page->result), OwnersOf(all->result));
    all->result.erase("nextCursor");
    if (const json::value* next = page->result.if_contains("nextCursor")) {
      all->result["nextCursor"] = *next;
    }
    merged = true;
  }
  if (merged) all->raw = json::serialize(all->result);
  return all;
}

int RunTools(const ToolsOptions& options, std::ostream& out, std::ostream& err) {
  std::expected<Reached, Unreached> reached = Reach(options.where, err);
  if (!reached) {
    err << reached.error().message << "\n";
    return reached.error().exit;
  }
  static_cast<void>(reached->WaitForServers(kServersPatience));  // who is late is listed as missing
  Result<Answer> answer = ListTools(reached->client(), kTimeout);
  if (!answer) {
    const Unreached why = Explain(answer.error(), reached->url());
    err << why.message << "\n";
    return why.exit;
  }
  if (options.json) {
    out << answer->raw << "\n";
    return answer->error ? kFailed : kOk;
  }
  if (answer->error) {
    err << "error " << answer->error->code << ": " << OneLine(answer->error->message) << "\n";
    return kFailed;
  }
  const std::vector<Prefix> prefixes = PrefixesOf(reached->config());
  const json::array* tools = ToolsOf(answer->result);
  if (tools != nullptr && !tools->empty()) {
    out << ToolTable(*tools, ServersOf(answer->result, prefixes), options.width);
  } else {
    out << "no tools\n";
  }
  out << MissingServers(answer->result) << Outages(answer->result);
  return kOk;
}

}  // namespace switchyard::cli
