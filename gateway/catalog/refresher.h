// Keeps one server up and its inventory fresh: connects, reads every page of every list, listens
// for changes, lists again, and starts over with a growing pause when the server goes down. A
// server that is there and fails to list keeps what it listed last. Runs on the thread of the
// server's home worker, which owns the downstream.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/backoff.h"
#include "base/mailbox.h"
#include "catalog/inventory.h"
#include "core/deps.h"
#include "core/downstream.h"

namespace switchyard::catalog {

class Refresher {
 public:
  struct Options {
    Duration list_timeout = std::chrono::seconds(10);  // a whole listing of one kind
    // How often a server that does not announce changes is asked again.
    Duration poll_interval = std::chrono::seconds(30);
    Backoff::Config backoff = {};
  };

  // Called on the home worker's thread: up with an inventory, or null and the reason. With both it
  // is up, and the inventory is the last that could be read.
  using Publish =
      std::function<void(std::shared_ptr<const Inventory> inventory, std::string reason)>;

  Refresher(Downstream& downstream, Options options, Deps deps, Publish publish);

  // Runs until the task is cancelled. Once it is, await Unwound() before this or the downstream
  // goes: its tasks unwind one after the other.
  Task<void> Run();
  Task<void> Unwound();

  // The server went down by itself, as its transport noticed. On the home worker's thread.
  void NoteDown(std::string reason);
  // A call met a list that is newer than ours: they are read again, though not more often than
  // they are polled. On the home worker's thread.
  void NoteStale();

 private:
  struct Event {
    enum Kind { kListChanged, kPoll, kListenAgain, kDown } kind;
    std::string reason = {};
  };

  Task<Result<void>> BringUp();
  Task<Result<std::shared_ptr<Inventory>>> ListAll(ServerFacts facts);
  Task<Result<std::vector<std::string>>> ListKind(mcp::Method method, std::string_view key,
                                                  const ServerFacts& facts, ListHint& hint);
  void NoteEnd(const Error& why);  // of the listen
  struct Live;
  struct Listening;
  Task<void> Listen();
  enum class Heard : std::uint8_t { kNothing, kEnd, kFailure };
  Task<Heard> Announcements(std::shared_ptr<Listening> listening);
  Task<void> Watch(std::shared_ptr<Listening> listening);
  Task<Error> StayUp();
  bool IsThere(const Error& why) const;

  Downstream& downstream_;
  Options options_;
  Deps deps_;
  Publish publish_;
  Backoff listens_;  // the pauses between listens that the server ended
  Mailbox<Event> events_;
  std::shared_ptr<const Inventory> current_;  // null: nothing is known that still holds
  bool connected_ = false;                    // the last handshake succeeded
  TimePoint stale_since_ = TimePoint::min();  // when NoteStale() was heeded last
  std::size_t live_ = 0;                      // tasks that were not unwound yet
  Mailbox<bool> all_gone_;
};

}  // namespace switchyard::catalog
