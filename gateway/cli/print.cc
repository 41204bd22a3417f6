#include "cli/print.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "config/problem.h"
#include "mcp/list_meta.h"

namespace switchyard::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kNearest = 3;

std::string_view StringAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return value->as_string();
}

const json::object* ObjectAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

bool IsTrue(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

// Columns of a terminal: code points, which is right for nearly all names.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string Cut(std::string text, std::size_t width) {
  if (Width(text) <= width) return text;
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) continue;
    if (++columns == width) return text.substr(0, i) + "…";
  }
  return text;
}

// C1 controls (U+0080 to U+009F) are C2 80 to C2 9F in UTF-8; some terminals obey them.
bool IsC1(std::string_view text, std::size_t at) {
  return text[at] == '\xC2' && at + 1 < text.size() && text[at + 1] >= '\x80' &&
         text[at + 1] <= '\x9F';
}

bool IsControl(char c) { return (c >= 0 && c < ' ') || c == '\x7F'; }

std::string ContentLine(const json::object& item) {
  const std::string_view type = StringAt(item, "type");
  if (type == "resource_link") return "[link] " + OneLine(StringAt(item, "uri")) + "\n";
  if (type == "resource") {
    const json::object* resource = ObjectAt(item, "resource");
    if (resource == nullptr) return "[resource]\n";
    std::string line = "[resource] " + OneLine(StringAt(*resource, "uri")) + "\n";
    if (resource->contains("text")) line += Printable(StringAt(*resource, "text")) + "\n";
    return line;
  }
  const std::size_t size = StringAt(item, "data").size();
  return "[" + OneLine(type) + "] " + OneLine(StringAt(item, "mimeType")) + ", " +
         std::to_string(size) + " characters of base64; --json shows them\n";
}

bool SaysTheSame(std::string_view text, const json::value& structured) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  return !error && parsed == structured;
}

// JSON with numbers as people write them: Boost writes 0.5 as 5E-1.
std::string Json(const json::value& value) {
  std::string out;
  if (value.is_double()) {
    const double number = value.get_double();
    const bool plain = number == 0 || (std::abs(number) >= 1e-6 && std::abs(number) < 1e15);
    return plain ? fmt::format("{}", number) : json::serialize(value);
  }
  if (value.is_array()) {
    for (const json::value& item : value.get_array()) {
      out.append(out.empty() ? "" : ",").append(Json(item));
    }
    return "[" + out + "]";
  }
  if (!value.is_object()) return json::serialize(value);
  for (const auto& [key, member] : value.get_object()) {
    out.append(out.empty() ? "" : ",").append(json::serialize(json::string(key))).append(":");
    out.append(Json(member));
  }
  return "{" + out + "}";
}

using Row = std::array<std::string, 4>;

// A line for each entry of a list in `_meta`: `head` what: reason.
std::string Reasons(const json::object& result, std::string_view list, std::string_view key,
                    std::string_view head) {
  const json::object* meta = ObjectAt(result, "_meta");
  const json::value* found = meta == nullptr ? nullptr : meta->if_contains(list);
  const json::array* entries = found == nullptr ? nullptr : found->if_array();
  std::string out;
  if (entries == nullptr) return out;
  for (const json::value& value : *entries) {
    const json::object* entry = value.if_object();
    if (entry == nullptr) continue;
    out.append(head).append(": ").append(OneLine(StringAt(*entry, key))).append(": ");
    out.append(OneLine(StringAt(*entry, "reason"))).append("\n");
  }
  return out;
}

}  // namespace

std::string OneLine(std::string_view text) {
  std::string out;
  for (const char c : Printable(text)) {
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (IsC1(text, i)) {
      ++i;
    } else if (!IsControl(text[i]) || text[i] == '\n' || text[i] == '\t') {
      out += text[i];
    }
  }
  return out;
}

std::string FirstSentence(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return "";
  text.remove_prefix(start);
  const std::string line = OneLine(text.substr(0, text.find('\n')));
  const std::size_t stop = line.find(". ");
  return stop == std::string::npos ? line : line.substr(0, stop + 1);
}

std::string Hints(const json::object& tool) {
  const json::object* annotations = ObjectAt(tool, "annotations");
  if (annotations == nullptr) return "";
  std::string out;
  const auto add = [&out](std::string_view word) {
    if (!out.empty()) out += ", ";
    out += word;
  };
  if (IsTrue(*annotations, "readOnlyHint"))
    add("read-only");
  else if (IsTrue(*annotations, "destructiveHint"))
    add("destructive");
  if (IsTrue(*annotations, "idempotentHint")) add("idempotent");
  return out;
}

std::string ServerOf(std::string_view tool, std::span<const Prefix> prefixes) {
  const Prefix* best = nullptr;
  for (const Prefix& prefix : prefixes) {
    const bool fits =
        prefix.prefix.empty() || tool.starts_with(prefix.prefix + std::string(prefix.separator));
    if (fits && (best == nullptr || prefix.prefix.size() > best->prefix.size())) best = &prefix;
  }
  if (best != nullptr) return best->server;
  const std::size_t separator = tool.find("__");
  return separator == std::string_view::npos ? "" : std::string(tool.substr(0, separator));
}

std::vector<std::string> ServersOf(const json::object& result, std::span<const Prefix> prefixes) {
  const json::value* const found = result.if_contains("tools");
  const json::array* const tools = found == nullptr ? nullptr : found->if_array();
  if (tools == nullptr) return {};
  std::vector<std::string> servers;
  servers.reserve(tools->size());
  const json::object* const meta = ObjectAt(result, "_meta");
  const json::value* const said = meta == nullptr ? nullptr : meta->if_contains(mcp::kListServers);
  if (said != nullptr && said->is_array()) {
    for (const json::value& run : said->as_array()) {
      const json::object* const entry = run.if_object();
      const json::value* const items = entry == nullptr ? nullptr : entry->if_contains("items");
      if (items == nullptr || !items->is_int64() || items->as_int64() < 0) continue;
      const std::size_t room = tools->size() - servers.size();
      servers.insert(servers.end(), std::min(room, static_cast<std::size_t>(items->as_int64())),
                     OneLine(StringAt(*entry, "server")));
    }
    if (servers.size() == tools->size()) return servers;
    servers.clear();
  }
  for (const json::value& tool : *tools) {
    const json::object* const object = tool.if_object();
    servers.push_back(object == nullptr ? "" : ServerOf(StringAt(*object, "name"), prefixes));
  }
  return servers;
}

std::string ToolTable(const json::array& tools, std::span<const std::string> servers,
                      std::size_t width) {
  std::vector<Row> rows = {{"TOOL", "SERVER", "HINTS", "DESCRIPTION"}};
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const json::object* tool = tools[i].if_object();
    if (tool == nullptr) continue;
    rows.push_back({OneLine(StringAt(*tool, "name")), i < servers.size() ? servers[i] : "",
                    Hints(*tool), FirstSentence(StringAt(*tool, "description"))});
  }
  std::array<std::size_t, 3> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      line.append(row[i]).append(widths[i] - Width(row[i]) + 2, ' ');
    }
    line += row.back();
    line.erase(line.find_last_not_of(' ') + 1);
    if (width != 0) line = Cut(std::move(line), width);
    out.append(line).append("\n");
  }
  return out;
}

std::string MissingServers(const json::object& result) {
  return Reasons(result, mcp::kListMissing, "server", "missing");
}

std::string Outages(const json::object& result) {
  return Reasons(result, mcp::kListOutages, "what", "refused");
}

std::string CallText(const json::object& result, bool plain) {
  std::string out;
  const json::value* structured = result.if_contains("structuredContent");
  const json::value* content = result.if_contains("content");
  if (content != nullptr && content->is_array()) {
    for (const json::value& value : content->as_array()) {
      const json::object* item = value.if_object();
      if (item == nullptr) continue;
      if (StringAt(*item, "type") != "text") {
        out += ContentLine(*item);
        continue;
      }
      const std::string_view text = StringAt(*item, "text");
      if (structured != nullptr && SaysTheSame(text, *structured)) continue;
      out += plain ? std::string(text) : Printable(text);
      if (!out.ends_with('\n')) out += '\n';
    }
  }
  // Serialised JSON holds no raw C0 controls; C1 ones may stand in its strings.
  if (structured != nullptr) out += Printable(Json(*structured)) + "\n";
  return out;
}

std::string ProgressText(const json::object& params) {
  const json::value* progress = params.if_contains("progress");
  if (progress == nullptr || !progress->is_number()) return "";
  const auto number = [](const json::value& value) {
    if (value.is_double()) {
      std::string text = std::to_string(value.as_double());
      text.erase(text.find_last_not_of('0') + 1);
      if (text.ends_with('.')) text.pop_back();
      return text;
    }
    return json::serialize(value);
  };
  std::string out = number(*progress);
  const json::value* total = params.if_contains("total");
  if (total != nullptr && total->is_number()) out.append("/").append(number(*total));
  const std::string message = OneLine(StringAt(params, "message"));
  if (!message.empty()) out.append(" ").append(message);
  return out;
}

std::vector<std::string> NearestTools(std::string_view word, std::span<const std::string> tools) {
  std::vector<std::string> found;
  const auto collect = [&](auto fits) {
    for (const std::string& tool : tools) {
      if (found.size() == kNearest) return;
      if (fits(tool) && std::ranges::find(found, tool) == found.end()) found.push_back(tool);
    }
  };
  const std::size_t separator = word.rfind("__");
  const std::string own(separator == std::string_view::npos ? word : word.substr(separator + 2));
  if (own.empty()) return found;
  collect([&own](const std::string& tool) { return tool == own || tool.ends_with("__" + own); });
  collect([&own](const std::string& tool) { return tool.contains(own); });
  if (const std::string_view near = config::Nearest(word, tools); !near.empty()) {
    collect([near](const std::string& tool) { return tool == near; });
  }
  return found;
}

}  // namespace switchyard::cli
