// One era of one server on one worker: takes modern calls, speaks what the server speaks. Modern
// and LegacyAdapter are the two. Replaced, not changed, when the link is made anew; kept alive by
// the replies it still owes.
#pragma once

#include <memory>
#include <string>

#include "core/service.h"
#include "downstream/channel.h"
#include "downstream/compose.h"
#include "downstream/link.h"

namespace switchyard::downstream {

// A reply without any message: the answer to notifications of clients.
ReplyPtr EmptyReply();

class Face : public std::enable_shared_from_this<Face> {
 public:
  Face(std::shared_ptr<Channel> channel, LinkPtr link)
      : channel_(std::move(channel)), link_(std::move(link)) {}
  virtual ~Face() = default;

  const Link& link() const { return *link_; }

  struct Outcome {
    Result<ReplyPtr> reply = EmptyReply();
    // The server no longer knows our session, or speaks another era: the link must be made anew.
    // The call surely did not run.
    bool link_is_stale = false;
    // The code of a JSON-RPC error that came with HTTP status 400, 0 = none did.
    int refused_with = 0;
    // The server's lists say something else than the definition that the call came with.
    bool lists_are_stale = false;
  };
  virtual Task<Outcome> Handle(Call& call) = 0;

  // Calls under way that may be interrupted by questions, parked ones included.
  virtual std::size_t dialogues() const { return 0; }
  // Whether tasks of this session may still be asked for.
  virtual bool HoldsTasks() { return false; }

  // What came from the server and belongs to no request.
  virtual void Unsolicited(mcp::Message message) = 0;

  // The link is gone: whatever waits for news of the server is told.
  virtual void Retire(const Error& why) { static_cast<void>(why); }

  // Ends what the server keeps for us. Nothing is called after it.
  virtual Task<void> Close() { co_return; }

 protected:
  friend class HopReply;
  friend class Dialogue;

  // A message of a reply that is no response. False: it goes no further.
  virtual bool Passes(const Call& call, mcp::Message& message) = 0;
  // The response of the server as a modern one, its id not yet restored.
  virtual Result<mcp::Message> Convert(const Call& call, mcp::Message response) = 0;
  // Whether a reply that is dropped early must be cancelled by a notification.
  virtual bool cancels_by_notification() const = 0;

  // The code when an answer that came with an HTTP error status is a JSON-RPC error, else 0. The
  // reply stays as it was.
  static Task<int> PeekErrorCode(Result<ReplyPtr>& reply);

  // Whether what came back, no reply or one with an HTTP error status, means that the link must be
  // made anew. May look at the first message of the reply, if it leaves an equal reply behind.
  virtual Task<bool> IsStale(const HttpFacts& facts, Result<ReplyPtr>& reply) = 0;

  // Sends a composed call and wraps its reply: Passes() and Convert() see its messages.
  Task<Outcome> Send(Call& call, Composed composed, bool resumable);

  Channel& channel() const { return *channel_; }
  const std::shared_ptr<Channel>& shared_channel() const { return channel_; }
  std::unexpected<Error> Broken(
      std::string text) const;  // the peer's fault, with the server's name

 private:
  class Unanswered;

  const std::shared_ptr<Channel> channel_;
  const LinkPtr link_;
};

// Whether a log message is wanted by the call it belongs to: it asked for them, and the level
// suffices.
bool WantsLog(std::string_view wanted_level, const mcp::Message& message);

// Where a level stands, "debug" = 0; -1 = no such level.
int LogRank(std::string_view level);

}  // namespace switchyard::downstream
