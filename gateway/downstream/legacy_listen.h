// subscriptions/listen for a legacy server: the acknowledgement of what can be had, then one
// notification a change, made of what the server sends on its shared channel (stdio) or its GET
// stream (HTTP). Changes are remembered, not queued: a reader that sleeps costs nothing.
//
// Lives on the server's home worker; kept alive by its adapter and by the replies.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/json/fwd.hpp>

#include "core/service.h"
#include "downstream/channel.h"
#include "downstream/link.h"
#include "downstream/waiters.h"

namespace switchyard::downstream {

// What servers built on the SDKs' examples say, with status 400, to a session they do not know.
inline constexpr int kSdkBadSession = -32000;

class LegacyListens : public std::enable_shared_from_this<LegacyListens> {
 public:
  static constexpr std::size_t kMaxUris = 1000;  // of one listen

  LegacyListens(std::shared_ptr<Channel> channel, LinkPtr link);

  // `call` is a subscriptions/listen.
  Task<Result<ReplyPtr>> Open(Call& call);

  // What the server asks on its GET stream goes there.
  void OnRequest(std::function<void(mcp::Message)> handler) { on_request_ = std::move(handler); }

  // Opens the GET stream for what the server asks there, if it has one. Waits no longer than
  // `patience`, but goes on opening it.
  Task<void> OpenStream(Duration patience);
  // The server no longer knows the session: Open() fails until the link is made anew.
  bool stale() const { return stale_; }

  // A notification of the server; what is no change is ignored.
  void Dispatch(const mcp::Message& message);

  // Every listen ends with `why`; no more can be opened. Must be called before it is let go of.
  void Retire(const Error& why);

 private:
  struct Filter {
    bool tools = false, prompts = false, resources = false;
    std::vector<std::string> uris;
    bool empty() const { return !tools && !prompts && !resources && uris.empty(); }
  };
  class ListenReply;
  enum class Stream : std::uint8_t { kNone, kOpening, kOpen };

  static Result<Filter> ReadFilter(std::string_view raw);
  Filter Offered(Filter wanted) const;
  Task<bool> HasStream();
  Task<void> RunStream(std::shared_ptr<LegacyListens> self);
  Task<void> Follow(ReplyPtr stream);
  void AssumeChanged();

  class Asking;
  Task<bool> Subscribe(std::string uri, Deadline deadline);
  void NoteFacts(const HttpFacts& facts, int error_code);
  std::unexpected<Error> SessionGone() const;
  void Unsubscribe(const std::string& uri);
  void Leave(const std::string& uri);
  static Task<void> SendUnsubscribe(std::shared_ptr<LegacyListens> self, std::string uri);

  const std::shared_ptr<Channel> channel_;
  const LinkPtr link_;
  const std::string headers_;
  std::function<void(mcp::Message)> on_request_;
  std::set<ListenReply*> open_;
  std::map<std::string, unsigned> subscribed_;  // how many listens want a URI
  std::set<std::string> leaving_;               // the server is being told to unsubscribe
  Waiters<bool> left_;                          // one of those is over
  Stream stream_ = Stream::kNone;
  Waiters<bool> stream_opened_;
  TaskHandle stream_task_;
  bool retired_ = false;
  bool stale_ = false;
};

}  // namespace switchyard::downstream
