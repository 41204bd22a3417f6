// A legacy client in words: requests of a session for the edge's fixture (support.h).
#pragma once

#include "unit/edge/support.h"

namespace switchyard::edge::testing {

struct LegacyEdge : Edge {
  std::unique_ptr<Peer> peer = Connect();

  static Request Post(std::string body, const std::string& session = "") {
    Request request;
    request.body = std::move(body);
    if (!session.empty()) request.headers.emplace_back("Mcp-Session-Id", session);
    return request;
  }
  static std::string Call(std::string_view id, std::string_view meta = "",
                          std::string_view tool = "slow") {
    return R"({"jsonrpc":"2.0","id":)" + std::string(id) +
           R"(,"method":"tools/call","params":{"name":")" + std::string(tool) +
           R"(","arguments":{"a":1},"_meta":{)" + std::string(meta) + "}}}";
  }
  static std::string Plain(std::string_view method, std::string_view params = "{}",
                           std::string_view id = "5") {
    return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":")" + std::string(method) +
           R"(","params":)" + std::string(params) + "}";
  }
  static std::string Cancelled(std::string_view id) {
    return R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
           std::string(id) + "}}";
  }
  static std::string ResultFor(std::string_view raw_id, std::string_view result) {
    return R"({"jsonrpc":"2.0","id":)" + std::string(raw_id) + R"(,"result":)" +
           std::string(result) + "}";
  }

  std::optional<Answer> Ask(Peer& by, const Request& request) {
    by.Send(request.Text());
    return by.TakeAnswer();
  }
  std::string Open(std::string_view version = "2025-11-25",
                   std::string_view capabilities = R"({"roots":{}})") {
    const auto answer = Ask(
        *peer, Post(Plain("initialize", R"({"protocolVersion":")" + std::string(version) +
                                            R"(","capabilities":)" + std::string(capabilities) +
                                            R"(,"clientInfo":{"name":"agent","version":"1"}})")));
    return answer ? answer->Header("mcp-session-id") : "";
  }
  std::shared_ptr<Script> Begin(Peer& by, const Request& request) {
    const std::size_t before = service->scripts.size();
    by.Send(request.Text());
    RunUntil(context, [&] { return service->scripts.size() > before; });
    return service->scripts.back();
  }
  static Request Stream(const std::string& session, const std::string& last_event = "") {
    Request request = Post("", session);
    request.method = "GET";
    if (!last_event.empty()) request.headers.emplace_back("Last-Event-ID", last_event);
    return std::move(request).Set("Accept", "text/event-stream");
  }
};

// The events of a stream that is still open: what came so far, each as id and data.
struct SeenEvent {
  std::string id, type, data;
  bool retry = false;
};
inline std::vector<SeenEvent> EventsOf(std::string_view text) {
  std::vector<SeenEvent> events;
  SeenEvent event;
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (line.empty() && any) {
      events.push_back(std::exchange(event, {}));
      any = false;
    }
    const auto take = [&](std::string_view field, std::string& into) {
      if (!line.starts_with(field)) return;
      into = line.substr(field.size());
      any = true;
    };
    take("id: ", event.id);
    take("event: ", event.type);
    take("data: ", event.data);
    if (line == "data:") any = true;
    if (line.starts_with("retry: ")) event.retry = any = true;
  }
  return events;
}

}  // namespace switchyard::edge::testing
