// The tools of file locks.
#include <charconv>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "orchestration/locks/locks.h"
#include "orchestration/locks/path.h"
#include "orchestration/tool.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

std::string PathIn(Arguments& arguments, Need need) {
  const std::optional<std::string> text = arguments.Word("file_path", kMaxPath, need);
  if (!text) return "";
  Result<std::string> path = NormalPath(*text);
  if (!path) arguments.Wrong(path.error().message);
  return path.value_or("");
}

std::string_view ModeOf(bool shared) { return shared ? "shared" : "exclusive"; }

json::object View(const Hold& hold, std::int64_t now) {
  return {{"agent_id", hold.agent},
          {"mode", ModeOf(hold.shared)},
          {"fence", hold.fence},
          {"expires_in_ms", hold.lease_until - now}};
}

}  // namespace

namespace acquire_file_lock {
namespace {

Answer Told(const LockRequest& request, const LockOutcome& outcome) {
  Answer answer;
  answer.content["file_path"] = request.path;
  if (outcome.acquired) {
    answer.took = true;
    answer.content["status"] = "acquired";
    answer.content["fence"] = outcome.hold.fence;
    answer.content["lease_ms"] = outcome.hold.lease_ms;
    answer.text = fmt::format("{} is yours, {}, fence {}, for {} ms", request.path,
                              ModeOf(request.shared), outcome.hold.fence, outcome.hold.lease_ms);
    return answer;
  }
  answer.empty_handed = outcome.waits;
  answer.content["status"] = "held";
  json::array holders;
  answer.text = request.path + " is not yours";
  for (const Hold& hold : outcome.others) {
    answer.text += (holders.empty() ? ": held by " : ", ") + hold.agent;
    holders.emplace_back(hold.agent);
    if (std::cmp_greater_equal(holders.size(), Arguments::kUsualLimit)) break;
  }
  answer.content["held_by"] = std::move(holders);
  if (outcome.ahead > 0) {
    answer.content["ahead"] = outcome.ahead;
    answer.text += fmt::format("; {} in line before it", outcome.ahead);
  }
  return answer;
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  LockRequest request{.path = PathIn(arguments, Need::kRequired)};
  request.agent = arguments.Word("agent_id", kMaxId, Need::kRequired).value_or("");
  request.shared = arguments.OneOf("mode", {"exclusive", "shared"}).value_or("") == "shared";
  request.lease_ms = arguments.LeaseMs();
  request.wait_ms = arguments.WaitMs();
  if (Result<void> fine = arguments.Check(); !fine) return Failure(std::move(fine.error()));
  const auto place = std::make_shared<Place>();
  return Operation{
      .run = [request, place](Records& records) -> Result<Answer> {
        Result<LockOutcome> outcome = AcquireLock(records, request, *place);
        if (!outcome) return Failure(std::move(outcome.error()));
        return Told(request, *outcome);
      },
      .wait_ms = request.wait_ms,
      .only_heard = true,
      .line = LineOf(request.path),
      .give_up = [request,
                  place](Records& records) { return GiveUpLock(records, request, *place); }};
}
}  // namespace acquire_file_lock

namespace release_file_lock {
namespace {

Result<Answer> Force(Records& records, const ForceRequest& request) {
  Result<std::vector<Hold>> gone = ForceLock(records, request);
  if (!gone) return Failure(std::move(gone.error()));
  const std::string& path = request.path;
  Answer answer{.text = path + " is taken from"};
  json::array from;
  for (const Hold& hold : *gone) {
    answer.text += (from.empty() ? " " : ", ") + hold.agent;
    from.emplace_back(hold.agent);
  }
  answer.content = {{"file_path", path}, {"status", "forced"}, {"taken_from", std::move(from)}};
  return answer;
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  const std::string path = PathIn(arguments, Need::kRequired);
  const std::string agent = arguments.Word("agent_id", kMaxId, Need::kRequired).value_or("");
  const std::int64_t fence = arguments.Integer("fence", 1, INT64_MAX).value_or(0);
  const bool force = arguments.Bool("force").value_or(false);
  const std::string reason = arguments.Text("reason", kMaxReason).value_or("");
  if (force && reason.empty()) arguments.Wrong("force needs reason: it is kept on record");
  if (!force && !reason.empty()) arguments.Wrong("reason is for force: true; leave it out");
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    if (force) {
      return Force(records, {.path = path, .forcer = agent, .reason = reason, .fence = fence});
    }
    Result<Hold> gone = ReleaseLock(records, path, agent, fence);
    if (!gone) return Failure(std::move(gone.error()));
    Answer answer{.text = path + " released"};
    answer.content = {{"file_path", path}, {"status", "released"}};
    return answer;
  });
}
}  // namespace release_file_lock

namespace check_file_lock {
namespace {

Result<Answer> One(Records& records, const std::string& path) {
  Result<std::vector<Hold>> holds = HoldsOn(records, path);
  if (!holds) return Failure(std::move(holds.error()));
  Result<std::int64_t> waiting = InLine(records, path);
  if (!waiting) return Failure(std::move(waiting.error()));
  Result<Forced> forced = LastForced(records, path);
  if (!forced) return Failure(std::move(forced.error()));
  Answer answer{.text = path + (holds->empty() ? " is free" : " is held by")};
  json::array holders;
  for (const Hold& hold : *holds) {
    if (std::cmp_greater_equal(holders.size(), Arguments::kMostLimit)) break;
    answer.text += (holders.empty() ? " " : ", ") + hold.agent;
    holders.emplace_back(View(hold, records.now));
  }
  answer.content = {{"file_path", path}, {"locked", !holds->empty()}};
  if (!holds->empty()) answer.content["holders"] = std::move(holders);
  if (*waiting > 0) answer.content["waiting"] = *waiting;
  if (forced->at != 0) {
    answer.content["last_forced"] = {{"from", forced->agent},
                                     {"by", forced->forcer},
                                     {"reason", forced->reason},
                                     {"at", TimeText(forced->at)}};
  }
  return answer;
}

Result<Answer> List(Records& records, LockFilter filter) {
  const std::int64_t limit = filter.limit++;
  Result<std::vector<Hold>> holds = FindHolds(records, filter);
  if (!holds) return Failure(std::move(holds.error()));
  const bool more = std::cmp_greater(holds->size(), limit);
  if (more) holds->pop_back();
  json::array list;
  for (const Hold& hold : *holds) {
    json::object view{{"file_path", hold.path}};
    for (json::key_value_pair& member : View(hold, records.now)) {
      view.insert_or_assign(member.key(), std::move(member.value()));
    }
    list.emplace_back(std::move(view));
  }
  Answer answer{.text = fmt::format("{} locks", list.size())};
  answer.content["locks"] = std::move(list);
  if (more) answer.content["next_cursor"] = std::to_string(holds->back().fence);
  return answer;
}

std::int64_t CursorIn(Arguments& arguments) {
  const std::string text = arguments.Word("cursor", kMaxId).value_or("0");
  std::int64_t after = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), after);
  if (fault != std::errc() || end != text.data() + text.size() || after < 0) {
    arguments.Wrong("cursor must be a next_cursor of an answer before");
  }
  return after;
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  const std::string path = PathIn(arguments, Need::kOptional);
  LockFilter filter{.agent = arguments.Word("agent_id", kMaxId).value_or("")};
  filter.limit = arguments.Limit();
  filter.after = CursorIn(arguments);
  return Do(arguments, [=](Records& records) {
    return path.empty() ? List(records, filter) : One(records, path);
  });
}
}  // namespace check_file_lock

}  // namespace switchyard::orchestration
