// Where calls wait for a person: what waits and what was decided of it, for all workers, whoever
// decides. An approval is for one call of one caller, and used by one: whoever presents it first.
//
//   nothing --Present()--> pending --Decide()--> approved --Present()--> used: gone
//                             |          \-----> denied: stands until it expires
//                             \-- another definition, rule or arguments, or its time is over: void
//
// Thread-safe. With a journal each change is written before anybody hears of it, on the thread that
// makes it: people decide, so they are few. What cannot be written did not happen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "approvals/approval.h"
#include "approvals/journal.h"
#include "base/clock.h"
#include "base/result.h"

namespace switchyard::audit {
class Sink;
}
namespace switchyard::telemetry {
class Gauge;
class Histogram;
class Metrics;
}  // namespace switchyard::telemetry

namespace switchyard::approvals {

// Why there is an end to one, or none to be had.
enum class Why : std::uint8_t {
  kNone,
  kArguments,   // it was for another call: other arguments, another tool
  kDefinition,  // the tool's definition is another one than was shown
  kRule,        // the rule that asked changed, or is gone
  kExpired,
  kUsed,     // another call of the same caller has used it
  kUnknown,  // nothing is known under its id, or nothing that is this caller's
};

enum class Verdict : std::uint8_t {
  kRun,  // it was approved, and is used now
  kPending,
  kDenied,
  kVoid,    // see Why; it is gone
  kFull,    // there is no room for another one
  kFailed,  // it cannot be written
};

struct Answer {
  Verdict verdict = Verdict::kPending;
  Approval approval = {};
  Why why = Why::kNone;
  std::string problem = {};  // of kFull and kFailed
};

class Desk {
 public:
  struct Limits {
    std::size_t pending = 1000;
    std::size_t per_caller = 16;
  };
  // What was decided and is still there; beyond it the oldest denials are forgotten.
  static constexpr std::size_t kMostDecided = 4096;

  // All of it outlives this; no sink: nothing is recorded.
  Desk(const Clock& clock, telemetry::Metrics& metrics, audit::Sink* audit = nullptr);
  ~Desk();
  Desk(const Desk&) = delete;

  void SetLimits(Limits limits);
  // Before the first call: takes over what is there.
  Result<void> Open(std::unique_ptr<Journal> journal);
  // After the last one.
  void Close();

  // ---- Of calls.
  // For a call that needs an approval: uses one that is there, or has it wait. `claimed`: the id
  // that the call itself named, "" = none.
  Answer Present(const Request& request, Duration keep, std::string_view claimed = {});
  class Waiting;
  // The same for one that waits: makes nothing new. One that is stale or over uses nothing up.
  Answer Look(const Request& request, std::string_view id, const Waiting* waiting = nullptr);
  // What the client's user said to a question about it. Approved, it is used at once.
  Answer Answered(const Request& request, std::string_view id, bool approve, std::string by);

  // One use of one text: what a call that was approved and has to come again is known by.
  std::string MakeTicket();
  bool TakeTicket(std::string_view ticket);

  // A call that waits. `wake` is called, under a lock and on any thread, when Look() may say
  // something else, when `stale` or `over` become true: it only posts. Not called any more once
  // this is gone.
  class Waiting {
   public:
    Waiting(Desk& desk, std::string id, std::string server, std::function<void()> wake);
    Waiting(const Waiting&) = delete;
    ~Waiting();
    bool stale() const;  // the server's lists or the configuration have changed meanwhile
    bool over() const;   // the gateway ends

   private:
    friend class Desk;
    Desk& desk_;
    const std::string id_, server_;
    const std::function<void()> wake_;
    bool stale_ = false;  // guarded by the desk's mutex
  };

  // ---- Of people who run the gateway.
  struct Shown {
    Approval approval;
    std::size_t waiting = 0;  // calls that are held for it
  };
  std::vector<Shown> List();
  // kNotFound: there is none. kInvalid: it is decided already. kForbidden: not theirs to decide.
  Result<Shown> Decide(std::string_view id, bool approve, std::string by, std::string reason);

  // ---- Of the gateway.
  // A configuration is read: what rules there are is told between the two. Then what a rule asked
  // for that is not among them is void.
  void BeginRules();
  void Knows(const std::string& policy);
  void EndRules();
  // A server's lists have changed.
  void Listed(std::string_view server);
  // A configuration is in use: calls that wait go by the one before, so they have to come again.
  void SendBack();
  // Nobody waits any longer.
  void LetGo();
  // Now and then: what expired goes.
  void Sweep();

 private:
  using Lock = std::lock_guard<std::mutex>;
  using Map = std::map<std::string, Approval, std::less<>>;  // by id

  // All under the lock.
  Answer Found(Map::iterator found, const Request& request, bool uses = true);
  Answer Add(const Request& request, Duration keep);
  Answer ByClaim(const Request& request, std::string_view claimed);
  Answer Gone(const Request& request, std::string_view id) const;
  Answer UseIt(Map::iterator found);
  Answer Void(Map::iterator found, Why why);
  Result<void> Settle(Approval& approval, bool approve, std::string by, std::string reason);
  void Remove(Map::iterator found, Why why);
  void Expire(WallTime now);
  void ForgetDenials(std::string_view but);
  void Wake(std::string_view id);
  Map::iterator FindFor(const Request& request);
  Shown ShownOf(const Approval& approval) const;
  void Note(const Approval& approval, std::string_view decision, std::string_view by,
            std::string_view reason) const;
  void Count(std::string_view outcome) const;
  void Tally();

  const Clock& clock_;
  telemetry::Metrics& metrics_;
  audit::Sink* const audit_;
  const std::shared_ptr<telemetry::Gauge> pending_, oldest_;
  telemetry::Histogram& waited_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Limits limits_;
  std::unique_ptr<Journal> journal_;  // null = memory alone
  Map approvals_;
  std::map<std::string, std::string, std::less<>> by_call_;  // ids
  struct Ended {
    std::string caller;
    Why why;
  };
  std::map<std::string, Ended, std::less<>> ended_;  // of late, by id
  std::deque<std::string> ended_order_;
  std::map<std::string, WallTime, std::less<>> tickets_;
  std::multimap<std::string, Waiting*, std::less<>> waiting_;  // by id
  std::set<std::string, std::less<>> rules_;
  bool reading_rules_ = false;
  std::set<std::string, std::less<>> read_rules_;
  bool over_ = false;
};

}  // namespace switchyard::approvals
