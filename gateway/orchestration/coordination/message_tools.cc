// The tools of messages.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "orchestration/coordination/ids.h"
#include "orchestration/coordination/inbox.h"
#include "orchestration/coordination/messages.h"
#include "orchestration/coordination/pace.h"
#include "orchestration/coordination/sessions.h"
#include "orchestration/tool.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

}  // namespace

namespace send_message {
namespace {

// To whom, in one of four ways.
struct To {
  std::string agent = {}, group = {};
  std::vector<std::string> capabilities = {};
  std::int64_t session = 0;

  int ways() const {
    return static_cast<int>(!agent.empty()) + static_cast<int>(!group.empty()) +
           static_cast<int>(!capabilities.empty()) + static_cast<int>(session != 0);
  }
};

Result<std::vector<std::string>> Team(Records& records, const std::string& sender,
                                      const std::string& group) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT id FROM agent WHERE team = $1 AND id <> $2 ORDER BY id LIMIT $3",
                        {group, sender, kMostRecipients + 1});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<std::string> agents;
  agents.reserve(rows->size());
  for (const Database::Row& row : *rows) agents.push_back(row.Text(0));
  return agents;
}

Result<std::vector<std::string>> Capable(Records& records, const std::string& sender,
                                         const std::vector<std::string>& capabilities) {
  Result<std::vector<Agent>> found = FindAgents(
      records,
      {.capabilities = capabilities, .limit = static_cast<std::int64_t>(kMostRecipients) + 2});
  if (!found) return Failure(std::move(found.error()));
  std::vector<std::string> agents;
  for (Agent& agent : *found) {
    if (agent.id != sender) agents.push_back(std::move(agent.id));
  }
  return agents;
}

Result<std::vector<std::string>> RecipientsOf(Records& records, const std::string& sender,
                                              const To& to) {
  if (!to.agent.empty()) {
    Result<Agent> recipient = FindAgent(records, to.agent);
    if (!recipient) return Failure(std::move(recipient.error()).In("recipient_id"));
    return std::vector{to.agent};
  }
  if (to.session != 0) return OthersIn(records, to.session, sender);
  Result<std::vector<std::string>> agents = to.group.empty()
                                                ? Capable(records, sender, to.capabilities)
                                                : Team(records, sender, to.group);
  if (!agents) return agents;
  if (agents->empty()) return Refused("there is no other agent of that kind; see find_agents");
  if (agents->size() <= kMostRecipients) return agents;
  return Refused(fmt::format(
      "a message goes to at most {} agents, and there are more of that kind; name fewer with "
      "more capabilities, or make a session",
      kMostRecipients));
}

Result<Answer> Run(Records& records, const To& to, NewMessage message) {
  Result<Agent> sender = ActAs(records, message.sender);
  if (!sender) return Failure(std::move(sender.error()).In("sender_id"));
  if (message.reply_to != 0) {
    Result<Inbox> own = InboxOf(records, message.sender);
    if (!own) return Failure(std::move(own.error()));
    Result<Message> first = FindMessage(records, message.reply_to, own->box);
    if (!first) return Failure(std::move(first.error()).In("reply_to"));
  }
  Result<std::vector<std::string>> recipients = RecipientsOf(records, message.sender, to);
  if (!recipients) return Failure(std::move(recipients.error()));
  message.recipients = std::move(*recipients);
  message.session = to.session;
  Result<Sent> sent = Send(records, message);
  if (!sent) return Failure(std::move(sent.error()));
  const std::string id = ToText(IdOf::kMessage, sent->id);
  Answer answer{.text = fmt::format("{} queued for {}", id, sent->recipients)};
  answer.content = {{"message_id", id}, {"status", "queued"}, {"recipients", sent->recipients}};
  if (!sent->full.empty()) {
    json::array full;
    for (const std::string& agent : sent->full) full.emplace_back(agent);
    answer.content["inbox_full"] = std::move(full);
    answer.text += fmt::format(", no room with {}", fmt::join(sent->full, ", "));
  }
  if (to.agent.empty()) return answer;
  Result<Agent> recipient = FindAgent(records, to.agent);
  if (!recipient) return Failure(std::move(recipient.error()));
  if (!Responds(*recipient, records.now, records.settings.responsive_ms)) {
    answer.content["recipient_status"] =
        recipient->StatusAt(records.now, records.settings) == "error" ? "error" : "unresponsive";
    answer.text += ", which does not respond at present";
  }
  return answer;
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  NewMessage message;
  To to;
  message.sender = arguments.Word("sender_id", kMaxId, Need::kRequired).value_or("");
  to.agent = arguments.Word("recipient_id", kMaxId).value_or("");
  to.session = IdIn(arguments, IdOf::kSession, "session_id");
  to.group = arguments.Word("group", kMaxWord).value_or("");
  to.capabilities = WordsIn(arguments, "required_capabilities");
  message.content = arguments.Text("content", kMaxMessage, Need::kRequired).value_or("");
  message.type = arguments.Word("message_type", kMaxWord).value_or("message");
  if (std::ranges::find(kOwnTypes, message.type) != kOwnTypes.end()) {
    arguments.Wrong("message_type " + message.type +
                    " is what the service itself tells; use a word of your own");
  }
  message.priority = arguments.PriorityIn("priority").value_or(Priority::kMedium);
  if (arguments.Bool("urgent").value_or(false)) message.priority = Priority::kHigh;
  message.confidential = arguments.Bool("confidential").value_or(false);
  message.reply_to = IdIn(arguments, IdOf::kMessage, "reply_to");
  if (to.ways() != 1) {
    arguments.Wrong(
        "say to whom in one way: recipient_id, session_id, group or required_capabilities");
  }
  return Do(arguments, [=](Records& records) { return Run(records, to, message); });
}
}  // namespace send_message

namespace read_messages {
namespace {

json::array NamesOf(const std::vector<SentTo>& to, bool (*wanted)(const SentTo& one)) {
  json::array names;
  for (const SentTo& one : to) {
    if (wanted(one)) names.emplace_back(one.agent);
  }
  return names;
}

json::object View(const Message& message, bool sent) {
  json::object view{{"id", ToText(IdOf::kMessage, message.id)}};
  if (!sent) view["from"] = message.sender;
  if (sent && message.recipients == 1 && !message.to.empty()) {
    view["to"] = message.to.front().agent;
  } else if (sent) {
    view["to"] = NamesOf(message.to, [](const SentTo&) { return true; });
  }
  if (message.type != "message") view["type"] = message.type;
  if (message.priority != Priority::kMedium) view["priority"] = ToString(message.priority);
  if (message.session != 0) view["session_id"] = ToText(IdOf::kSession, message.session);
  if (message.reply_to != 0) view["reply_to"] = ToText(IdOf::kMessage, message.reply_to);
  if (message.confidential) view["confidential"] = true;
  if (message.readable) {
    view["content"] = message.content;
  } else {
    view["unreadable"] = "its key is not among orchestration.keys any more, or it was changed";
  }
  view["sent_at"] = TimeText(message.sent_at);
  if (!sent) return view;
  const bool all_read = message.read_by == message.recipients;
  view["status"] = all_read                                  ? "read"
                   : message.delivered == message.recipients ? "delivered"
                                                             : "queued";
  if (message.recipients != 1) {
    view["recipients"] = message.recipients;
    view["delivered"] = message.delivered;
    view["read"] = message.read_by;
    if (message.read_by > 0 && !all_read) {
      view["unread_by"] = NamesOf(message.to, [](const SentTo& one) { return !one.read; });
    }
  }
  return view;
}

Result<Answer> Run(Records& records, const Reading& reading) {
  Result<Agent> agent = ActAs(records, reading.agent);
  if (!agent) return Failure(std::move(agent.error()));
  Result<MessagePage> page = Read(records, reading);
  if (!page) return Failure(std::move(page.error()));
  json::array list;
  for (const Message& message : page->messages) list.emplace_back(View(message, reading.sent));
  Answer answer{.text =
                    fmt::format("{}, {} more unread", Many(list.size(), "message"), page->unread)};
  answer.empty_handed = list.empty();
  answer.content["messages"] = std::move(list);
  answer.content["unread"] = page->unread;
  if (!page->next.empty()) answer.content["next_cursor"] = page->next;
  return answer;
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  Reading reading;
  reading.agent = arguments.Word("agent_id", kMaxId, Need::kRequired).value_or("");
  reading.limit = arguments.Limit();
  reading.session = IdIn(arguments, IdOf::kSession, "session_id");
  reading.sent = arguments.Bool("sent").value_or(false);
  reading.include_read = arguments.Bool("include_read").value_or(false);
  // Who looks back would find what it just read twice.
  reading.mark_read = arguments.Bool("mark_read").value_or(!reading.include_read);
  const std::string cursor = arguments.Word("cursor", kMaxId).value_or("");
  if (reading.sent && reading.session != 0) {
    arguments.Wrong("session_id does not go with sent");
  }
  Result<Cursor> from = CursorOf(cursor, reading.sent ? "s" : "ur");
  if (!from) arguments.Wrong(from.error().message);
  if (from) reading.cursor = *from;
  return Do(arguments, [=](Records& records) { return Run(records, reading); });
}
}  // namespace read_messages

}  // namespace switchyard::orchestration
