// The checks that keep agents from waiting for nobody and from flooding one another.
#include <utility>

#include <fmt/format.h>

#include "orchestration/coordination/inbox.h"
#include "orchestration/coordination/pace.h"
#include "orchestration/tool.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

constexpr std::int64_t kDay = 24 * 3600;
constexpr std::int64_t kMostLookedAt = 200;  // messages of a sender

std::int64_t SecondsIn(Arguments& arguments, std::string_view name) {
  return arguments.Integer(name, 1, kDay).value_or(0) * 1000;
}

}  // namespace

namespace check_agent_responsiveness {
Result<Operation> Prepare(Arguments& arguments) {
  const std::string id = arguments.Word("agent_id", kMaxId, Need::kRequired).value_or("");
  const std::int64_t asked = SecondsIn(arguments, "threshold_seconds");
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Agent> agent = FindAgent(records, id);
    if (!agent) return Failure(std::move(agent.error()));
    Result<Inbox> inbox = FindInbox(records, id);
    if (!inbox) return Failure(std::move(inbox.error()));
    const std::int64_t threshold = asked == 0 ? records.settings.responsive_ms : asked;
    const bool responds = Responds(*agent, records.now, threshold);
    const std::int64_t silent = SilentFor(*agent, records.now) / 1000;
    Answer answer;
    answer.text = fmt::format("{} {}, silent for {} s", id,
                              responds ? "responds" : "does not respond", silent);
    answer.content = {{"agent_id", id},
                      {"responsive", responds},
                      {"status", agent->StatusAt(records.now, records.settings)},
                      {"seconds_since_heartbeat", silent},
                      {"threshold_seconds", threshold / 1000},
                      {"unread", inbox->unread}};
    return answer;
  });
}
}  // namespace check_agent_responsiveness

namespace check_message_recipient_status {
namespace {

struct Window {
  std::string sender = {};
  std::int64_t length_ms = 0, threshold_ms = 0;
};

Result<json::object> Recipient(Records& records, const Database::Row& row, const Window& window,
                               std::int64_t& silent) {
  const std::string& id = row.Text(0);
  Result<Agent> agent = FindAgent(records, id);
  if (!agent) return Failure(std::move(agent.error()));
  const bool responds = Responds(*agent, records.now, window.threshold_ms);
  if (!responds) ++silent;
  return json::object{{"agent_id", id},
                      {"responsive", responds},
                      {"sent", row.Number(1)},
                      {"read", row.Number(2)},
                      {"seconds_since_heartbeat", SilentFor(*agent, records.now) / 1000}};
}

Result<Answer> Run(Records& records, const Window& window) {
  Result<Agent> sender = ActAs(records, window.sender);
  if (!sender) return Failure(std::move(sender.error()).In("sender_id"));
  Result<Inbox> own = FindInbox(records, window.sender);
  if (!own) return Failure(std::move(own.error()));
  // Those that are gone are not there to be looked at.
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT inbox.agent, count(*), sum(CASE WHEN delivery.read_at > 0 THEN 1 ELSE 0 END) FROM "
      "(SELECT id FROM message WHERE sender_box = $1 AND sent_at > $2 ORDER BY sent_at DESC, id "
      "DESC LIMIT $3) AS recent JOIN delivery ON delivery.message = recent.id JOIN inbox ON "
      "inbox.box = delivery.box GROUP BY inbox.agent ORDER BY inbox.agent LIMIT 100",
      {own->box, records.now - window.length_ms, kMostLookedAt});
  if (!rows) return Failure(std::move(rows.error()));
  json::array list;
  std::int64_t silent = 0;
  for (const Database::Row& row : *rows) {
    Result<json::object> one = Recipient(records, row, window, silent);
    if (!one) return Failure(std::move(one.error()));
    list.emplace_back(std::move(*one));
  }
  Answer answer{.text = fmt::format("{}, {} silent", Many(list.size(), "recipient"), silent)};
  answer.content = {{"recipients", std::move(list)}, {"unresponsive", silent}};
  return answer;
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  Window window;
  window.sender = arguments.Word("sender_id", kMaxId, Need::kRequired).value_or("");
  window.length_ms = SecondsIn(arguments, "time_window_seconds");
  window.threshold_ms = SecondsIn(arguments, "responsiveness_threshold_seconds");
  return Do(arguments, [=](Records& records) {
    Window whole = window;
    if (whole.length_ms == 0) whole.length_ms = 3'600'000;
    if (whole.threshold_ms == 0) whole.threshold_ms = records.settings.responsive_ms;
    return Run(records, whole);
  });
}
}  // namespace check_message_recipient_status

namespace check_message_frequency {
Result<Operation> Prepare(Arguments& arguments) {
  const std::string id = arguments.Word("agent_id", kMaxId, Need::kRequired).value_or("");
  const std::int64_t asked = SecondsIn(arguments, "time_window_seconds");
  const std::int64_t most = arguments.Integer("frequency_threshold", 1, kMostCounted).value_or(0);
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Agent> agent = FindAgent(records, id);
    if (!agent) return Failure(std::move(agent.error()));
    Result<Inbox> inbox = FindInbox(records, id);
    if (!inbox) return Failure(std::move(inbox.error()));
    const std::int64_t window = asked == 0 ? records.settings.message_window_ms : asked;
    const std::int64_t threshold = most == 0 ? records.settings.most_messages : most;
    Result<std::int64_t> sent = SentWithin(records, inbox->box, window);
    if (!sent) return Failure(std::move(sent.error()));
    // Four fifths of what is too much are a warning.
    const std::string_view status = *sent >= threshold           ? "flooding"
                                    : *sent * 5 >= threshold * 4 ? "warning"
                                                                 : "normal";
    Answer answer;
    answer.text = fmt::format("{} sent {} within {} s: {}", id, *sent, window / 1000, status);
    answer.content = {{"agent_id", id},
                      {"status", status},
                      {"messages", *sent},
                      {"time_window_seconds", window / 1000},
                      {"frequency_threshold", threshold}};
    return answer;
  });
}
}  // namespace check_message_frequency

}  // namespace switchyard::orchestration
