// A Reply that reads an event stream: of a request (ends with its response) or the GET stream of a
// legacy server (no response; ends when the server ends it). Takes itself up again where the server
// gave event ids. Dropping it closes the connection, which a modern server reads as cancellation.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/reply.h"
#include "downstream/flood_watch.h"
#include "downstream/http_pool.h"
#include "mcp/sse_parser.h"

namespace switchyard::downstream {

struct HttpStreamSetup {
  std::shared_ptr<HttpPool> pool;
  std::string label;                       // context of errors
  std::string resume_head = {};            // of the GET that takes it up again
  std::string headers = {};                // of the era, for that GET
  std::optional<std::string> id = {};      // raw id of the request; nullopt: a GET stream
  Deadline deadline = {};                  // of a request
  std::shared_ptr<FloodWatch> flood = {};  // of the server's streams on this worker; null = none
  bool resumable = false;
  // HTTP+SSE: every event goes here, and Next() gives nothing but the end. An Error ends it.
  std::function<Result<void>(mcp::SseEvent)> on_event = {};
};

class HttpStream final : public Reply {
 public:
  // `connection` has the headers of the answer. `deps` outlives it.
  HttpStream(const Deps& deps, http::ConnectionPtr connection, HttpStreamSetup setup);

  Task<Result<std::optional<mcp::Message>>> Next() override;

 private:
  using Got = Result<std::optional<mcp::Message>>;

  // The next message among the bytes at hand; nullopt = read on.
  Got FromEvents();
  Got FromJson();
  Got Deliver(mcp::Message message);
  // Reads more. False: the server ended the stream.
  Task<Result<bool>> Read();
  // After the end or a break: true = reading goes on, on a new connection.
  Task<Result<bool>> Resume(Error why);
  Task<Result<void>> Reopen();
  bool CanResume() const;
  Duration Pause() const;
  std::unexpected<Error> Fail(Error error);
  std::unexpected<Error> CutOff();

  const Deps deps_;
  HttpStreamSetup setup_;
  http::ConnectionPtr connection_;
  std::optional<mcp::SseParser> events_;  // of the connection at hand
  std::string last_id_;                   // survives the parser of one connection
  std::optional<unsigned> retry_ms_;
  int failed_ = 0;           // attempts to resume in a row that failed
  int silent_ = 0;           // resumed streams in a row that brought nothing
  bool first_bytes_ = true;  // nothing of the body was seen
  bool json_ = false;        // JSON under the wrong label
  FloodEnd flood_end_;
};

}  // namespace switchyard::downstream
