#include "downstream/tool_list.h"

#include <utility>
#include <vector>

#include "mcp/json_string.h"
#include "mcp/json_tokens.h"

namespace switchyard::downstream {
namespace {

constexpr int kMaxDepth = 1024;

// One tool as spans of its members.
struct Tool {
  std::string_view raw;
  std::string kept;  // members without `execution`
  bool has_execution = false;
  std::string_view name;  // raw
};

class Scan {
 public:
  Scan(std::string_view text, const mcp::JsonTokens& tokens) : text_(text), tokens_(tokens) {}

  // False: not an array of objects.
  bool Read(std::vector<Tool>& tools) {
    if (tokens_.size() == 0 || tokens_.at(0) != '[') return false;
    std::size_t i = 1;
    while (i < tokens_.size() && tokens_.at(i) != ']') {
      Tool tool;
      const std::size_t next = tokens_.Skip(i, kMaxDepth);
      if (next == 0 || tokens_.at(i) != '{') return false;
      tool.raw = Text(i, next);
      if (!ReadMembers(i, tool)) return false;
      tools.push_back(std::move(tool));
      i = tokens_.at(next) == ',' ? next + 1 : next;
    }
    return true;
  }

 private:
  std::string_view Text(std::size_t from, std::size_t to) const {
    return text_.substr(tokens_.begin(from), tokens_.EndBefore(to) - tokens_.begin(from));
  }

  bool ReadMembers(std::size_t i, Tool& tool) {
    ++i;
    while (i + 2 < tokens_.size() && tokens_.at(i) == '"') {
      const std::size_t next = tokens_.Skip(i + 2, kMaxDepth);
      if (next == 0) return false;
      const std::string_view key = Text(i, i + 1);
      if (key == "\"name\"") tool.name = Text(i + 2, next);
      if (key == "\"execution\"") {
        tool.has_execution = true;
      } else {
        tool.kept.append(tool.kept.empty() ? "" : ",").append(Text(i, next));
      }
      i = tokens_.at(next) == ',' ? next + 1 : next;
    }
    return tokens_.at(i) == '}';
  }

  std::string_view text_;
  const mcp::JsonTokens& tokens_;
};

std::vector<Tool> ReadTools(const std::string& text) {
  std::vector<Tool> tools;
  const auto tokens = mcp::JsonTokens::Find(text);
  if (!tokens || !Scan(text, *tokens).Read(tools)) return {};
  return tools;
}

}  // namespace

std::optional<std::string> WithoutExecution(std::string_view tools) {
  if (!tools.contains("\"execution\"")) return std::nullopt;
  const std::string text(tools);  // the scanner wants a readable byte behind it
  const std::vector<Tool> read = ReadTools(text);
  if (read.empty()) return std::nullopt;
  std::string cleaned = "[";
  for (const Tool& tool : read) {
    if (cleaned.size() > 1) cleaned += ',';
    if (tool.has_execution) {
      cleaned.append("{").append(tool.kept).append("}");
    } else {
      cleaned.append(tool.raw);
    }
  }
  return cleaned + "]";
}

std::optional<std::string> ToolNamed(std::string_view tools, std::string_view name) {
  const std::string text(tools);
  for (const Tool& tool : ReadTools(text)) {
    if (mcp::Unquote(tool.name) == name) return std::string(tool.raw);
  }
  return std::nullopt;
}

}  // namespace switchyard::downstream
