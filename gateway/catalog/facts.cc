#include "catalog/facts.h"

#include <algorithm>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "mcp/tasks.h"

namespace switchyard::catalog {
namespace {

constexpr std::size_t kMaxPerServer = 4 * 1024;
constexpr std::size_t kMaxInAll = 32 * 1024;

// At most `limit` bytes, never half a UTF-8 character.
std::string_view Cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// TASKX: an extension of the modern era; L-TASK: a capability of 2025-11-25 alone.
void AddTasks(mcp::Version version, boost::json::object& out) {
  const boost::json::object empty;
  if (mcp::IsModern(version)) {
    out["extensions"] = boost::json::object{{mcp::kTasksExtension, empty}};
  } else if (version == mcp::Version::k2025_11_25) {
    const boost::json::object call = {{"call", empty}};
    const boost::json::object tools = {{"tools", call}};
    out["tasks"] = boost::json::object{{"list", empty}, {"cancel", empty}, {"requests", tools}};
  }
}

bool IsTrue(const boost::json::value* value) {
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace

void Offer::Add(std::string_view capabilities_json) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(capabilities_json, error);
  if (error || !value.is_object()) return;
  const boost::json::object& server = value.get_object();
  tools |= server.contains("tools");
  prompts |= server.contains("prompts");
  resources |= server.contains("resources");
  completions |= server.contains("completions");
  logging |= server.contains("logging");
  tasks |= mcp::DeclaresTasks(capabilities_json);
  const boost::json::value* own = server.if_contains("resources");
  if (own != nullptr && own->is_object()) {
    subscribe |= IsTrue(own->get_object().if_contains("subscribe"));
  }
}

void Offer::Add(const Offer& other) {
  tools |= other.tools;
  prompts |= other.prompts;
  resources |= other.resources;
  subscribe |= other.subscribe;
  completions |= other.completions;
  logging |= other.logging;
  tasks |= other.tasks;
}

bool Offer::Has(std::string_view capability) const {
  if (capability.empty()) return true;
  if (capability == "tools") return tools;
  if (capability == "prompts") return prompts;
  if (capability == "resources") return resources;
  if (capability == "resources.subscribe") return subscribe;
  if (capability == "completions") return completions;
  if (capability == "logging") return logging;
  if (capability == "tasks") return tasks;
  return false;
}

std::string Offer::ToJson(mcp::Version version) const {
  const boost::json::object changes = {{"listChanged", true}};
  boost::json::object out;
  if (tools) out["tools"] = changes;
  if (prompts) out["prompts"] = changes;
  if (resources) {
    boost::json::object own = changes;
    if (subscribe) own["subscribe"] = true;
    out["resources"] = std::move(own);
  }
  if (completions && version >= mcp::Version::k2025_03_26) {
    out["completions"] = boost::json::object();
  }
  if (logging) out["logging"] = boost::json::object();
  if (tasks) AddTasks(version, out);
  return boost::json::serialize(out);
}

std::string MergeInstructions(
    std::string_view header,
    const std::vector<std::pair<std::string_view, std::string_view>>& by_server, bool transparent) {
  std::string out(Cut(Trim(header), kMaxPerServer));
  for (const auto& [server, instructions] : by_server) {
    const std::string_view text =
        transparent ? instructions : Cut(Trim(instructions), kMaxPerServer);
    if (text.empty()) continue;
    if (transparent && out.empty()) {
      out = text;
      continue;
    }
    const std::size_t size = out.size() + server.size() + text.size() + 6;
    if (size > kMaxInAll) break;
    if (!out.empty()) out += "\n\n";
    out.append("# ").append(server).append("\n").append(text);
  }
  return out;
}

}  // namespace switchyard::catalog
