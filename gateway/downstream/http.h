// The Streamable HTTP client: one POST a message, answered by JSON or by a stream of events; for
// legacy servers also the GET stream and the end of a session.
//
// TLS is verified. A redirect (307, 308) is followed once and never to another origin. No proxy is
// taken from the environment. Configured headers and the URL's query are secrets: they are sent and
// nothing else. Deadlines cover connect, headers and body up to the response; of OpenStream only
// connect and headers. Lives on one worker's thread; its Replies may outlive it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "core/deps.h"
#include "downstream/http_pool.h"
#include "downstream/http_stream.h"
#include "downstream/transport.h"

namespace switchyard::downstream {

class HttpTransport final : public Transport {
 public:
  // `deps` outlives it.
  HttpTransport(const config::Server& server, const Deps& deps);

  // Reads the TLS authorities; connects to nobody.
  Task<Result<void>> Start() override;
  Task<Result<ReplyPtr>> Request(Outgoing out) override;
  Task<Result<void>> Notify(Outgoing out) override;
  Task<Result<ReplyPtr>> OpenStream(Outgoing out) override { return OpenEvents(out, nullptr); }
  // The same with all its events going to `on_event`, unless that is null (HttpStreamSetup). Such a
  // stream is not resumed.
  using OnEvent = std::function<Result<void>(mcp::SseEvent)>;
  Task<Result<ReplyPtr>> OpenEvents(Outgoing out, OnEvent on_event);
  Task<Result<void>> EndSession(Outgoing out) override;
  void OnUnsolicited(Unsolicited) override {}          // everything comes on some stream
  void OnDown(std::function<void(Error)>) override {}  // there is no connection to lose
  bool cancels_by_closing() const override { return true; }
  Task<void> Close() override;

  const HttpPool& pool() const { return *pool_; }

 private:
  enum class Verb : std::uint8_t { kPost, kGet, kDelete };

  std::string Head(Verb verb, std::string_view target) const;
  std::string Label(Verb verb) const;
  // Sends, follows a redirect, notes the facts. The answer's headers are there.
  Task<Result<http::ConnectionPtr>> Exchange(Verb verb, Outgoing out);
  Task<Result<http::ConnectionPtr>> Follow(Verb verb, Outgoing out, http::ConnectionPtr redirected);
  std::unexpected<Error> Fail(Verb verb, Error error) const;
  ReplyPtr Stream(Verb verb, const Outgoing& out, http::ConnectionPtr connection,
                  OnEvent on_event = nullptr);

  const Deps deps_;
  const std::string name_;
  std::optional<http::Url> url_;
  std::string shown_path_;
  std::string fixed_headers_;
  std::string heads_[3];  // by Verb
  std::shared_ptr<HttpPool> pool_;
  const std::shared_ptr<FloodWatch> flood_;
};

}  // namespace switchyard::downstream
