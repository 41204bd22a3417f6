// The tasks of a legacy server in the form of the extension: protocol 6.5-F, L-TASK.
//
// tasks/get, update and cancel come with the server's own task ids. Of a task that has ended, the
// outcome is fetched with tasks/result and put in. A task that waits for input asks on the stream
// of a tasks/result request: one is opened when the task first says so, and kept; what the server
// asks there is shown as inputRequests, and tasks/update answers it.
//
// One for each session, on the server's home worker. Bounded in watched tasks and in questions.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/timers.h"
#include "downstream/channel.h"
#include "downstream/face.h"
#include "downstream/waiters.h"
#include "mcp/raw_object.h"

namespace switchyard::downstream {

// The answer of a legacy server that made a task of a call, in the form of the extension.
mcp::Message ToCreatedTask(const mcp::Message& response);

class TaskAdapter : public std::enable_shared_from_this<TaskAdapter> {
 public:
  static constexpr std::size_t kMaxWatched = 256;
  static constexpr std::size_t kMaxQuestions = 16;                     // of one task
  static constexpr Duration kGather = std::chrono::milliseconds(200);  // for a first question
  static constexpr Duration kIdle = std::chrono::minutes(10);  // nobody asks for it: let go of
  static constexpr Duration kSweep = std::chrono::minutes(1);
  static constexpr std::size_t kMaxHeld = 256;                  // tasks remembered by HoldsAny()
  static constexpr Duration kKeep = std::chrono::hours(1);      // when the server names no ttl
  static constexpr Duration kLongest = std::chrono::hours(24);  // whatever it says

  // `headers`: those of every request of the session.
  TaskAdapter(std::shared_ptr<Channel> channel, std::string headers);
  TaskAdapter(const TaskAdapter&) = delete;

  // Lets go of everything. Must be called before it is let go of.
  void Retire();

  // `call` is tasks/get, tasks/update or tasks/cancel with call.target set.
  Task<Face::Outcome> Handle(Call& call);

  // A request of the server on a channel that all calls share. False: it names no task that is
  // watched.
  bool Asked(const mcp::Message& request);

  std::size_t watched() const { return watches_.size(); }

  // `response` made a task of a call.
  void Created(const mcp::Message& response);
  // Whether there are tasks that a client may still ask for: their session should stay.
  bool HoldsAny();

 private:
  struct Question {
    std::string key;
    std::string id;  // the server's, raw
    mcp::Method method;
    boost::json::object params;  // as the server wrote them
  };
  struct Watch {
    std::string id;
    std::vector<Question> questions;
    std::optional<mcp::Message> outcome;
    bool over = false;  // the stream has ended
    Waiters<bool> news;
    TaskHandle pump;
    TimePoint used;
  };
  // The answer, or how the call ends without one.
  struct Answered {
    std::optional<mcp::Message> message;
    Face::Outcome end;
  };

  Task<Answered> Ask(mcp::Method method, std::string id, Deadline deadline);
  Task<Face::Outcome> Get(Call& call);
  Task<Face::Outcome> Update(Call& call);
  Task<Face::Outcome> Cancel(Call& call);
  Task<std::string> InputRequests(Call& call);
  Task<Answered> OutcomeOf(std::string id, Deadline deadline);

  std::shared_ptr<Watch> Find(const std::string& id) const;
  std::shared_ptr<Watch> WatchFor(const std::string& id);
  static Task<void> RunWatch(std::shared_ptr<TaskAdapter> self, std::shared_ptr<Watch> watch);
  void Take(Watch& watch, const mcp::Message& request);
  void Send(mcp::Message answer);
  void Drop(const std::string& id);
  void Sweep();

  const std::shared_ptr<Channel> channel_;
  const std::string headers_;
  std::map<std::string, std::shared_ptr<Watch>, std::less<>> watches_;  // by the server's id
  std::map<std::string, TimePoint, std::less<>> held_;  // by the server's id: until when at most
  std::uint64_t next_key_ = 1;                          // a key is never used twice (TASKX)
  Timers::Handle sweep_;
};

}  // namespace switchyard::downstream
