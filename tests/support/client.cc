#include "support/client.h"

#include <ostream>
#include <utility>

namespace switchyard::tests {
namespace {

// What follows the head; `begun`: the stream, when some of it was read before.
Answer Collect(Wire& wire, const Head& head, std::optional<EventStream> begun = {}) {
  Answer answer{.status = head.status(), .headers = head.headers};
  answer.streamed = head.Get("content-type").starts_with("text/event-stream");
  if (!answer.streamed) {
    std::optional<std::string> body = ReadBody(wire, head, true);
    answer.complete = body.has_value();
    answer.body = body.value_or("");
    return answer;
  }
  EventStream events = begun ? std::move(*begun) : EventStream(head);
  while (std::optional<std::string> event = events.Next(wire)) {
    answer.events.push_back(std::move(*event));
  }
  answer.complete = events.ended();
  if (answer.events.empty()) return answer;
  const json::value last = Parse(answer.events.back());
  if (!At(last, "/method").is_null()) return answer;
  answer.body = std::move(answer.events.back());
  answer.events.pop_back();
  return answer;
}

std::string Joined(const std::string& members, const std::string& more) {
  if (members.empty() || more.empty()) return members + more;
  return members + "," + more;
}

std::string RequestBody(const Ask& ask, const std::string& params) {
  return R"({"jsonrpc":"2.0","id":)" + ask.id + R"(,"method":)" + Quote(ask.method) +
         (params.empty() ? std::string() : R"(,"params":{)" + params + "}") + "}";
}

std::string Meta(const std::string& members) {
  return members.empty() ? std::string() : R"("_meta":{)" + members + "}";
}

}  // namespace

int Answer::code() const {
  const json::value code = at("/error/code");
  return code.is_int64() ? static_cast<int>(code.as_int64()) : 0;
}

std::ostream& operator<<(std::ostream& out, const Answer& answer) {
  out << "HTTP " << answer.status << (answer.complete ? "" : " (cut off)") << " "
      << answer.body.substr(0, 2000);
  for (const std::string& event : answer.events) out << "\n  before: " << event.substr(0, 500);
  return out;
}

void Exchange::ReadHeaders() {
  if (std::exchange(read_, true)) return;
  head_ = ReadHead(wire_);
  if (head_ && head_->Get("content-type").starts_with("text/event-stream")) {
    events_.emplace(*head_);
  }
}

int Exchange::status() {
  ReadHeaders();
  return head_ ? head_->status() : 0;
}

const Headers& Exchange::headers() {
  static const Headers kNone;
  ReadHeaders();
  return head_ ? head_->headers : kNone;
}

std::optional<std::string> Exchange::NextEvent() {
  ReadHeaders();
  return events_ ? events_->Next(wire_) : std::nullopt;
}

Answer Exchange::Finish() {
  ReadHeaders();
  if (!head_) return {};
  return Collect(wire_, *head_, std::move(events_));
}

std::string Client::Wrap(std::string_view body, const Ask& ask, std::string_view verb) const {
  Headers headers = HeadersFor(ask);
  headers["host"] = "127.0.0.1:" + std::to_string(port_);
  headers["accept"] = "application/json, text/event-stream";
  if (!token_.empty()) headers["authorization"] = "Bearer " + token_;
  if (verb == "POST") {
    headers["content-type"] = "application/json";
    headers["content-length"] = std::to_string(body.size());
  }
  for (const auto& [name, value] : ask.headers) {
    value ? headers.insert_or_assign(name, *value).second : headers.erase(name);
  }
  std::string text = std::string(verb) + " " + path_ + " HTTP/1.1\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  return text.append("\r\n").append(body);
}

std::string Client::Text(const Ask& ask) const { return Wrap(Body(ask), ask); }

// Never sends twice: a test that kills a server wants one victim.
Answer Client::Transact(const std::string& request) {
  const bool stale = kept_.open() && WaitForAny({Gone(kept_.fd())}, {}) == 0;
  if (stale || !kept_.open()) {
    kept_ = Connect();
    ++connections_;
  }
  if (!kept_.open()) return {};
  kept_.Write(request);  // an early answer may come to a request that could not be sent whole
  const std::optional<Head> head = ReadHead(kept_);
  if (!head) {
    kept_.Close();
    return {};
  }
  Answer answer = Collect(kept_, *head);
  if (!answer.complete || head->Get("connection") == "close") kept_.Close();
  return answer;
}

Answer Client::Raw(std::string_view bytes) { return Transact(std::string(bytes)); }

Answer Client::Post(std::string_view body, Ask ask) { return Transact(Wrap(body, ask)); }

Answer Client::Request(Ask ask) {
  if (ask.id.empty()) ask.id = std::to_string(next_id_++);
  return Transact(Text(ask));
}

Exchange Client::Begin(Ask ask) {
  if (ask.id.empty()) ask.id = std::to_string(next_id_++);
  Wire wire = Connect();
  wire.Write(Text(ask));
  return Exchange(std::move(wire), ask.id);
}

Answer Client::Call(std::string_view tool, std::string_view arguments, std::string meta) {
  const std::string members =
      R"("name":)" + Quote(tool) + R"(,"arguments":)" + std::string(arguments);
  return Request({.method = "tools/call", .members = members, .meta = std::move(meta)});
}

Exchange Client::BeginCall(std::string_view tool, std::string_view arguments, std::string meta) {
  const std::string members =
      R"("name":)" + Quote(tool) + R"(,"arguments":)" + std::string(arguments);
  return Begin({.method = "tools/call", .members = members, .meta = std::move(meta)});
}

std::vector<std::string> Client::List(const std::string& method, std::string_view key,
                                      std::string_view member) {
  std::vector<std::string> all;
  std::string cursor;
  do {
    const Answer page = Request({.method = method, .members = cursor});
    const json::value items = page.at("/result/" + std::string(key));
    for (std::string& name : Each(items, member)) all.push_back(std::move(name));
    const std::string next = TextAt(page.message(), "/result/nextCursor");
    cursor = next.empty() ? "" : R"("cursor":)" + Quote(next);
  } while (!cursor.empty());
  return all;
}

std::string ModernClient::Body(const Ask& ask) const {
  const std::string meta = R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                           R"("io.modelcontextprotocol/clientCapabilities":)" +
                           capabilities_ +
                           R"(,)"
                           R"("io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"})";
  return RequestBody(ask, Joined(ask.members, Meta(Joined(meta, ask.meta))));
}

Headers ModernClient::HeadersFor(const Ask& ask) const {
  Headers headers = {{"mcp-protocol-version", "2026-07-28"}, {"mcp-method", ask.method}};
  const json::value params = Parse("{" + ask.members + "}");
  if (ask.method == "tools/call" || ask.method == "prompts/get") {
    headers["mcp-name"] = TextAt(params, "/name");
  } else if (ask.method == "resources/read") {
    headers["mcp-name"] = TextAt(params, "/uri");
  } else if (ask.method.starts_with("tasks/")) {
    headers["mcp-name"] = TextAt(params, "/taskId");
  }
  return headers;
}

Exchange ModernClient::Listen(std::string_view filter, std::string id) {
  Exchange stream = Begin({.method = "subscriptions/listen",
                           .members = R"("notifications":{)" + std::string(filter) + "}",
                           .id = std::move(id)});
  stream.NextEvent();
  return stream;
}

LegacyClient::LegacyClient(std::uint16_t port, std::string path, std::string version,
                           std::string token)
    : Client(port, std::move(path), std::move(token)), version_(std::move(version)) {
  initialized_ =
      Request({.method = "initialize",
               .members = R"("protocolVersion":")" + version_ +
                          R"(","capabilities":{},"clientInfo":{"name":"test","version":"1"})"});
  const auto session = initialized_.headers.find("mcp-session-id");
  if (session != initialized_.headers.end()) session_ = session->second;
  version_ = TextAt(initialized_.message(), "/result/protocolVersion");
  Notify("notifications/initialized");
}

std::string LegacyClient::Body(const Ask& ask) const {
  return RequestBody(ask, Joined(ask.members, Meta(ask.meta)));
}

Headers LegacyClient::HeadersFor(const Ask& ask) const {
  if (ask.method == "initialize") return {};
  return {{"mcp-session-id", session_}, {"mcp-protocol-version", version_}};
}

Answer LegacyClient::Notify(std::string_view method, std::string_view params) {
  const std::string body =
      R"({"jsonrpc":"2.0","method":)" + Quote(method) + R"(,"params":)" + std::string(params) + "}";
  return Post(body, {.method = std::string(method)});
}

void LegacyClient::Cancel(Exchange& exchange) {
  Notify("notifications/cancelled", R"({"requestId":)" + exchange.id() + "}");
}

Exchange LegacyClient::OpenStream() {
  Wire wire = Connect();
  wire.Write(Wrap("", {.method = "", .headers = {{"accept", "text/event-stream"}}}, "GET"));
  Exchange stream(std::move(wire), "");
  stream.status();
  return stream;
}

Answer LegacyClient::EndSession() { return Transact(Wrap("", {.method = ""}, "DELETE")); }

}  // namespace switchyard::tests
