// One session with a server of 2024-11-05 over HTTP+SSE: the stream that a GET opened, and the
// POSTs to the address that its first event named. Every message of the server comes on the stream,
// which all requests share (exchanges.h); a POST only says whether it was taken. The session ends
// with its stream and cannot be resumed.
//
// A POST is on its way in the background while its request waits for the answer: there are servers
// that take a POST only when they have answered it. Lives on one worker's thread; kept alive by its
// transport and its own tasks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mailbox.h"
#include "config/config.h"
#include "core/deps.h"
#include "downstream/exchanges.h"
#include "downstream/flood_watch.h"
#include "downstream/http.h"
#include "downstream/rubbish_count.h"

namespace switchyard::downstream {

struct SseLimits {
  Exchanges::Limits exchanges;
  std::size_t unsent = 64 * 1024 * 1024;         // bytes of POSTs that the server has not taken yet
  std::size_t posts = 1024;                      // how many of those
  unsigned rubbish = 100;                        // useless events in a row until it is cut off
  Duration endpoint = std::chrono::seconds(10);  // from the GET to the `endpoint` event
};

class SseSession : public std::enable_shared_from_this<SseSession> {
 public:
  struct Handlers {
    std::function<void(mcp::Message)> unsolicited;
    std::function<void(Error)> down;  // once, unless Close() came first
  };

  SseSession(config::Server server, const Deps& deps, SseLimits limits, Handlers handlers);

  // Opens the stream and waits for the endpoint's address, which must be of the same origin. A
  // server that answers otherwise than HTTP+SSE does is kProtocol or kNotFound.
  Task<Result<void>> Open();
  bool up() const { return up_; }
  std::size_t open_calls() const { return exchanges_->open_calls(); }

  Result<ReplyPtr> Request(const Outgoing& out);
  Task<Result<void>> Notify(Outgoing out);

  // The stream and the POSTs are cut, what is open fails, nobody is told.
  Task<void> Close();
  // The same without waiting for the end of it.
  void Abandon();

 private:
  struct Running;

  Result<void> TakeEvent(mcp::SseEvent event);
  Result<void> TakeAddress(const std::string& address);
  Result<void> TakeMessage(std::string text);
  Result<void> Rubbish(std::string_view what);
  Task<void> Read(std::shared_ptr<SseSession> self, ReplyPtr opened);
  Task<void> Post(std::shared_ptr<SseSession> self, std::string body, std::string headers,
                  Deadline deadline, std::uint64_t id);
  struct Sent {
    Result<void> result;
    bool lost = false;  // the session, as this has shown
  };
  Task<Sent> Send(const mcp::Pieces& body, std::string_view headers, Deadline deadline);
  void GoDown(Error why);
  void CutOff(Error why);
  std::unexpected<Error> Down() const;

  const config::Server server_;
  const Deps deps_;
  const SseLimits limits_;
  Handlers handlers_;
  const std::shared_ptr<Exchanges> exchanges_;

  HttpTransport reader_;                   // of the stream
  std::unique_ptr<HttpTransport> writer_;  // to the endpoint; null until its address is known
  Mailbox<Result<void>> opened_;
  TaskHandle reading_;
  std::vector<TaskHandle> posting_;
  std::size_t unsent_ = 0;
  unsigned running_ = 0;  // tasks
  Mailbox<bool> all_ended_;

  bool up_ = false;
  bool over_ = false;
  RubbishCount rubbish_;
  FloodWatch flood_;
};

}  // namespace switchyard::downstream
