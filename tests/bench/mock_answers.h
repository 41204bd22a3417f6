#pragma once

// What the mock MCP server answers, without any I/O: the spans of a request that matter, and the
// answers, built once at start. A request only contributes its id, which is copied byte for byte.
// Everything here is used by one thread.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace bench {

struct MockOptions {
  int port = -1;
  bool stdio = false;
  bool modern = true;
  bool legacy = true;
  int tools = 100;
  std::size_t reply_bytes = 200;
};

// ---- Requests: the three spans of a message that decide the answer

struct Request {
  std::string_view id;  // raw JSON token, empty for a notification
  std::string_view method;
  std::string_view tool;
};

// Walks one JSON text without building anything. The text is assumed to be valid; on rubbish it
// stops at the end of the buffer instead of reading past it.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // Calls visit(key, raw value) for each member of the object at the cursor.
  template <class Visit>
  void Members(Visit visit) {
    if (!Eat('{')) return;
    while (pos_ < text_.size() && Peek() == '"') {
      const std::string_view key = Unquote(Value());
      if (!Eat(':')) return;
      visit(key, Value());
      if (!Eat(',')) return;
      SkipSpace();
    }
  }

  static std::string_view Unquote(std::string_view raw) {
    return raw.size() >= 2 && raw.front() == '"' ? raw.substr(1, raw.size() - 2) : raw;
  }

 private:
  char Peek() {
    SkipSpace();
    return pos_ < text_.size() ? text_[pos_] : '\0';
  }
  bool Eat(char c) {
    if (Peek() != c) return false;
    ++pos_;
    SkipSpace();
    return true;
  }
  void SkipSpace() {
    while (pos_ < text_.size() && static_cast<unsigned char>(text_[pos_]) <= ' ') ++pos_;
  }
  void SkipString() {
    for (++pos_; pos_ < text_.size() && text_[pos_] != '"'; ++pos_) {
      if (text_[pos_] == '\\') ++pos_;
    }
    ++pos_;
  }
  std::string_view Value() {
    SkipSpace();
    const std::size_t start = pos_;
    for (int depth = 0; pos_ < text_.size();) {
      const char c = text_[pos_];
      const bool closes = c == '}' || c == ']';
      if (depth == 0 && (closes || c == ',')) break;
      if (c == '"') {
        SkipString();
      } else {
        depth += (c == '{' || c == '[') ? 1 : closes ? -1 : 0;
        ++pos_;
      }
      if (depth == 0 && (closes || c == '"')) break;
    }
    pos_ = std::min(pos_, text_.size());
    std::string_view raw = text_.substr(start, pos_ - start);
    while (!raw.empty() && static_cast<unsigned char>(raw.back()) <= ' ') raw.remove_suffix(1);
    return raw;
  }

  std::string_view text_;
  std::size_t pos_ = 0;
};

inline Request ParseRequest(std::string_view body) {
  Request request;
  Scanner(body).Members([&](std::string_view key, std::string_view value) {
    if (key == "id") request.id = value;
    if (key == "method") request.method = Scanner::Unquote(value);
    if (key != "params") return;
    Scanner(value).Members([&](std::string_view inner, std::string_view name) {
      if (inner == "name") request.tool = Scanner::Unquote(name);
    });
  });
  return request;
}

// ---- Answers

struct Answer {
  int status = 200;
  bool opens_session = false;
  std::string_view tail = {};  // everything after the id; static for the life of the process
};

// The start of every body, up to the id.
inline constexpr std::string_view kHead = R"({"jsonrpc":"2.0","id":)";

// Every answer this server can give. Immutable after construction.
class Answers {
 public:
  explicit Answers(const MockOptions& options) : options_(options) {
    const std::string type = options.modern ? R"("resultType":"complete",)" : "";
    const std::string cache = options.modern ? R"("ttlMs":3600000,"cacheScope":"public",)" : "";
    const std::string info = R"({"name":"bench-mock","version":"1"})";
    discover_ = R"(,"result":{)" + type + cache + R"("supportedVersions":["2026-07-28"],)" +
                R"("capabilities":{"tools":{}},)" +
                R"("_meta":{"io.modelcontextprotocol/serverInfo":)" + info + "}}}";
    initialize_ = R"(,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},)"
                  R"("serverInfo":)" +
                  info + "}}";
    list_ = R"(,"result":{)" + type + cache + R"("tools":[)" + ToolList(options.tools) + "]}}";
    small_ = Text(type, 200);
    medium_ = Text(type, 10 << 10);
    large_ = Text(type, 1 << 20);
    other_ = Text(type, options.reply_bytes);
  }

  Answer For(const Request& request) const {
    const std::string_view method = request.method;
    if (request.id.empty()) return {.status = 202};
    if (method == "tools/call") return {.tail = Tool(request.tool)};
    if (method == "tools/list") return {.tail = list_};
    if (method == "server/discover" && options_.modern) return {.tail = discover_};
    if (method == "initialize" && options_.legacy) {
      return {.opens_session = true, .tail = initialize_};
    }
    if (method == "ping" && options_.legacy) return {.tail = R"(,"result":{}})"};
    // A modern server says 404 here, a legacy one 200: clients find out the era this way.
    return {.status = options_.modern ? 404 : 200,
            .tail = R"(,"error":{"code":-32601,"message":"method not found"}})"};
  }

 private:
  static std::string ToolList(int count) {
    static constexpr const char* kNames[] = {"small", "medium", "large"};
    std::string out;
    for (int i = 0; i < count; ++i) {
      const std::string name = i < 3 ? kNames[i] : "tool_" + std::to_string(i);
      if (i > 0) out += ',';
      out += R"({"name":")" + name + R"(","description":"Returns a text of a fixed size; number )" +
             std::to_string(i) +
             R"( of this server","inputSchema":{"type":"object","properties":)" +
             R"({"query":{"type":"string","description":"what to look for"},)" +
             R"("limit":{"type":"integer","minimum":1}},"required":["query"]}})";
    }
    return out;
  }

  // A call's result; the whole message has `bytes` bytes when its id has six digits.
  static std::string Text(const std::string& type, std::size_t bytes) {
    const std::string open = R"(,"result":{)" + type + R"("content":[{"type":"text","text":")";
    const std::string close = R"("}]}})";
    const std::size_t fixed = kHead.size() + 6 + open.size() + close.size();
    return open + std::string(bytes > fixed ? bytes - fixed : 1, 'x') + close;
  }

  std::string_view Tool(std::string_view name) const {
    if (name == "small") return small_;
    if (name == "medium") return medium_;
    if (name == "large") return large_;
    return other_;
  }

  const MockOptions options_;
  std::string discover_, initialize_, list_, small_, medium_, large_, other_;
};

}  // namespace bench
