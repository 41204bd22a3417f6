// More sessions of a legacy server for the calls of clients that it may ask something. Each is a
// server of its own, with its own transport. Made when needed, ended when idle, bounded. Lives on
// the server's home worker. Two kinds:
//
//   URL    one for each set of capabilities and caller (with the rights or the account that it is
//          shown by), since a session is told at its start what
//          its client offers and must be told no more (protocol 6.1-3, 6.1-4)
//   child  one more process of the same command, when every other is busy with such a call, running
//          or parked: a question on a channel that calls share does not say whose it is (6.5-B).
//          The server's own process is the first lane. Who finds all busy waits in a queue
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/mailbox.h"
#include "base/timers.h"
#include "core/askable.h"
#include "core/deps.h"
#include "core/service.h"
#include "downstream/turnstile.h"

namespace switchyard::downstream {

class ServerDownstream;

class Lanes {
 public:
  static constexpr std::size_t kMax = 64;  // over HTTP
  static constexpr std::size_t kMaxOfCaller = 4;
  static constexpr Duration kIdle = std::chrono::minutes(5);
  static constexpr Duration kSweep = std::chrono::minutes(1);

  // `caller`: whose it is alone; null = of whoever declares the same.
  using Make =
      std::function<std::shared_ptr<ServerDownstream>(Askable declared, const Caller* caller)>;

  // A child process: the lane that is always there.
  struct First {
    std::shared_ptr<Turnstile> turns;
    std::function<Task<Result<ReplyPtr>>(Call&)> serve;
    std::size_t most = 1;  // lanes altogether
  };

  // What tells a caller from itself with other rights, or another account; null = nothing does.
  using View = std::function<std::string(const Principal&)>;

  Lanes(std::string server, const Deps& deps, Make make, View view = nullptr,
        std::optional<First> first = {});
  Lanes(const Lanes&) = delete;
  ~Lanes();

  Task<Result<ReplyPtr>> Handle(Call& call);

  std::size_t size() const { return lanes_.size(); }  // without the first
  // Lets go of all without a farewell.
  void Clear();
  // Begins to end all, for good; who waits is told.
  void Close();
  Task<void> Closed();

 private:
  struct Lane {
    Askable declared = {};
    std::string caller = {}, view = {};
    std::shared_ptr<ServerDownstream> server = {};  // null: the first lane
    std::shared_ptr<Turnstile> turns = {};          // null: over HTTP
    bool was_up = false;
    unsigned entering = 0;  // calls on their way in; over HTTP, in it
    TimePoint used = {};
  };
  using LanePtr = std::shared_ptr<Lane>;
  // Something may have changed for the call that is next to get a lane. Outlives this in turnstiles
  // and calls.
  using News = std::shared_ptr<Mailbox<bool>>;
  class Entering;

  Task<Result<LanePtr>> Find(const Call& call);
  Result<LanePtr> ForClient(const Call& call);
  LanePtr Free();
  LanePtr Add(Askable declared, std::string key, const Caller* caller);
  void GiveUp(const LanePtr& lane, const Error& why);
  static bool Busy(const Lane& lane);
  // Of this caller alone, of everybody without one.
  LanePtr Replaceable(const std::string* caller = nullptr) const;
  Result<void> MakeRoom(const std::string& caller);
  static bool IsFree(const Lane& lane) { return lane.entering == 0 && lane.turns->free(); }
  static void Tell(const News& news);
  void Sweep();
  void Retire(std::shared_ptr<ServerDownstream> server);

  const std::string server_;
  const Deps deps_;
  const Make make_;
  const View view_;
  const std::optional<First> first_;
  const LanePtr first_lane_;                   // null: over HTTP
  const std::shared_ptr<Turnstile> entrance_;  // the queue; who is through gets the next free lane
  const News news_ = std::make_shared<Mailbox<bool>>();
  std::vector<LanePtr> lanes_;
  bool closed_ = false;
  std::vector<TaskHandle> closing_;
  Mailbox<bool> ended_;  // of what Close() began
  std::size_t ending_ = 0;
  Timers::Handle sweep_;
  // Of processes that could not be started.
  Backoff backoff_{Backoff::Config{}};
  TimePoint not_before_ = TimePoint::min();
  Timers::Handle again_;
};

}  // namespace switchyard::downstream
