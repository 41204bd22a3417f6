// What a fake MCP server says, whatever carries it: lists in pages, tools with handlers, prompts,
// resources, completion, both protocol eras, and complaints about everything the gateway should not
// have sent. FakeServer (HTTP) and fake_stdio_server (a child process) carry it, so that one list
// of sentences can be tested over every transport and era.
//
// Each request is answered by a thread of its own, which may block. Thread-safe.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/event.h"
#include "support/json.h"
#include "support/questions.h"

namespace switchyard::tests {

enum class Era { kModern, kLegacy };

class Surface;

// One request being answered. The transport derives from it; a handler speaks to it. A response is
// sent once, at the end; whoever sends none leaves the client waiting or, after Drop(), alone.
class Turn {
 public:
  // `scope` is the session, connection or channel within which ids are unique.
  Turn(Surface& surface, std::string raw, std::string scope);
  virtual ~Turn() = default;

  const std::string& raw() const { return raw_; }  // the message as it arrived
  const std::string& scope() const { return scope_; }
  std::string id() const { return json::serialize(At(message_, "/id")); }  // raw
  const json::value& message() const { return message_; }
  std::string method() const { return TextAt(message_, "/method"); }
  json::value param(std::string_view name) const;
  json::value argument(std::string_view name) const;  // of params.arguments
  std::string label() const;                          // the argument `label`
  // Whether it speaks the modern era: it says so in its own `_meta`.
  bool modern() const { return modern_; }
  Surface& surface() { return surface_; }

  // `members`: JSON members of the result without braces; what the era wants is added behind them.
  void Result(std::string_view members);
  void Text(std::string_view text);  // a tool result of one text
  void Error(int code, std::string_view message, std::string_view data = {});
  // A notification that belongs to this request. `params` are JSON members without braces.
  void Notify(std::string_view method, std::string_view params);
  void Progress(double progress, double total);  // only when a token was given

  // Blocks until `event`. False: the client cancelled, or the server stops.
  bool Wait(const Event& event);
  bool WaitUnhurried(const Event& event);  // not within kPatience: for what may last
  void NeverAnswer();                      // blocks until cancelled
  void Cancel() { cancelled_.Set(); }
  bool cancelled() const { return cancelled_.IsSet(); }

  // The ways of a transport.
  virtual void Send(std::string message) = 0;               // before the response
  virtual void Finish(std::string response, int code) = 0;  // code: of an error, 0 = a result
  virtual void Bytes(std::string bytes) = 0;     // in place of a message: an HTTP body, a line
  virtual void Verbatim(std::string bytes) = 0;  // the same without what goes around it
  virtual void Drop() = 0;                       // closes the connection, ends the process
  virtual void HalfClose() = 0;                  // says nothing more, still reads

 protected:
  virtual int socket() const { return -1; }  // whose end means "cancelled"; -1 = has none

 private:
  int WaitFor(const Event& event, std::chrono::milliseconds patience);

  Surface& surface_;
  const std::string raw_, scope_;
  const json::value message_;
  const bool modern_;
  Event cancelled_;
};

using Handler = std::function<void(Turn&)>;

class Surface {
 public:
  // `name` tells servers apart in texts and URIs. Comes with the tools of standard_tools.h.
  explicit Surface(std::string name);

  const std::string& name() const { return name_; }

  // `members`: more JSON members of the tool's definition, such as an inputSchema of its own.
  void AddTool(const std::string& tool, Handler handler, std::string members = {});
  void RemoveTool(const std::string& tool);
  void SetPageSize(std::size_t items) { page_size_ = items; }
  // Answers a method otherwise than by itself; a null handler takes that back.
  void OnMethod(const std::string& method, Handler handler);
  // What a list page says in place of its own next cursor; "" = nothing special.
  void SetCursor(std::function<std::string(std::string cursor)> next);
  // Tells every listener (list_changed).
  void Changed(std::string_view kind);  // "tools", "prompts", "resources"
  // Tells whoever subscribed to it, or to what it is a part of (surface_subscribe.cc).
  void Updated(const std::string& uri);

  // Events by name, made on first use; see standard_tools.h.
  Event& Named(const std::string& name);

  // Takes a request in (Begin, on the thread that reads, so that a cancellation behind it finds it)
  // and answers it (Serve, on any).
  void Begin(Turn& turn);
  void Serve(Turn& turn);
  void OnNotification(const json::value& message, const std::string& scope);
  void Speak(bool modern, bool legacy);  // both at first
  bool speaks(Era era) const;

  // What a stream tells: changes of lists, by kind, and updates of these URIs or of all that the
  // session (a legacy one) subscribed to.
  struct Interest {
    std::set<std::string> kinds, uris;
    std::optional<std::string> session = {};
  };
  // Of a modern client's filter: all but URIs that end in "/three". And how that is acknowledged.
  static Interest Honoured(const json::value& filter);
  static std::string Acknowledgement(const Interest& interest);
  // Answers a modern listen, until it is cancelled.
  void ListenModern(Turn& turn);
  // Tells the turn of them until it is cancelled. `params`: JSON members that all of these
  // notifications carry.
  // `acknowledge` is called when nothing is missed any more.
  void Listen(Turn& turn, Interest interest, std::string_view params,
              const std::function<void()>& acknowledge = {});
  // For transports with one channel for everything (legacy stdio): whole notifications.
  void OnChange(std::function<void(std::string notification)> tell);

  Questions& questions() { return questions_; }
  // The capabilities that a legacy session was told of.
  std::string TellsOf(const std::string& scope) const;

  void Complain(std::string what);
  std::vector<std::string> complaints() const;
  // Methods of the requests and notifications that came, in order.
  std::vector<std::string> methods() const;

  // Wakes everything that waits; nothing is served after it.
  void Stop() { stopping_.Set(); }
  const Event& stopping() const { return stopping_; }

 private:
  friend class Turn;
  struct Tool {
    std::string definition;
    Handler run;
  };
  struct Listener {
    Interest interest;
    std::deque<std::pair<std::string, std::string>> news;  // method, members of its params
    Event wake;
  };

  void Register(Turn& turn);
  void Forget(Turn& turn);
  void Check(const Turn& turn);
  void Dispatch(Turn& turn);
  void Discover(Turn& turn);
  void Initialize(Turn& turn);
  void List(Turn& turn, std::string_view key);
  void CallTool(Turn& turn);
  void GetPrompt(Turn& turn);
  void ReadResource(Turn& turn);
  void Complete(Turn& turn);
  void Subscribe(Turn& turn);
  bool IsSubscribed(const std::string& session, const std::string& uri) const;
  std::vector<std::string> ItemsOf(std::string_view key) const;

  const std::string name_;
  Event stopping_;
  Questions questions_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Tool> tools_;
  std::map<std::string, Handler> overrides_;
  std::function<std::string(std::string)> cursor_;
  std::map<std::string, std::unique_ptr<Event>> events_;
  std::set<Listener*> listeners_;
  std::set<std::pair<std::string, std::string>> subscribed_;  // legacy: scope and URI
  std::function<void(std::string)> on_change_;
  std::map<std::string, std::string> told_;      // by scope
  std::multimap<std::string, Turn*> in_flight_;  // by scope and id
  std::set<std::string> tokens_;                 // scope and progress token, in flight
  std::set<std::string> used_ids_, sessions_;    // legacy: scope and id; scopes that initialized
  std::vector<std::string> complaints_, methods_;
  bool modern_ = true, legacy_ = true;
  std::atomic<std::size_t> page_size_ = 2;
};

}  // namespace switchyard::tests
