// The requests under way on a channel that all of them share (stdio, the stream of HTTP+SSE), and
// the answer to the question of whose a message from the server is:
//
//   response                    | its id's; an error without an id is that of the only one
//   progress, listen traffic    | that of the token or the subscription id, which are ids of ours
//   log message                 | that of the only call; `quiet` requests do not count
//   cancelled                   | that of the listen it names, which ends as by a result
//   request, anything else      | nobody's
//
// A server may still be at work on a request that was given up (out of time, dropped) and speak of
// it. For a while such a request counts as under way for errors without an id; in open_calls()
// until the server has answered it or something later of ours, for then it has read that it was
// cancelled. Log messages are the only call's all the same: who cancels calls keeps their logs.
//
// One worker's thread. Kept alive by its channel and by the replies that it still owes.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/mailbox.h"
#include "base/timers.h"
#include "core/deps.h"
#include "downstream/transport.h"

namespace switchyard::downstream {

class Exchanges : public std::enable_shared_from_this<Exchanges> {
 public:
  struct Limits {
    std::size_t unread_notes = 1024;  // of one request; more are dropped, lossy by nature
    std::size_t unread_bytes = 4 * 1024 * 1024;  // of those
    std::size_t given_up = 64;  // requests that are remembered; the first ones go first
    Duration given_up_for = std::chrono::seconds(5);
  };

  Exchanges(std::string server, const Deps& deps, Limits limits);
  ~Exchanges();

  // The reply to a request that is about to be sent; its deadline ends it. `mark` is the channel's
  // own, for FailAll(). An id that is in use or no number of ours is an Error.
  Result<ReplyPtr> Add(const Outgoing& out, std::uint64_t mark);

  enum class Routed : std::uint8_t {
    kTaken,      // `message` was moved from
    kLate,       // answers what nobody waits for any more
    kUnknown,    // answers what was never asked
    kUnclaimed,  // belongs to no request
  };
  Routed Route(mcp::Message& message);

  // An answer to `raw_id` came that cannot be read. False: nobody waits for one.
  bool Spoil(std::string_view raw_id, Error error);

  // Ends one or all of them without a response. `unseen` says, by mark, of which the server surely
  // saw nothing.
  void Fail(std::uint64_t id, Error error);
  void FailAll(const Error& error, const std::function<bool(std::uint64_t mark)>& unseen);

  bool Has(std::uint64_t id) const { return pending_.contains(id); }
  std::size_t open_calls() const;  // those that are not quiet, and those that may go on unseen

 private:
  struct Pending;
  class ExchangeReply;

  // Not quiet; ended here, but not at the server as far as is known.
  struct GivenUp {
    std::uint64_t id = 0;
    std::uint64_t last_sent = 0;  // id of the last request before its end
    TimePoint until;
    bool read = false;  // the server has seen its cancellation
  };

  void GiveUp(const Pending& pending);
  bool AnyGivenUp() const;
  void NoteAnswer(std::uint64_t id, bool quiet);
  Routed RouteResponse(mcp::Message& message);
  bool EndListen(const mcp::Message& message);
  Pending* OwnerOf(const mcp::Message& message);
  void Finish(std::uint64_t id, Result<mcp::Message> outcome);

  const std::string server_;
  const Deps deps_;
  const Limits limits_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Pending>> pending_;
  std::deque<GivenUp> given_up_;  // by their end
  std::uint64_t highest_id_ = 0;  // a response to a lower unknown one is late, not a lie
};

}  // namespace switchyard::downstream
