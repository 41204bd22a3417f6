// An event stream of a legacy session with all that a client needs to come back for it: read apart
// from EventStream (wire.h), which knows data alone.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "support/client.h"

namespace switchyard::tests {

struct StreamEvent {
  std::string id, type, data, retry;
};

class ResumableStream {
 public:
  explicit ResumableStream(Wire wire) : wire_(std::move(wire)), head_(ReadHead(wire_)) {}

  int status() const { return head_ ? head_->status() : 0; }
  // nullopt: the end.
  std::optional<StreamEvent> Next() {
    StreamEvent event;
    bool any = false;
    while (std::optional<std::string> line = Line()) {
      if (line->empty()) {
        if (std::exchange(any, false)) return event;
        continue;
      }
      const std::size_t colon = line->find(':');
      if (colon == 0) continue;  // a comment
      const std::string name = line->substr(0, colon);
      std::string value = colon == std::string::npos ? "" : line->substr(colon + 1);
      if (value.starts_with(' ')) value.erase(0, 1);
      any = true;
      if (name == "id") event.id = value;
      if (name == "event") event.type = value;
      if (name == "data") event.data = value;
      if (name == "retry") event.retry = value;
    }
    return std::nullopt;
  }
  // The next event that says something.
  StreamEvent NextMessage() {
    std::optional<StreamEvent> event = Next();
    while (event && event->data.empty()) event = Next();
    return event.value_or(StreamEvent());
  }
  std::string Body() { return head_ ? ReadBody(wire_, *head_, true).value_or("") : ""; }
  void Close() { wire_.Close(); }

 private:
  std::optional<std::string> Line() {
    std::size_t end;
    while ((end = text_.find('\n')) == std::string::npos) {
      const std::optional<std::string> size = wire_.ReadLine();
      if (!size || size->empty()) return std::nullopt;
      const std::size_t count = std::stoul(*size, nullptr, 16);
      const std::optional<std::string> chunk = wire_.ReadExactly(count);
      wire_.ReadLine();
      if (!chunk || count == 0) return std::nullopt;
      text_ += *chunk;
    }
    std::string line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return line;
  }

  Wire wire_;
  std::optional<Head> head_;
  std::string text_;
};

inline ResumableStream BeginResumable(LegacyClient& client, const std::string& tool,
                                      const std::string& arguments = "{}") {
  Wire wire = client.Connect();
  wire.Write(client.Text({.method = "tools/call",
                          .members = R"("name":)" + Quote(tool) + R"(,"arguments":)" + arguments,
                          .meta = R"("progressToken":"p")",
                          .id = "77"}));
  return ResumableStream(std::move(wire));
}

// GET; `last` "" = a new stream of the session.
inline ResumableStream OpenResumable(LegacyClient& client, const std::string& last = "") {
  Wire wire = client.Connect();
  wire.Write("GET " + client.path() + " HTTP/1.1\r\nHost: localhost\r\n" +
             "Accept: text/event-stream\r\nMcp-Session-Id: " + client.session() + "\r\n" +
             (last.empty() ? "" : "Last-Event-ID: " + last + "\r\n") + "\r\n");
  return ResumableStream(std::move(wire));
}

}  // namespace switchyard::tests
