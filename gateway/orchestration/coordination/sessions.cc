#include "orchestration/coordination/sessions.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "orchestration/coordination/ids.h"
#include "orchestration/coordination/inbox.h"
#include "orchestration/coordination/messages.h"
#include "orchestration/coordination/pace.h"
#include "orchestration/size.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

#define SWITCHYARD_SESSION_COLUMNS                                                        \
  "s.id, s.title, s.description, s.context, s.coordinator, s.box, s.creator, s.outcome, " \
  "s.created_at, s.updated_at, s.closed_at"

Session ReadSession(const Database::Row& row) {
  return {.id = row.Number(0),
          .title = row.Text(1),
          .description = row.Text(2),
          .context = row.Text(3),
          .coordinator = row.Text(4),
          .box = row.Number(5),
          .creator = row.Text(6),
          .outcome = row.Text(7),
          .created_at = row.Number(8),
          .updated_at = row.Number(9),
          .closed_at = row.Number(10)};
}

std::unexpected<Error> NoSession(std::int64_t id) {
  return Unknown("there is no session " + ToText(IdOf::kSession, id) +
                 " of yours; list_collaboration_sessions shows those there are");
}

Result<void> ReadParticipants(Records& records, Session& session) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT p.agent FROM participant AS p JOIN inbox AS i ON i.box = p.box WHERE p.session = $1",
      {session.id});
  if (!rows) return Failure(std::move(rows.error()));
  for (const Database::Row& row : *rows) session.participants.push_back(row.Text(0));
  std::ranges::sort(session.participants);
  return {};
}

Result<void> Join(Records& records, Session& session, const std::string& agent) {
  Result<Agent> known = FindAgent(records, agent);
  if (!known) return Failure(std::move(known.error()).In("participants"));
  Result<Inbox> inbox = InboxOf(records, agent);
  if (!inbox) return Failure(std::move(inbox.error()));
  return records.sql.Execute(
      "INSERT INTO participant (session, box, agent) VALUES ($1, $2, $3) ON CONFLICT (session, "
      "box) DO NOTHING",
      {session.id, inbox->box, agent});
}

Result<void> Leave(Records& records, Session& session, const std::string& agent) {
  if (agent == session.coordinator) {
    return Refused("the coordinator cannot leave; close_collaboration_session ends the session");
  }
  // By its name: whoever had it when it joined.
  return records.sql.Execute("DELETE FROM participant WHERE session = $1 AND agent = $2",
                             {session.id, agent});
}

Result<void> MakeRoom(Records& records, std::int64_t box, const std::string& coordinator) {
  if (Result<void> room = RefuseAdding(records); !room) return room;
  Result<Database::Rows> all =
      records.sql.Query("SELECT value FROM counter WHERE name = 'sessions_open'");
  if (!all) return Failure(std::move(all.error()));
  if (all->front().Number(0) >= kMostSessions) {
    return Refused(
        fmt::format("there are {} open sessions, the most there may be; "
                    "close_collaboration_session ends those that are over",
                    kMostSessions));
  }
  Result<Database::Rows> own = records.sql.Query(
      "SELECT count(*) FROM collaboration WHERE box = $1 AND closed_at = 0", {box});
  if (!own) return Failure(std::move(own.error()));
  if (own->front().Number(0) < kMostCoordinated) return {};
  return Refused(
      fmt::format("agent {} coordinates {} open sessions, the most it may; "
                  "close_collaboration_session ends those that are over",
                  coordinator, kMostCoordinated));
}

Result<void> Touch(Records& records, Session& session) {
  session.updated_at = records.now;
  return records.sql.Execute("UPDATE collaboration SET updated_at = $1, context = $2 WHERE id = $3",
                             {records.now, session.context, session.id});
}

Result<void> Tell(Records& records, const Session& session, const std::string& agent,
                  std::vector<std::string> whom, const std::string& type, const std::string& text) {
  std::erase(whom, agent);
  if (whom.empty()) return {};
  return Notify(records, {.sender = agent,
                          .recipients = std::move(whom),
                          .type = type,
                          .content = text,
                          .session = session.id});
}

Result<void> Merge(Session& session, const std::string& update) {
  if (update.empty()) return {};
  json::object whole = json::parse(session.context).as_object();
  for (auto& [key, value] : json::parse(update).as_object()) {
    if (value.is_null()) {
      whole.erase(key);
    } else {
      whole.insert_or_assign(key, value);
    }
  }
  session.context = json::serialize(whole);
  if (session.context.size() <= kMaxMessage) return {};
  return Refused(fmt::format("context would have {} bytes, at most {}; null removes a member of it",
                             session.context.size(), kMaxMessage));
}

Result<Session> OpenOne(Records& records, std::int64_t id, const std::string& agent) {
  Result<Session> session = FindSession(records, id, agent);
  if (!session || session->open()) return session;
  return Refused("session " + ToText(IdOf::kSession, id) +
                 " is closed; create_collaboration_session makes another one");
}

Result<void> Close(Records& records, Session& session, std::string outcome) {
  session.outcome = std::move(outcome);
  session.closed_at = records.now;
  Result<void> done =
      records.sql.Execute("UPDATE collaboration SET closed_at = $1, outcome = $2 WHERE id = $3",
                          {session.closed_at, session.outcome, session.id});
  if (done) done = CountUp(records, "sessions_open", -1);
  return done;
}

}  // namespace

Result<Session> Create(Records& records, const NewSession& wanted) {
  Result<Agent> coordinator = ActAs(records, wanted.coordinator);
  if (!coordinator) return Failure(std::move(coordinator.error()).In("coordinator_model_id"));
  Result<Inbox> own = InboxOf(records, coordinator->id);
  if (!own) return Failure(std::move(own.error()));
  Result<void> done = MakeRoom(records, own->box, coordinator->id);
  // Participants are told, so that a flood of sessions is a flood of messages.
  if (done) done = MaySend(records, coordinator->id);
  if (!done) return Failure(std::move(done.error()));
  Result<std::int64_t> id = Next(records, "session");
  if (!id) return Failure(std::move(id.error()));
  Session session{.id = *id,
                  .title = wanted.title,
                  .description = wanted.description,
                  .context = wanted.context,
                  .coordinator = coordinator->id,
                  .box = own->box,
                  .creator = std::string(records.caller),
                  .created_at = records.now,
                  .updated_at = records.now};
  done = records.sql.Execute(
      "INSERT INTO collaboration (id, title, description, context, coordinator, box, creator, "
      "outcome, created_at, updated_at, closed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, "
      "$9, 0)",
      {session.id, session.title, session.description, session.context, session.coordinator,
       session.box, session.creator, session.created_at, session.updated_at});
  if (done) done = CountUp(records, "sessions_open");
  if (done) done = Join(records, session, session.coordinator);
  for (const std::string& agent : wanted.participants) {
    if (done) done = Join(records, session, agent);
  }
  if (done) done = ReadParticipants(records, session);
  if (done) {
    done = Tell(records, session, session.coordinator, session.participants, "session_invitation",
                session.title);
  }
  if (!done) return Failure(std::move(done.error()));
  return session;
}

Result<Session> FindSession(Records& records, std::int64_t id, std::string_view agent) {
  std::int64_t box = 0;
  if (!agent.empty()) {
    Result<Agent> acting = ActAs(records, agent);
    if (!acting) return Failure(std::move(acting.error()));
    Result<Inbox> inbox = FindInbox(records, agent);
    if (!inbox) return Failure(std::move(inbox.error()));
    box = inbox->box;
  }
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT " SWITCHYARD_SESSION_COLUMNS " FROM collaboration AS s WHERE s.id = $1", {id});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return NoSession(id);
  Session session = ReadSession(rows->front());
  if (agent.empty()) {
    if (session.creator != records.caller) return NoSession(id);
  } else {
    Result<Database::Rows> in =
        records.sql.Query("SELECT box FROM participant WHERE session = $1 AND box = $2", {id, box});
    if (!in) return Failure(std::move(in.error()));
    if (in->empty()) return NoSession(id);
  }
  if (Result<void> read = ReadParticipants(records, session); !read) {
    return Failure(std::move(read.error()));
  }
  return session;
}

Result<Session> Update(Records& records, std::int64_t id, const std::string& agent,
                       const SessionUpdate& update) {
  Result<Session> session = OpenOne(records, id, agent);
  if (!session) return session;
  if (!(update.add.empty() && update.remove.empty()) && agent != session->coordinator) {
    return Forbidden("only the coordinator of the session, agent " + session->coordinator +
                     ", adds and removes participants");
  }
  Result<void> done = {};
  const std::size_t before = session->context.size();
  if (!update.add.empty()) done = MaySend(records, agent);
  if (done) done = Merge(*session, update.context);
  if (done && session->context.size() > before) done = RefuseAdding(records);
  for (const std::string& one : update.add) {
    if (done) done = Join(records, *session, one);
  }
  for (const std::string& one : update.remove) {
    if (done) done = Leave(records, *session, one);
  }
  session->participants.clear();
  if (done) done = ReadParticipants(records, *session);
  if (done && session->participants.size() > kMaxList + 1) {
    return Refused(
        fmt::format("a session has at most {} participants besides its coordinator", kMaxList));
  }
  if (done) {
    done = Tell(records, *session, agent, update.add, "session_invitation", session->title);
  }
  if (done) done = Touch(records, *session);
  if (!done) return Failure(std::move(done.error()));
  return session;
}

Result<std::vector<std::string>> OthersIn(Records& records, std::int64_t id,
                                          const std::string& agent) {
  Result<Session> session = OpenOne(records, id, agent);
  if (!session) return Failure(std::move(session.error()));
  if (Result<void> done = Touch(records, *session); !done) return Failure(std::move(done.error()));
  std::erase(session->participants, agent);
  if (!session->participants.empty()) return std::move(session->participants);
  return Refused("nobody else is in session " + ToText(IdOf::kSession, id));
}

Result<Session> CloseSession(Records& records, std::int64_t id, const std::string& agent,
                             std::string outcome) {
  Result<Session> session = OpenOne(records, id, agent);
  if (!session) return session;
  if (agent != session->coordinator) {
    Result<bool> lives = Lives(records, session->box);
    if (!lives) return Failure(std::move(lives.error()));
    if (*lives) {
      return Forbidden("only the coordinator of the session, agent " + session->coordinator +
                       ", closes it");
    }
  }
  Result<void> done = Close(records, *session, std::move(outcome));
  if (done) {
    done = Tell(records, *session, agent, session->participants, "session_closed",
                session->outcome.empty() ? session->title : session->outcome);
  }
  if (!done) return Failure(std::move(done.error()));
  return session;
}

Result<SessionPage> ListSessions(Records& records, const std::string& agent,
                                 std::optional<bool> open, std::int64_t before,
                                 std::int64_t limit) {
  const std::int64_t from = before == 0 ? INT64_MAX : before;
  // Which of: open ones, closed ones.
  const int wants_open = open.value_or(true) ? 1 : 0, wants_closed = open.value_or(false) ? 0 : 1;
  Result<Database::Rows> rows = Database::Rows();
  if (agent.empty()) {
    rows = records.sql.Query(
        "SELECT " SWITCHYARD_SESSION_COLUMNS
        " FROM collaboration AS s WHERE s.creator = $1 AND s.id < $2 AND ((s.closed_at = 0 AND $3 "
        "= 1) OR (s.closed_at > 0 AND $4 = 1)) ORDER BY s.id DESC LIMIT $5",
        {records.caller, from, wants_open, wants_closed, limit + 1});
  } else {
    Result<Agent> acting = ActAs(records, agent);
    if (!acting) return Failure(std::move(acting.error()));
    Result<Inbox> inbox = FindInbox(records, agent);
    if (!inbox) return Failure(std::move(inbox.error()));
    rows = records.sql.Query(
        "SELECT " SWITCHYARD_SESSION_COLUMNS
        " FROM participant AS p JOIN collaboration AS s ON s.id = p.session WHERE p.box = $1 AND "
        "p.session < $2 AND ((s.closed_at = 0 AND $3 = 1) OR (s.closed_at > 0 AND $4 = 1)) ORDER "
        "BY p.session DESC LIMIT $5",
        {inbox->box, from, wants_open, wants_closed, limit + 1});
  }
  if (!rows) return Failure(std::move(rows.error()));
  SessionPage page;
  for (const Database::Row& row : *rows) {
    if (std::cmp_equal(page.sessions.size(), limit)) {
      page.next = page.sessions.back().id;
      break;
    }
    page.sessions.push_back(ReadSession(row));
  }
  return page;
}

Result<bool> SweepSessions(Records& records, std::int64_t limit) {
  const std::int64_t old = records.now - records.settings.retain_ms;
  Result<Database::Rows> idle = records.sql.Query(
      "SELECT " SWITCHYARD_SESSION_COLUMNS
      " FROM collaboration AS s WHERE s.closed_at = 0 AND s.updated_at <= $1 ORDER BY "
      "s.updated_at LIMIT $2",
      {old, limit});
  if (!idle) return Failure(std::move(idle.error()));
  for (const Database::Row& row : *idle) {
    Session session = ReadSession(row);
    Result<void> done = Close(records, session, "nothing happened in it for too long");
    if (!done) return Failure(std::move(done.error()));
  }
  Result<Database::Rows> over = records.sql.Query(
      "SELECT id FROM collaboration WHERE closed_at > 0 AND closed_at <= $1 ORDER BY closed_at "
      "LIMIT $2",
      {old, limit});
  if (!over) return Failure(std::move(over.error()));
  for (const Database::Row& row : *over) {
    const std::int64_t id = row.Number(0);
    Result<void> done = records.sql.Execute("DELETE FROM participant WHERE session = $1", {id});
    if (done) done = records.sql.Execute("DELETE FROM collaboration WHERE id = $1", {id});
    if (!done) return Failure(std::move(done.error()));
  }
  return std::cmp_equal(idle->size(), limit) || std::cmp_equal(over->size(), limit);
}

}  // namespace switchyard::orchestration
