// The dialogues of one session with a legacy server, and the answer to the question of whose call a
// server's request belongs to. On a call's own stream that is plain. On a channel that calls share
// (stdio, the GET stream) a request names no call, so:
//
//   it names a task                      | nobody's here: task_adapter.h has those that are known
//   one call at all is under way         | that one
//   nothing is, and it asks for roots    | none are known: an empty list
//   nothing is                           | refused: it belongs to no call
//   only calls of clients that offer     | refused in their name
//     nothing                            |
//   several, or one was just cancelled   | refused and logged: never guessed
//
// So that the last line is rare, a shared channel has one dialogue at a time; a turnstile makes the
// others wait, unless they find another lane (lanes.h). Lives on the server's home worker.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "base/log_pace.h"
#include "core/askable.h"
#include "downstream/channel.h"
#include "downstream/parks.h"
#include "downstream/turnstile.h"

namespace switchyard::downstream {

class Dialogue;

class Dialogues {
 public:
  // `declared`: what this session's server was told that clients offer. `turns` null: calls have
  // streams of their own.
  Dialogues(std::shared_ptr<Channel> channel, std::string headers, Askable declared,
            std::shared_ptr<Parks> parks, std::shared_ptr<Turnstile> turns);

  const Askable& declared() const { return declared_; }
  Parks& parks() { return *parks_; }
  Channel& channel() { return *channel_; }
  const std::shared_ptr<Channel>& shared_channel() const { return channel_; }
  std::size_t size() const { return open_.size(); }

  bool takes_turns() const { return turnstile_ != nullptr; }
  // Waits for a turn where one is needed.
  Task<Result<Turnstile::Turn>> Enter(Deadline deadline);

  // What came on a channel that calls share.
  void Asked(const mcp::Message& request);
  void Withdrawn(const mcp::Message& cancelled);

 private:
  friend class Dialogue;
  Dialogue* OwnerOf(const mcp::Message& request, std::size_t others) const;
  void Refuse(const mcp::Message& request, mcp::Message answer, std::string_view why);

  const std::shared_ptr<Channel> channel_;
  const std::string headers_;
  const Askable declared_;
  const std::shared_ptr<Parks> parks_;
  const std::shared_ptr<Turnstile> turnstile_;  // null: calls have streams of their own
  std::set<Dialogue*> open_;
  std::uint64_t refused_ = 0;  // requests of the server
  LogPace refusals_;
};

}  // namespace switchyard::downstream
