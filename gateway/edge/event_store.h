// What was said on event streams of legacy sessions, kept for a while for clients that lost their
// connection and come back with Last-Event-ID (L-TR). One a worker and on its thread; a stream's
// events stay with the worker that said them, and its ids name that worker.
//
// Exists only where something was said: a stream that stays silent has no entry. Bounded in bytes;
// what ended first goes first.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace switchyard::edge {

// `<worker>-<kind><token>-<number>`. The token cannot be guessed, and reading asks for the session,
// too.
struct EventId {
  enum class Kind : char { kCall = 'c', kSession = 's' };  // of a POST, of a GET
  unsigned worker = 0;
  Kind kind = Kind::kCall;
  std::string token;
  std::uint64_t number = 0;

  std::string ToText() const;
  static std::optional<EventId> Parse(std::string_view text);
};

class EventStore {
 public:
  struct Limits {
    std::size_t stream_bytes = 4 * 1024 * 1024;
    std::size_t total_bytes = 16 * 1024 * 1024;
    Duration grace = std::chrono::minutes(5);  // for a client to come back
  };

  // How a stream goes on, for one who reads it.
  struct Batch {
    enum class Then { kMore, kEnd, kUnknown };
    Then then = Then::kMore;
    std::vector<std::pair<std::uint64_t, std::string>> events;  // number and text
  };
  // Called once, on the store's thread.
  using Deliver = std::function<void(Batch)>;

  // One stream while it is being written. Its writer owns it; the store keeps what it said.
  class Stream {
   public:
    ~Stream();
    Stream(const Stream&) = delete;

    EventId id() const;  // of the last event; number 0 = nothing was said yet
    // The number of the event.
    std::uint64_t Append(std::string text);
    void End();
    // The writer's client is gone: who comes back has the grace, then `expire` is called, once.
    void Unheard();
    // Somebody came back: what is said from now on is his, not the writer's client's.
    bool taken() const;

   private:
    friend class EventStore;
    struct Entry;
    Stream(EventStore& store, std::shared_ptr<Entry> entry);
    EventStore& store_;
    const std::shared_ptr<Entry> entry_;
  };

  EventStore(unsigned worker, const Clock& clock, Limits limits);
  ~EventStore();

  // `on_taken`: somebody came back, the writer's connection is of no more use. `expire`: nobody
  // came back in time.
  std::unique_ptr<Stream> Open(std::string session, EventId::Kind kind,
                               std::function<void()> on_taken, std::function<void()> expire);

  // The events of `session`'s stream behind `id`, as soon as there are any; at once (perhaps none)
  // when `first`. One reader at a time: who reads last has the stream, the one before gets its end.
  // `reader` tells readers apart.
  void Read(const std::string& session, const EventId& id, const std::string& reader, bool first,
            Deliver deliver);
  // The reader is gone.
  void Leave(const std::string& session, const EventId& id, const std::string& reader);

  void ForgetSession(const std::string& session);
  void Tick();

  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return entries_.size(); }

 private:
  using Entry = Stream::Entry;
  using Entries = std::map<std::string, std::shared_ptr<Entry>, std::less<>>;

  std::shared_ptr<Entry> Find(const std::string& session, const EventId& id) const;
  void Trim(Entry& entry);
  void MakeRoom(const Entry& keep);
  void Forget(Entries::iterator entry);
  Batch BatchOf(const Entry& entry, std::uint64_t after) const;

  const unsigned worker_;
  const Clock& clock_;
  const Limits limits_;
  Entries entries_;                // by session and token
  std::deque<std::string> ended_;  // keys, in the order of their end
  std::size_t bytes_ = 0;
};

}  // namespace switchyard::edge
