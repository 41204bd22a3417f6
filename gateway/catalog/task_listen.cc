#include "catalog/task_listen.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "base/backoff.h"
#include "base/mailbox.h"
#include "base/random.h"
#include "mcp/raw_object.h"

namespace switchyard::catalog {
namespace {

using Pulled = Result<std::optional<mcp::Message>>;
using FindServer = std::function<std::shared_ptr<Service>(std::string_view)>;

// What the reply shares with the tasks that feed it, which may outlive it by a moment.
struct Feed {
  struct Branch {
    std::string server;
    std::map<std::string, std::string> ids;  // the server's -> the client's
    std::set<std::string> honoured;          // the client's
    bool settled = false;
  };

  explicit Feed(const Deps& given) : deps(given) {}

  void Wake() {
    if (wake.empty()) wake.Put(true);
  }
  bool settled() const {
    for (const Branch& branch : branches) {
      if (!branch.settled) return false;
    }
    return true;
  }

  const Deps deps;
  FindServer find_server;
  std::string listen_id;  // of the client, raw
  // Of the client's call.
  std::shared_ptr<const Client> client;
  std::string endpoint;
  Caller caller = Nobody();
  int depth = 0;
  bool transparent = false;  // the endpoint

  Listened rest;
  std::vector<Branch> branches;
  Mailbox<bool> wake;
  bool out_of_patience = false;
  std::optional<Pulled> from_rest;            // one at a time
  Mailbox<bool> taken;                        // from_rest was
  std::map<std::string, mcp::Message> tasks;  // by the client's id: the last state, due
};

Call CallFor(const std::shared_ptr<Feed>& feed, const Feed::Branch& branch) {
  boost::json::array ids;
  for (const auto& [server_id, client_id] : branch.ids) ids.emplace_back(server_id);
  Call call;
  call.message =
      mcp::Message::Make("1", mcp::Info(mcp::Method::kListen).name,
                         R"({"notifications":{"taskIds":)" + boost::json::serialize(ids) + "}}");
  call.client = feed->client;
  call.endpoint = feed->endpoint;
  call.caller = feed->caller;
  call.depth = feed->depth;
  // Not the feed: the call may end on the thread of the server's home.
  const auto server = std::make_shared<const std::string>(branch.server);
  call.target.server = *server;
  call.target.pin = server;
  call.target.transparent = feed->transparent;
  return call;
}

void Acknowledged(Feed& feed, Feed::Branch& branch, const mcp::Message& message) {
  boost::system::error_code error;
  const std::string raw(
      mcp::RawObject::Parse(message.Get(mcp::Key::kNotifications)).Get("taskIds"));
  const boost::json::value ids = boost::json::parse(raw, error);
  if (!error && ids.is_array() && !branch.settled) {
    for (const boost::json::value& id : ids.as_array()) {
      const auto known =
          id.is_string() ? branch.ids.find(std::string(id.as_string())) : branch.ids.end();
      if (known != branch.ids.end()) branch.honoured.insert(known->second);
    }
  }
  branch.settled = true;
  feed.Wake();
}

void Take(Feed& feed, Feed::Branch& branch, mcp::Message message) {
  if (message.method() == mcp::Method::kAcknowledged) return Acknowledged(feed, branch, message);
  if (message.method() != mcp::Method::kTaskChanged) return;
  const auto id = branch.ids.find(message.GetString(mcp::Key::kTaskId));
  const mcp::Member tag = message.member(mcp::MetaKey::kSubscriptionId);
  if (id == branch.ids.end() || !branch.honoured.contains(id->second) || !tag.present()) return;
  message.edits().Replace(message.member(mcp::Key::kTaskId).value, mcp::Quote(id->second));
  message.edits().Replace(tag.value, feed.listen_id);
  feed.tasks.insert_or_assign(id->second, std::move(message));
  feed.Wake();
}

Task<void> FollowOnce(std::shared_ptr<Feed> feed, Feed::Branch& branch) {
  const std::shared_ptr<Service> server = feed->find_server(branch.server);
  if (server == nullptr) co_return;
  Call call = CallFor(feed, branch);
  Result<ReplyPtr> reply = co_await server->Handle(call);
  while (reply) {
    Pulled next = co_await (*reply)->Next();
    if (!next || !next->has_value() || (*next)->is_response()) co_return;
    Take(*feed, branch, std::move(**next));
  }
}

Task<void> Follow(std::shared_ptr<Feed> feed, std::size_t at) {
  Feed::Branch& branch = feed->branches[at];
  Backoff backoff({});
  for (;;) {
    const TimePoint since = feed->deps.clock.Now();
    co_await FollowOnce(feed, branch);
    branch.settled = true;
    feed->Wake();
    if (branch.honoured.empty()) co_return;
    backoff.WasUp(feed->deps.clock.Now() - since);
    co_await feed->deps.timers.Sleep(backoff.Next(ThreadRandom().NextUnit()));
  }
}

// Everything else, one message at a time: nothing is read before the client took what came.
Task<void> FollowRest(std::shared_ptr<Feed> feed) {
  for (bool more = true; more;) {
    Pulled next = co_await feed->rest.reply->Next();
    more = next && next->has_value() && !(*next)->is_response();
    feed->from_rest = std::move(next);
    feed->Wake();
    co_await feed->taken.Take();
  }
}

class TaskListenReply final : public Reply {
 public:
  explicit TaskListenReply(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}

  Task<Pulled> Next() override {
    if (followers_.empty()) Start();
    const bool first = !acknowledged_;
    while (first ? !Ready() : !feed_->from_rest && feed_->tasks.empty()) {
      co_await feed_->wake.Take();
    }
    acknowledged_ = true;
    if (!feed_->from_rest) {
      auto due = feed_->tasks.extract(feed_->tasks.begin());
      co_return std::move(due.mapped());
    }
    Pulled next = std::move(*feed_->from_rest);
    feed_->from_rest.reset();
    feed_->taken.Put(true);
    if (first && next && next->has_value()) AddHonoured(**next);
    co_return next;
  }

 private:
  void Start() {
    const Executor executor = feed_->deps.executor();
    followers_.emplace_back(executor, "listen", FollowRest(feed_));
    for (std::size_t i = 0; i < feed_->branches.size(); ++i) {
      followers_.emplace_back(executor, "listen to tasks", Follow(feed_, i));
    }
    patience_ = feed_->deps.timers.In(kTaskAckPatience, [feed = feed_] {
      feed->out_of_patience = true;
      feed->Wake();
    });
  }

  // SUB: the acknowledgement comes first, and there is one.
  bool Ready() const {
    if (!feed_->from_rest) return false;
    const bool acknowledges = *feed_->from_rest && (*feed_->from_rest)->has_value() &&
                              (**feed_->from_rest)->method() == mcp::Method::kAcknowledged;
    return !acknowledges || feed_->settled() || feed_->out_of_patience;
  }

  void AddHonoured(mcp::Message& acknowledgement) {
    patience_.Cancel();
    boost::json::array ids;
    for (Feed::Branch& branch : feed_->branches) {
      // Who was too slow is silent for good.
      branch.settled = true;
      for (const std::string& id : branch.honoured) ids.emplace_back(id);
    }
    const mcp::Member filter = acknowledgement.member(mcp::Key::kNotifications);
    if (ids.empty() || !filter.present()) return;
    mcp::RawObject honoured = mcp::RawObject::Parse(acknowledgement.Get(mcp::Key::kNotifications));
    honoured.Set("taskIds", boost::json::serialize(ids));
    acknowledgement.edits().Replace(filter.value, honoured.ToText());
  }

  const std::shared_ptr<Feed> feed_;
  std::vector<TaskHandle> followers_;
  Timers::Handle patience_;
  bool acknowledged_ = false;
};

}  // namespace

Result<ReplyPtr> ListenToTasks(
    const Call& call, Listened rest, std::string_view ids,
    const std::function<std::optional<TaskIds::Named>(const std::string&)>& open,
    const FindServer& find_server, const Deps& deps) {
  boost::system::error_code error;
  const boost::json::value wanted = boost::json::parse(ids, error);
  if (error || !wanted.is_array() || wanted.as_array().size() > kMaxListenedTasks) {
    return Failure(Code::kInvalid, Origin::kClient,
                   "params.notifications.taskIds must be at most " +
                       std::to_string(kMaxListenedTasks) + " strings");
  }
  std::map<std::string, Feed::Branch> branches;
  for (const boost::json::value& one : wanted.as_array()) {
    const std::string id = one.is_string() ? std::string(one.as_string()) : std::string();
    const std::optional<TaskIds::Named> task = open(id);
    if (!task) continue;
    Feed::Branch& branch = branches[task->server];
    branch.server = task->server;
    branch.ids[task->id] = id;
  }
  if (branches.empty()) return std::move(rest.reply);
  auto feed = std::make_shared<Feed>(deps);
  for (auto& [server, branch] : branches) feed->branches.push_back(std::move(branch));
  feed->find_server = find_server;
  feed->listen_id = std::string(call.message.id());
  feed->client = call.client;
  feed->endpoint = std::string(call.endpoint);
  feed->caller = call.caller;
  feed->depth = call.depth;
  feed->transparent = call.target.transparent;
  feed->rest = std::move(rest);
  return std::make_unique<TaskListenReply>(std::move(feed));
}

}  // namespace switchyard::catalog
