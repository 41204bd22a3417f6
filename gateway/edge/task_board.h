// The tasks that legacy clients know of, by session: what tasks/list shows, what was cancelled and
// stays so whatever the server does, and the results of calls that a server answered at once though
// the client wanted a task. The extension has none of these; its servers need not be asked for
// them.
//
// One object for all workers; thread-safe. Bounded: of each session and of all the oldest go first.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace switchyard::edge {

class TaskBoard {
 public:
  struct Limits {
    std::size_t per_session = 100;
    std::size_t total = 10'000;
    std::size_t result_bytes = 64 * 1024 * 1024;
    Duration longest = std::chrono::hours(24);  // kept, whatever the task's own ttl says
  };

  struct Entry {
    std::string task;                           // JSON, a Task of 2025-11-25, as last seen
    bool cancelled = false;                     // by the client
    std::shared_ptr<const std::string> result;  // JSON; null: the server has the task
  };

  explicit TaskBoard(const Clock& clock) : TaskBoard(clock, Limits()) {}
  TaskBoard(const Clock& clock, Limits limits) : clock_(clock), limits_(limits) {}
  TaskBoard(const TaskBoard&) = delete;

  // `keep`: how long; more than the longest is cut.
  void Add(const std::string& session, const std::string& id, Entry entry, Duration keep);
  std::optional<Entry> Find(const std::string& session, const std::string& id) const;
  // What a task reads like now. A cancelled one stays as it is, one that is not here is ignored.
  void Note(const std::string& session, const std::string& id, std::string task);
  void Cancel(const std::string& session, const std::string& id, std::string task);
  // In the order in which they were added.
  std::vector<std::string> List(const std::string& session) const;
  void Forget(const std::string& session);

  std::size_t size() const;

 private:
  struct Place {
    std::string session, id;
    Entry entry;
    TimePoint until;
  };
  using Places = std::list<Place>;  // oldest first

  std::size_t BytesOf(const Place& place) const;
  void Drop(Places::iterator place);
  void DropExpired();
  Places::iterator Look(const std::string& session, const std::string& id) const;

  const Clock& clock_;
  const Limits limits_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  mutable Places places_;
  std::map<std::string, std::map<std::string, Places::iterator>> sessions_;
  std::size_t result_bytes_ = 0;
};

}  // namespace switchyard::edge
