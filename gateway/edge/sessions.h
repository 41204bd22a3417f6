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
#include <vector>

#include "base/deadline.h"
#include "base/seal.h"
#include "base/string_hash.h"
#include "base/timers.h"
#include "core/call.h"
#include "edge/event_store.h"
#include "edge/quota.h"
#include "edge/task_board.h"

namespace switchyard::edge {

class Updates;  // legacy_subscribe.h

struct Session {
  std::shared_ptr<const Client> client;  // client->session is the id
  std::string endpoint;
  OwnerId owner = 0;  // 0 = nobody proved who they are
  std::string log_level;
  // Calls of this session that this worker serves: raw JSON id -> how to cancel it.
  std::map<std::string, std::function<void()>, std::less<>> in_flight;
  // Ends the GET stream that this worker serves, if any: a session has at most one.
  std::function<void()> end_stream;
  const void* stream_owner = nullptr;
  std::shared_ptr<Updates> updates;  // resource subscriptions; null: none, and no stream here
  TimePoint last_used;               // by the client, at whatever worker
  TimePoint expires;
  bool ended = false;
  bool shared = false;   // other workers may know it, too
  bool used = false;     // here, since the others were told
  unsigned home = 0;     // the worker that opened it
  ListsKnown lists;      // of its client; for certain only at home (legacy_lists.h)
  Quota::Permit permit;  // with the worker that opened it
};

// A caller that the policies know, told apart from others for counting; else 0.
OwnerId OwnerOf(const Principal& caller);

// What became of a message for a channel.
enum class ChannelAnswer : std::uint8_t { kTaken, kFull, kUnknown };

class Sessions {
 public:
  struct Options {
    Duration max_age = std::chrono::hours(24);      // then the id is unknown
    Duration forget_after = std::chrono::hours(1);  // idle here this long: dropped from memory only
    std::size_t max_known = 100'000;                // a worker; the least recently used go first
    std::size_t max_ended = 1'000'000;              // a worker; the first that ended go first
    Duration input_timeout = std::chrono::minutes(10);  // for a client to answer a question
    EventStore::Limits events = {};
    std::shared_ptr<Quota> sessions = nullptr;  // of all workers; null = no limit
    std::shared_ptr<Quota> streams = nullptr;
    Timers* timers = nullptr;  // the worker's; null = nothing is waited for
    unsigned worker = 0;       // index
    unsigned workers = 1;
    std::size_t max_subscriptions = 10'000;  // a worker, of all sessions
    TaskBoard* tasks = nullptr;              // of all workers; null = legacy clients have none
  };
  // Runs something on the sessions of every other worker.
  using Broadcast = std::function<void(std::function<void(Sessions&)>)>;

  Sessions(const Sealer& sealer, const Clock& clock, Options options, Broadcast broadcast);

  // A new session; its id is client.session afterwards.
  std::shared_ptr<Session> Open(Client client, std::string endpoint, OwnerId owner = 0,
                                Quota::Permit permit = {});
  // Leave for a session, for a stream that lasts; the Error tells the client what to do.
  Result<Quota::Permit> PermitSession(OwnerId owner, std::string_view endpoint);
  Result<Quota::Permit> PermitStream(OwnerId owner, std::string_view endpoint);
  // Whether some callers prove who they are: those who do not may then not take all there is.
  void SetSomeAreKnown(bool known) { some_are_known_ = known; }

  // Null: not ours, ended, too old, or of another endpoint.
  std::shared_ptr<Session> Find(std::string_view id, std::string_view endpoint);
  // Null: this worker has it not; no use of it.
  std::shared_ptr<Session> Known(std::string_view id) const;

  void End(const std::string& id);
  void SetLogLevel(const std::string& id, std::string level);
  // A call that any worker may serve. Unknown ones are ignored, as the specification wants it.
  void Cancel(const std::string& id, const std::string& raw_request_id);
  // The one who opened a GET stream last has it.
  void TakeStream(const std::shared_ptr<Session>& session, const void* owner,
                  std::function<void()> end);

  // A request to the session's client: its raw id, unique for the session on whatever worker. The
  // answer, a response, is given to `answered` once, unless Unask() comes first.
  using Answered = std::function<void(mcp::Message response)>;
  std::string Ask(const Session& session, Answered answered);
  void Unask(const std::string& raw_id) { asked_.erase(raw_id); }
  // A response of the session's client; any worker may have asked. Others are ignored.
  void Deliver(const std::string& id, mcp::Message response);
  Deadline InputDeadline() const { return Deadline::In(clock_, options_.input_timeout); }
  bool HasPassed(const Deadline& deadline) const { return deadline.Passed(clock_.Now()); }
  // Runs `give_up` when a question stayed open for too long.
  [[nodiscard]] Timers::Handle WhenUnanswered(Timers::Callback give_up);
  Task<void> Sleep(Duration pause);

  EventStore& events() { return events_; }
  // Runs something on the sessions of one worker. False: there is no such worker.
  bool OnWorker(unsigned worker, std::function<void(Sessions&)> run);

  // A channel of HTTP+SSE: its messages come to any worker and are taken by this one. The id cannot
  // be guessed.
  using Take = std::function<ChannelAnswer(std::string text, const Caller& caller)>;
  std::string OpenChannel(std::string endpoint, OwnerId owner, Take take);
  void CloseChannel(const std::string& id) { channels_.erase(id); }
  // `done` runs once, on the thread of the worker that has the channel. Somebody else's is unknown.
  void PostToChannel(const std::string& id, const std::string& endpoint, std::string text,
                     Caller caller, std::function<void(ChannelAnswer)> done);
  // Runs `what` on this session at every other worker that knows it.
  void Tell(const std::string& id, std::function<void(Session&)> what);

  // A place among all subscriptions of this worker, free again when it is let go of; null = full.
  std::shared_ptr<void> PlaceForSubscription() const;
  // All of them end, since what they use is about to.
  void EndSubscriptions();

  // Forgets what was idle for long or is too old, and tells the other workers what is in use here,
  // so that they do not forget their part of it. Once a minute is often enough.
  void Tick();
  std::size_t size() const { return known_.size(); }

  TaskBoard* tasks() const { return options_.tasks; }
  unsigned worker() const { return options_.worker; }
  const Clock& clock() const { return clock_; }

 private:
  void EndHere(const std::string& id);
  void SetLogLevelHere(const std::string& id, const std::string& level);
  void CancelHere(const std::string& id, const std::string& raw_request_id);
  void EndStreamHere(const std::string& id);
  bool DeliverHere(const std::string& id, mcp::Message& response);
  using Ids = std::vector<std::shared_ptr<const Client>>;
  void TellUse();
  void UsedElsewhere(const Ids& sessions);
  std::shared_ptr<Session> Remember(std::shared_ptr<Session> session, Duration age);
  // `endpoint` nullopt: whichever it is of.
  std::shared_ptr<Session> Unseal(std::string_view id, std::optional<std::string_view> endpoint);
  void MakeRoom();
  void ForgetFirstEnded();
  static bool IsBusy(const Session& session);
  std::expected<Quota::Permit, Quota::Refusal> Permit(Quota& quota, OwnerId owner,
                                                      std::string_view endpoint) const;

  const Sealer& sealer_;
  const Clock& clock_;
  const Options options_;
  bool some_are_known_ = false;
  Broadcast broadcast_;
  EventStore events_;
  std::unordered_map<std::string_view, std::shared_ptr<Session>> known_;  // by client->session
  struct Asked {
    std::string session;
    Answered answered;
  };
  std::unordered_map<std::string, Asked> asked_;  // by raw id; as many as there are questions open
  std::uint64_t last_asked_ = 0;
  struct Channel {
    std::string endpoint;
    OwnerId owner = 0;
    Take take;
  };
  std::unordered_map<std::string, Channel> channels_;  // by id; as many as there are streams
  // Ended ids must stay unknown although their tokens still open, until they are too old anyway. By
  // their random beginning, in the order of time.
  std::unordered_set<std::string, StringHash, std::equal_to<>> ended_;
  std::deque<std::pair<TimePoint, std::string>> ended_order_;
  const std::shared_ptr<bool> places_ = std::make_shared<bool>();  // counts by its holders
};

}  // namespace switchyard::edge
