// One HTTP request and the means to answer it, once: with a body, or with a stream of Server-Sent
// Events. Owned by its connection; lives as long as the request is served. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http/parser.h"
#include "base/http/write.h"
#include "base/task.h"
#include "core/principal.h"
#include "edge/read_ahead.h"
#include "mcp/splice.h"

namespace switchyard::edge {

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kEventStream = "text/event-stream";

class Exchange;
class RefusalCount;

// Who asks clients for their credentials.
class Challenger {
 public:
  virtual ~Challenger() = default;
  // The value of WWW-Authenticate for a request that needs these scopes; "" = there is none.
  virtual std::string StepUp(const Exchange& exchange, const std::vector<std::string>& scopes) = 0;
  // Whether who sent the request would still be let in, as the same caller. Asked once a second.
  virtual bool StillLetsIn(Exchange& exchange) = 0;
};

// By which keys and rules a caller was let in, and for how long: until then there is no need to
// look again.
struct Vouched {
  std::uint64_t rules = 0;
  std::uint64_t keys = 0;
  std::chrono::system_clock::time_point until = {};
};

class Exchange {
 public:
  // `refusals`: outlives this; null = nobody counts.
  Exchange(ReadAhead& io, http::RequestParser& request, RefusalCount* refusals = nullptr);

  const http::RequestParser& request() const { return request_; }
  std::string_view Header(std::string_view name) const;  // "" = absent
  bool Accepts(std::string_view media_type) const;
  std::string TakeBody() { return request_.TakeBody(); }

  // Who sent it, as far as it was proved.
  const Caller& caller() const { return caller_; }
  void SetCaller(Caller caller) { caller_ = std::move(caller); }
  // Lives as long as the request is served.
  void Hold(std::shared_ptr<const void> held) { held_ = std::move(held); }
  void SetChallenger(Challenger& challenger) { challenger_ = &challenger; }

  // What it answers lasts, and ends when its caller would not be let in any more. Before the answer
  // begins: of the request only this is kept for as long.
  struct Kept {
    std::string target;
    std::optional<std::string> authorization;
    Vouched vouched = {};
  };
  void Lasts();
  Kept& kept() { return *kept_; }  // of one that lasts
  // Of one that lasts, once a second. True: it is over, and whoever serves it is to be interrupted.
  bool MustEnd();
  bool over() const { return over_; }

  const auth::ClientCertificate* certificate() const { return io_.certificate(); }
  std::size_t trust() const { return io_.trust(); }
  std::string peer() const { return io_.peer(); }
  // Before Respond(): where the caller may too little, and `scopes` in the error's data say what
  // would be enough.
  void AskForScopes(const Error& error);

  // Whole header lines ("Name: value\r\n") that go onto every answer of this exchange.
  void AddHeader(std::string_view name, std::string_view value);

  // Exactly one of Respond and BeginStream, once. The bodies stay the caller's. A HEAD request gets
  // no body.
  Task<void> Respond(int status, std::string_view content_type, const mcp::Pieces& body);
  Task<void> Respond(int status, std::string_view content_type, std::string_view body);
  Task<void> Respond(int status) { return Respond(status, "", std::string_view()); }

  // Server-Sent Events. False: the client is gone. `id` "" = no event id. A client of HTTP/1.0
  // knows no chunks: its stream ends with the connection.
  Task<bool> BeginStream();
  Task<bool> Send(const mcp::Pieces& data, std::string_view id = {});
  // The first event of HTTP+SSE: where the client's messages go.
  Task<bool> SendEndpoint(std::string_view uri);
  // An event that says nothing but its id, and when to come back after a disconnect.
  Task<bool> SendPriming(std::string_view id);
  // BeginStream and SendPriming without waiting, from the connection's tick. False: nothing was
  // done, for an answer is under way.
  bool BeginStreamNow(std::string_view id);
  Task<void> EndStream();

  // What it is answered with refuses it, before it is a call.
  void CountRefusal(int status);

  bool answered() const { return answered_; }
  bool streaming() const { return streaming_; }
  bool failed() const { return failed_; }  // a write failed: the connection is of no more use
  bool keep_alive() const { return keep_alive_ && !failed_ && !streaming_; }
  void CloseAfter() { keep_alive_ = false; }
  // Which other worker did the work, if one did.
  void set_done_at(std::optional<unsigned> worker) { done_at_ = worker; }
  std::optional<unsigned> done_at() const { return done_at_; }
  // A body that went out, for the call log.
  std::uint64_t bytes_out() const { return bytes_out_; }

  // A comment line when a stream was silent for long, so that nobody between closes it. Called by
  // the connection's tick; does nothing while a write is under way.
  void KeepAlive();
  bool writing() const { return write_ != nullptr; }
  std::uint64_t sent() const;  // bytes that went out so far, also of the write under way

 private:
  class Writing;
  std::string StreamHead();
  static std::string Priming(std::string_view id);
  bool SendOrFail(std::span<const std::string_view> pieces);
  Task<bool> SendEvent(std::string prefix, const mcp::Pieces& data);
  Task<bool> Write(const mcp::Pieces& pieces);

  ReadAhead& io_;
  http::RequestParser& request_;
  RefusalCount* const refusals_;
  Caller caller_ = Nobody();
  std::shared_ptr<const void> held_;
  Challenger* challenger_ = nullptr;  // of the worker; null: it is no request to an endpoint
  std::unique_ptr<Kept> kept_;
  std::string extra_headers_;
  std::optional<unsigned> done_at_;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t sent_ = 0;
  const http::Gather* write_ = nullptr;  // the one under way
  const bool chunks_;
  bool answered_ = false, streaming_ = false, failed_ = false;
  bool over_ = false;
  bool keep_alive_;
};

}  // namespace switchyard::edge
