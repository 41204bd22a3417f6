// MCP clients for tests, blocking, of both eras, byte-exact: what they send is written by the test,
// and what comes back is kept as it came.
//
//   ModernClient client(port);
//   EXPECT_EQ(client.Call("a__echo", R"({"text":"x"})").text(), "x");
//   Exchange call = client.BeginCall("a__hold", R"({"label":"l"})");   // on a connection of its
//   own client.Cancel(call);
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/json.h"
#include "support/surface.h"
#include "support/wire.h"

namespace switchyard::tests {

struct Answer {
  int status = 0;  // 0: the connection broke before an answer
  Headers headers = {};
  std::string body = {};                 // the response message as it came, "" = none
  std::vector<std::string> events = {};  // what came before it on its stream
  bool streamed = false;
  bool complete = false;  // ended as HTTP wants it

  json::value message() const { return Parse(body); }
  json::value at(std::string_view pointer) const { return At(message(), pointer); }
  std::string text() const { return TextAt(message(), "/result/content/0/text"); }
  int code() const;  // of the error, 0 = no error
  bool Contains(std::string_view bytes) const { return body.find(bytes) != std::string::npos; }
};

// For messages of failed expectations.
std::ostream& operator<<(std::ostream& out, const Answer& answer);

// One request under way, on a connection of its own.
class Exchange {
 public:
  Exchange(Wire wire, std::string id) : wire_(std::move(wire)), id_(std::move(id)) {}

  const std::string& id() const { return id_; }  // raw
  Wire& wire() { return wire_; }

  // Waits for the headers. 0: there were none.
  int status();
  const Headers& headers();
  // The next message of the stream, the response included; nullopt at its end.
  std::optional<std::string> NextEvent();
  bool ended() const { return events_ && events_->ended(); }  // the stream, in order
  bool saw_event_ids() const { return events_ && events_->saw_id(); }
  Answer Finish();
  void Abandon() { wire_.Close(); }

 private:
  void ReadHeaders();

  Wire wire_;
  std::string id_;
  bool read_ = false;
  std::optional<Head> head_;
  std::optional<EventStream> events_;
};

// A request as a test words it.
struct Ask {
  std::string method;
  std::string members = {};  // JSON members of params, without braces
  std::string meta = {};     // JSON members of params._meta
  std::string id = {};       // raw JSON; "" = the next number
  std::map<std::string, std::optional<std::string>> headers = {};  // nullopt leaves one out
};

class Client {
 public:
  // `token`: what it says with every request of who it is, "" = nothing.
  Client(std::uint16_t port, std::string path, std::string token = {})
      : port_(port), path_(std::move(path)), token_(std::move(token)) {}
  Client(Client&&) = default;
  virtual ~Client() = default;

  virtual Era era() const = 0;
  bool modern() const { return era() == Era::kModern; }
  // What the era's clients do: close the connection, or say so.
  virtual void Cancel(Exchange& exchange) = 0;

  Answer Request(Ask ask);  // on the connection that is kept
  Exchange Begin(Ask ask);  // on a new one
  Answer Call(std::string_view tool, std::string_view arguments = "{}", std::string meta = {});
  Exchange BeginCall(std::string_view tool, std::string_view arguments = "{}",
                     std::string meta = {});
  // The whole list, page by page: `member` of each item of result.<key>.
  std::vector<std::string> List(const std::string& method, std::string_view key,
                                std::string_view member = "name");
  std::vector<std::string> Tools() { return List("tools/list", "tools"); }

  // A body as it is, under the headers that `ask` would get.
  Answer Post(std::string_view body, Ask ask);
  // A request by hand: a request line and headers are the test's too.
  Answer Raw(std::string_view bytes);
  Wire Connect() const { return Wire::Connect(port_); }
  std::string Text(const Ask& ask) const;  // a whole HTTP request, with what `ask` says
  const std::string& path() const { return path_; }
  void set_token(std::string token) { token_ = std::move(token); }
  // For a test in which hours pass: an idle connection is closed meanwhile, sooner or later.
  void HangUp() { kept_.Close(); }
  int connections() const { return connections_; }  // that were kept, one after the other

 protected:
  virtual std::string Body(const Ask& ask) const = 0;
  virtual Headers HeadersFor(const Ask& ask) const = 0;
  std::string Wrap(std::string_view body, const Ask& ask, std::string_view verb = "POST") const;
  Answer Transact(const std::string& request);

 private:
  std::uint16_t port_;
  std::string path_, token_;
  Wire kept_;
  int connections_ = 0;
  int next_id_ = 1;
};

class ModernClient final : public Client {
 public:
  explicit ModernClient(std::uint16_t port, std::string path = "/mcp", std::string token = {})
      : Client(port, std::move(path), std::move(token)) {}
  Era era() const override { return Era::kModern; }
  void Cancel(Exchange& exchange) override { exchange.Abandon(); }

  // What it says that servers may ask of it, raw JSON ClientCapabilities.
  void set_capabilities(std::string raw) { capabilities_ = std::move(raw); }

  // `filter`: JSON members of params.notifications. The acknowledgement has been read.
  Exchange Listen(std::string_view filter, std::string id = "\"listen\"");

 protected:
  std::string Body(const Ask& ask) const override;
  Headers HeadersFor(const Ask& ask) const override;

 private:
  std::string capabilities_ = "{}";
};

class LegacyClient final : public Client {
 public:
  // Says initialize and initialized at once.
  explicit LegacyClient(std::uint16_t port, std::string path = "/mcp",
                        std::string version = "2025-11-25", std::string token = {});
  Era era() const override { return Era::kLegacy; }
  void Cancel(Exchange& exchange) override;

  const Answer& initialized() const { return initialized_; }
  const std::string& session() const { return session_; }
  void set_session(std::string session) { session_ = std::move(session); }

  Answer Notify(std::string_view method, std::string_view params = "{}");
  Exchange OpenStream();  // its headers have been read
  Answer EndSession();

 protected:
  std::string Body(const Ask& ask) const override;
  Headers HeadersFor(const Ask& ask) const override;

 private:
  std::string version_, session_;
  Answer initialized_;
};

}  // namespace switchyard::tests
