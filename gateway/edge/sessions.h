// Legacy sessions of one worker. A session id is a sealed token that says everything about the
// session which does not change, so any worker can pick it up and an idle session costs next to
// nothing; what does change (log level, calls in flight, whether it ended) is kept by the workers
// and made known to each other. One thread: the worker's.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/seal.h"
#include "base/timers.h"
#include "core/call.h"
#include "edge/task_board.h"

namespace switchyard::edge {

struct Session {
  std::shared_ptr<const Client> client;  // client->session is the id
  std::string endpoint;
  std::string log_level;
  // Calls of this session that this worker serves: raw JSON id -> how to cancel it.
  std::map<std::string, std::function<void()>, std::less<>> in_flight;
  // Ends the GET stream that this worker serves, if any: a session has at most one.
  std::function<void()> end_stream;
  const void* stream_owner = nullptr;
  TimePoint last_used;
  TimePoint expires;
  bool ended = false;
};

class Sessions {
 public:
  struct Options {
    Duration max_age = std::chrono::hours(24);      // then the id is unknown
    Duration forget_after = std::chrono::hours(1);  // idle here this long: dropped from memory only
    std::size_t max_known = 100'000;                // a worker; the least recently used go first
    std::size_t max_ended = 1'000'000;              // a worker; the first that ended go first
    TaskBoard* tasks = nullptr;  // of all workers; null = legacy clients have none
  };
  // Runs something on the sessions of every other worker.
  using Broadcast = std::function<void(std::function<void(Sessions&)>)>;

  Sessions(const Sealer& sealer, const Clock& clock, Options options, Broadcast broadcast);

  // A new session; its id is client.session afterwards.
  std::shared_ptr<Session> Open(Client client, std::string endpoint);

  // Null: not ours, ended, too old, or of another endpoint.
  std::shared_ptr<Session> Find(std::string_view id, std::string_view endpoint);

  void End(const std::string& id);
  void SetLogLevel(const std::string& id, std::string level);
  // A call that any worker may serve. Unknown ones are ignored, as the specification wants it.
  void Cancel(const std::string& id, const std::string& raw_request_id);
  // The one who opened a GET stream last has it.
  void TakeStream(const std::shared_ptr<Session>& session, const void* owner,
                  std::function<void()> end);

  // Forgets what was idle for long or is too old. Once a minute is often enough.
  void Tick();
  std::size_t size() const { return known_.size(); }

  TaskBoard* tasks() const { return options_.tasks; }
  const Clock& clock() const { return clock_; }

 private:
  void EndHere(const std::string& id);
  void SetLogLevelHere(const std::string& id, const std::string& level);
  void CancelHere(const std::string& id, const std::string& raw_request_id);
  void EndStreamHere(const std::string& id);
  std::shared_ptr<Session> Remember(std::shared_ptr<Session> session, Duration age);
  // `endpoint` nullopt: whichever it is of.
  std::shared_ptr<Session> Unseal(std::string_view id, std::optional<std::string_view> endpoint);
  void MakeRoom();
  void ForgetFirstEnded();
  static bool IsBusy(const Session& session);

  const Sealer& sealer_;
  const Clock& clock_;
  const Options options_;
  Broadcast broadcast_;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string_view, std::shared_ptr<Session>> known_;  // by client->session
  // Ended ids must stay unknown although their tokens still open, until they are too old anyway. By
  // their random beginning, in the order of time.
  std::unordered_set<std::string, Hash, std::equal_to<>> ended_;
  std::deque<std::pair<TimePoint, std::string>> ended_order_;
};

}  // namespace switchyard::edge
