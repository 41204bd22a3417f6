#include "orchestration/waiting/listen.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orchestration/verbatim.h"
#include "orchestration/waiting/follow.h"
#include "orchestration/waiting/resources.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Pulled = Result<std::optional<mcp::Message>>;

constexpr std::string_view kSubscriptionId = "io.modelcontextprotocol/subscriptionId";

// What a listen wants, by what it is about.
struct Wanted {
  std::map<Subject, std::vector<std::string>> uris;  // as the client wrote them
  std::set<Subject> tasks;                           // to be followed

  std::set<Subject> subjects() const {
    std::set<Subject> all = tasks;
    for (const auto& [subject, written] : uris) all.insert(subject);
    return all;
  }
};

std::optional<std::vector<std::string>> TextsIn(const json::object& filter, std::string_view key) {
  std::vector<std::string> texts;
  const json::value* const list = filter.if_contains(key);
  if (list == nullptr) return texts;
  if (!list->is_array() || list->get_array().size() > kMaxListened) return std::nullopt;
  texts.reserve(list->get_array().size());
  for (const json::value& text : list->get_array()) {
    if (!text.is_string()) return std::nullopt;
    texts.emplace_back(text.get_string());
  }
  return texts;
}

// nullopt: not a filter, or too long. What there cannot be is left out.
std::optional<Wanted> WantedBy(std::string_view raw) {
  boost::system::error_code error;
  const json::value value = json::parse(raw, error);
  if (error || !value.is_object()) return std::nullopt;
  const auto uris = TextsIn(value.get_object(), "resourceSubscriptions");
  const auto ids = TextsIn(value.get_object(), "taskIds");
  if (!uris || !ids) return std::nullopt;
  Wanted wanted;
  for (const std::string& uri : *uris) {
    if (std::optional<Subject> subject = SubjectOf(uri)) wanted.uris[*subject].push_back(uri);
  }
  for (const std::string& id : *ids) {
    if (const Result<TaskId> task = TaskIdOf(id)) wanted.tasks.insert({.task = *task});
  }
  return wanted;
}

class Listening final : public Reply {
 public:
  Listening(std::shared_ptr<Desk> desk, const Call& call, const Deps& deps, Wanted wanted)
      : desk_(std::move(desk)),
        id_(call.message.id()),
        deps_(deps),
        wanted_(std::move(wanted)),
        watch_(desk_->watches(), deps_.executor(), wanted_.subjects()) {}

  switchyard::Task<Pulled> Next() override {
    if (!std::exchange(acknowledged_, true)) {
      Result<void> there = co_await LeaveOutWhatIsNot();
      if (!there) co_return Failure(std::move(there.error()));
      co_return Acknowledgement();
    }
    // Nothing of it is ours: there will be no word.
    if (wanted_.uris.empty() && wanted_.tasks.empty()) co_return End();
    for (;;) {
      if (!due_uris_.empty()) co_return Updated();
      if (due_tasks_.empty()) {
        co_await Gather();
        continue;
      }
      Pulled told = co_await TellOfTask();
      if (!told || told->has_value()) co_return told;
    }
  }

 private:
  // What is not there at first is no subscription; what goes away later is told of.
  switchyard::Task<Result<void>> LeaveOutWhatIsNot() {
    Operation look{.run = [subjects = wanted_.subjects()](Records& records) -> Result<Answer> {
      Result<std::set<Subject>> found = Existing(records, subjects);
      if (!found) return Failure(std::move(found.error()));
      Answer answer;
      json::array missing;
      for (const Subject& subject : subjects) missing.emplace_back(found->contains(subject));
      answer.content["there"] = std::move(missing);
      return answer;
    }};
    Result<Answer> answer = co_await desk_->Run(std::move(look), "", Deadline(), deps_);
    if (!answer) co_return Failure(std::move(answer.error()));
    std::size_t at = 0;
    const json::array& there = answer->content.at("there").as_array();
    for (const Subject& subject : wanted_.subjects()) {
      if (there.at(at++).as_bool()) continue;
      wanted_.uris.erase(subject);
      wanted_.tasks.erase(subject);
    }
    co_return Result<void>{};
  }

  mcp::Message Acknowledgement() const {
    json::object filter;
    json::array uris, tasks;
    for (const auto& [subject, written] : wanted_.uris)
      uris.insert(uris.end(), written.begin(), written.end());
    for (const Subject& subject : wanted_.tasks) tasks.emplace_back(ToText(subject.task));
    if (!uris.empty()) filter["resourceSubscriptions"] = std::move(uris);
    if (!tasks.empty()) filter["taskIds"] = std::move(tasks);
    return Tagged(mcp::Method::kAcknowledged, {{"notifications", std::move(filter)}});
  }

  // Until something is due; not at once after the last time, so that what comes thick is one.
  switchyard::Task<void> Gather() {
    co_await watch_.Wait();
    const TimePoint now = deps_.clock.Now();
    if (now < next_round_) co_await deps_.timers.Sleep(next_round_ - now);
    next_round_ = deps_.clock.Now() + kPauseOfUpdates;
    for (const Subject& subject : watch_.Take()) {
      const auto uris = wanted_.uris.find(subject);
      if (uris != wanted_.uris.end()) due_uris_.insert(uris->second.begin(), uris->second.end());
      if (wanted_.tasks.contains(subject)) due_tasks_.insert(subject.task);
    }
  }

  mcp::Message Updated() {
    const std::string uri = std::move(due_uris_.extract(due_uris_.begin()).value());
    return Tagged(mcp::Method::kResourceUpdated, {{"uri", uri}});
  }

  // nullopt: it is forgotten by now, or told of later.
  switchyard::Task<Pulled> TellOfTask() {
    const TaskId id = due_tasks_.extract(due_tasks_.begin()).value();
    Operation look{.run = [id](Records& records) -> Result<Answer> {
      Result<Task> task = Find(records, id);
      if (!task && task.error().code == Code::kNotFound) return Answer{.empty_handed = true};
      if (!task) return Failure(std::move(task.error()));
      return Answer{.content = Followed(*task, records.settings, false)};
    }};
    Result<Answer> answer = co_await desk_->Run(std::move(look), "", Deadline(), deps_);
    if (!answer && answer.error().retryable) {
      // The database has too much to do: nothing is lost by telling it later.
      due_tasks_.insert(id);
      co_await deps_.timers.Sleep(kPauseOfUpdates);
      co_return std::nullopt;
    }
    if (!answer) co_return Failure(std::move(answer.error()));
    if (answer->empty_handed) co_return std::nullopt;
    std::optional<mcp::Message> told =
        Tagged(mcp::Method::kTaskChanged, std::move(answer->content));
    co_return told;
  }

  mcp::Message Tagged(mcp::Method method, json::object params) const {
    params["_meta"] = {{kSubscriptionId, Verbatim(id_)}};
    return mcp::Message::Make("", mcp::Info(method).name, ToText(params));
  }

  mcp::Message End() const {
    return mcp::Message::FromResult(
        id_, ToText(json::object{{"resultType", "complete"},
                                 {"_meta", {{kSubscriptionId, Verbatim(id_)}}}}));
  }

  const std::shared_ptr<Desk> desk_;
  const std::string id_;  // of the client's request, raw
  const Deps deps_;
  Wanted wanted_;
  Watches::Watch watch_;
  std::set<std::string> due_uris_;
  std::set<TaskId> due_tasks_;
  TimePoint next_round_ = TimePoint::min();
  bool acknowledged_ = false;
};

}  // namespace

Result<ReplyPtr> OpenListen(std::shared_ptr<Desk> desk, const Call& call, const Deps& deps) {
  std::optional<Wanted> wanted = WantedBy(call.message.Get(mcp::Key::kNotifications));
  if (!wanted) {
    return Failure(Code::kInvalid, Origin::kClient,
                   "params.notifications must be an object with lists of at most " +
                       std::to_string(kMaxListened) + " strings");
  }
  return std::make_unique<Listening>(std::move(desk), call, deps, std::move(*wanted));
}

}  // namespace switchyard::orchestration
