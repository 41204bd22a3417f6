#include "orchestration/agents.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "orchestration/coordination/sweep.h"
#include "orchestration/lanes.h"
#include "orchestration/locks/locks.h"
#include "orchestration/moves.h"
#include "orchestration/vouching.h"

namespace switchyard::orchestration {
namespace {

using Parameter = Database::Parameter;

constexpr std::int64_t kFinest = 100;  // milliseconds of silence

#define SWITCHYARD_AGENT_COLUMNS                                                            \
  "id, name, role, model_type, model_version, capabilities, team, status, max_concurrent, " \
  "owner, registered_at, heartbeat_at, active, completed, failed, expired, latency_ms, "    \
  "raters, ratings, vouched"

Agent Read(const Database::Row& row) {
  Agent agent{.id = row.Text(0),
              .name = row.Text(1),
              .role = row.Text(2),
              .model_type = row.Text(3),
              .model_version = row.Text(4),
              .capabilities = WordsOf(row.Text(5)),
              .group = row.Text(6),
              .said = row.Text(7),
              .max_concurrent = row.Number(8),
              .owner = row.Text(9),
              .registered_at = row.Number(10),
              .heartbeat_at = row.Number(11)};
  agent.active = row.Number(12);
  agent.completed = row.Number(13);
  agent.failed = row.Number(14);
  agent.expired = row.Number(15);
  agent.latency_ms = row.Number(16);
  agent.raters = row.Number(17);
  agent.ratings = row.Number(18);
  agent.vouched = row.Number(19) != 0;
  return agent;
}

Result<std::vector<Agent>> ReadAgents(Records& records, std::string_view sql,
                                      std::initializer_list<Parameter> parameters) {
  Result<Database::Rows> rows = records.sql.Query(sql, parameters);
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<Agent> agents;
  agents.reserve(rows->size());
  for (const Database::Row& row : *rows) agents.push_back(Read(row));
  return agents;
}

// Those who have all of them, to be told apart further: by the first, which an index has.
Result<std::vector<Agent>> WithCapabilities(Records& records,
                                            const std::vector<std::string>& capabilities) {
  Result<std::vector<Agent>> agents =
      capabilities.empty()
          ? ReadAgents(records, "SELECT " SWITCHYARD_AGENT_COLUMNS " FROM agent ORDER BY id", {})
          : ReadAgents(records,
                       "SELECT " SWITCHYARD_AGENT_COLUMNS
                       " FROM agent WHERE id IN (SELECT agent FROM capability WHERE name = $1) "
                       "ORDER BY id",
                       {capabilities.front()});
  if (!agents) return agents;
  std::erase_if(*agents,
                [&](const Agent& agent) { return !Covers(agent.capabilities, capabilities); });
  return agents;
}

Result<void> StoreCapabilities(Records& records, const Agent& agent) {
  Result<void> done = records.sql.Execute("DELETE FROM capability WHERE agent = $1", {agent.id});
  for (const std::string& name : agent.capabilities) {
    if (!done) return done;
    done = records.sql.Execute("INSERT INTO capability (name, agent) VALUES ($1, $2)",
                               {name, agent.id});
  }
  return done;
}

bool Fits(const Agent& agent, const AgentFilter& filter, const Records& records) {
  const auto is = [](const std::string& wanted, const std::string& has) {
    return wanted.empty() || wanted == has;
  };
  const std::string_view status = agent.StatusAt(records.now, records.settings);
  return agent.id > filter.after && is(filter.role, agent.role) &&
         is(filter.model_type, agent.model_type) && is(filter.group, agent.group) &&
         (filter.statuses.empty() ||
          std::ranges::find(filter.statuses, status) != filter.statuses.end()) &&
         (filter.active_within_ms == 0 ||
          records.now - agent.heartbeat_at <= filter.active_within_ms);
}

// An agent that has nothing to do is not forgotten for that, however soon tasks are.
constexpr std::int64_t kRemembered = 24 * 3'600'000;

// What there is of an agent beside its row, which is gone: whoever has its id next begins anew.
Result<void> Leave(Records& records, const Agent& agent) {
  records.effects.agents.push_back(agent.id);
  Result<std::int64_t> freed = ReleaseLocks(records, agent.id);
  if (!freed) return Failure(std::move(freed.error()));
  Result<void> done = records.sql.Execute("DELETE FROM capability WHERE agent = $1", {agent.id});
  if (done) done = NoteVouched(records, &agent, {.id = agent.id});
  return done ? LeaveCoordination(records, agent.id) : done;
}

Result<std::size_t> LeaveAll(Records& records, Result<Database::Rows> gone) {
  if (!gone) return Failure(std::move(gone.error()));
  for (const Database::Row& row : *gone) {
    if (Result<void> done = Leave(records, Read(row)); !done) {
      return Failure(std::move(done.error()));
    }
  }
  return gone->size();
}

// The longest silent one that is away, has nothing and is anybody's, for nobody proved it.
Result<std::size_t> DisplaceUnproved(Records& records) {
  return LeaveAll(
      records,
      records.sql.Query(
          "DELETE FROM agent WHERE id IN (SELECT id FROM agent WHERE active = 0 AND owner = '' AND "
          "heartbeat_at < $1 AND NOT EXISTS (SELECT 1 FROM file_hold WHERE file_hold.agent = "
          "agent.id) ORDER BY heartbeat_at LIMIT 1) RETURNING " SWITCHYARD_AGENT_COLUMNS,
          {records.now - records.settings.away_ms}));
}

Result<void> MakeRoom(Records& records) {
  Result<Database::Rows> count = records.sql.Query("SELECT count(*) FROM agent");
  if (!count) return Failure(std::move(count.error()));
  if (count->front().Number(0) < kMaxAgents) return {};
  Result<std::size_t> gone = ForgetAgents(records, 100);
  if (gone && *gone == 0) gone = DisplaceUnproved(records);
  if (!gone) return Failure(std::move(gone.error()));
  if (*gone > 0) return {};
  return Refused(fmt::format(
      "there are {} agents already, the most there may be; deregister_agent those that are gone",
      kMaxAgents));
}

std::unexpected<Error> NoAgent(std::string_view id) {
  return Unknown("there is no agent " + std::string(id) + "; register_agent makes one");
}

// A word of an agent that last said something at `heartbeat_at`.
Result<void> Hear(Records& records, std::string_view id, std::string_view owner,
                  std::int64_t heartbeat_at) {
  if (!owner.empty() && owner != records.caller) {
    return Forbidden("agent " + std::string(id) +
                     " was registered by another caller; act as your own");
  }
  const std::int64_t silent = records.now - heartbeat_at;
  if (silent > records.settings.away_ms) records.effects.agents.emplace_back(id);  // it was away
  // Whoever is busy speaks hundreds of times a second; nobody counts silence so finely.
  if (silent >= 0 && silent < std::min(kFinest, records.settings.away_ms / 100)) return {};
  return records.sql.Execute("UPDATE agent SET heartbeat_at = $1 WHERE id = $2", {records.now, id});
}

}  // namespace

std::string_view Agent::StatusAt(std::int64_t now, const Settings& settings) const {
  if (said == "error" || said == "offline") return said;
  if (now - heartbeat_at > settings.away_ms) return "offline";
  return active > 0 ? "working" : std::string_view(said);
}

bool Agent::TakesTasks(std::int64_t now, const Settings& settings) const {
  const std::string_view status = StatusAt(now, settings);
  return status != "offline" && status != "error" && active < max_concurrent;
}

std::int64_t Agent::SuccessRate() const {
  const std::int64_t ended = completed + failed + expired;
  return ended == 0 ? kWhole : kWhole * completed / ended;
}

std::int64_t Agent::Quality() const { return raters == 0 ? kWhole : ratings / raters; }

Result<Agent> FindAgent(Records& records, std::string_view id) {
  Result<std::vector<Agent>> found =
      ReadAgents(records, "SELECT " SWITCHYARD_AGENT_COLUMNS " FROM agent WHERE id = $1", {id});
  if (!found) return Failure(std::move(found.error()));
  if (found->empty()) return NoAgent(id);
  return std::move(found->front());
}

Result<Agent> ActAs(Records& records, std::string_view id) {
  Result<Agent> agent = FindAgent(records, id);
  if (!agent) return agent;
  if (Result<void> may = Hear(records, id, agent->owner, agent->heartbeat_at); !may) {
    return Failure(std::move(may.error()));
  }
  agent->heartbeat_at = records.now;
  return agent;
}

Result<void> SpeakAs(Records& records, std::string_view id) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT owner, heartbeat_at FROM agent WHERE id = $1", {id});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return NoAgent(id);
  return Hear(records, id, rows->front().Text(0), rows->front().Number(1));
}

Result<Agent> Register(Records& records, Agent agent) {
  Result<Agent> known = FindAgent(records, agent.id);
  if (!known && known.error().code != Code::kNotFound) return known;
  if (known) {
    known = ActAs(records, agent.id);
    if (!known) return known;
    // One that nobody proved to have registered is whose who does.
    agent.owner = known->owner.empty() ? records.caller : known->owner;
    agent.registered_at = known->registered_at;
    agent.active = known->active;
    agent.completed = known->completed;
    agent.failed = known->failed;
  } else {
    if (Result<void> room = MakeRoom(records); !room) return Failure(std::move(room.error()));
    agent.owner = records.caller;
    agent.registered_at = records.now;
  }
  agent.heartbeat_at = records.now;
  agent.vouched = records.rights.Has(Right::kVouch);
  Result<void> done = records.sql.Execute(
      "INSERT INTO agent (" SWITCHYARD_AGENT_COLUMNS
      ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
      "$9, $10, $11, $12, 0, 0, 0, 0, 0, 0, 0, $13) ON CONFLICT (id) DO UPDATE SET name = "
      "excluded.name, "
      "role = excluded.role, model_type = excluded.model_type, "
      "model_version = excluded.model_version, capabilities = excluded.capabilities, "
      "team = excluded.team, status = excluded.status, max_concurrent = excluded.max_concurrent, "
      "owner = excluded.owner, heartbeat_at = excluded.heartbeat_at, vouched = excluded.vouched",
      {agent.id, agent.name, agent.role, agent.model_type, agent.model_version,
       ToJson(agent.capabilities), agent.group, agent.said, agent.max_concurrent, agent.owner,
       agent.registered_at, agent.heartbeat_at, agent.vouched ? 1 : 0});
  if (done) done = StoreCapabilities(records, agent);
  if (done) done = NoteVouched(records, known ? &*known : nullptr, agent);
  if (!done) return Failure(std::move(done.error()));
  records.effects.agents.push_back(agent.id);
  return agent;
}

Result<std::int64_t> Deregister(Records& records, std::string_view id) {
  Result<Agent> agent =
      records.rights.Has(Right::kForce) ? FindAgent(records, id) : ActAs(records, id);
  if (!agent) return Failure(std::move(agent.error()));
  Result<std::int64_t> returned = ReturnAll(records, agent->id, "agent " + agent->id + " left");
  if (!returned) return returned;
  Result<void> done = records.sql.Execute("DELETE FROM agent WHERE id = $1", {agent->id});
  if (done) done = Leave(records, *agent);
  if (!done) return Failure(std::move(done.error()));
  return returned;
}

Result<std::size_t> ForgetAgents(Records& records, std::int64_t limit) {
  return LeaveAll(
      records,
      records.sql.Query(
          "DELETE FROM agent WHERE id IN (SELECT id FROM agent WHERE active = 0 AND "
          "heartbeat_at <= $1 ORDER BY heartbeat_at LIMIT $2) RETURNING " SWITCHYARD_AGENT_COLUMNS,
          {records.now - std::max(records.settings.retain_ms, kRemembered), limit}));
}

Result<std::int64_t> Heartbeat(Records& records, std::string_view id, std::string_view status,
                               std::int64_t task, std::int64_t fence) {
  Result<Agent> agent = ActAs(records, id);
  if (!agent) return Failure(std::move(agent.error()));
  if (!status.empty()) {
    if (agent->said != status) records.effects.agents.push_back(agent->id);
    Result<void> said =
        records.sql.Execute("UPDATE agent SET status = $1 WHERE id = $2", {status, agent->id});
    if (!said) return Failure(std::move(said.error()));
  }
  Result<std::int64_t> renewed = Renew(records, agent->id, task, fence);
  if (!renewed || task != 0) return renewed;
  Result<std::int64_t> locks = RenewLocks(records, agent->id);
  if (!locks) return locks;
  return *renewed + *locks;
}

Result<void> NoteAway(Records& records, std::int64_t since) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT id FROM agent WHERE heartbeat_at >= $1 AND heartbeat_at < $2 ORDER BY heartbeat_at",
      {since - records.settings.away_ms, records.now - records.settings.away_ms});
  if (!rows) return Failure(std::move(rows.error()));
  for (const Database::Row& row : *rows) records.effects.agents.push_back(row.Text(0));
  return {};
}

Result<std::vector<Agent>> FindAgents(Records& records, const AgentFilter& filter) {
  Result<std::vector<Agent>> agents = WithCapabilities(records, filter.capabilities);
  if (!agents) return agents;
  std::erase_if(*agents, [&](const Agent& agent) { return !Fits(agent, filter, records); });
  if (std::cmp_greater(agents->size(), filter.limit)) {
    agents->erase(agents->begin() + filter.limit, agents->end());
  }
  return agents;
}

Result<void> NoteEnding(Records& records, std::string_view agent, const Ending& ending) {
  using How = Ending::How;
  const auto one = [&ending](How how) { return ending.how == how ? 1 : 0; };
  // A fifth of each new one: what counts is how fast it is by now.
  return records.sql.Execute(
      "UPDATE agent SET active = active - 1, completed = completed + $1, failed = failed + $2, "
      "expired = expired + $3, latency_ms = CASE WHEN $4 = 0 THEN latency_ms WHEN latency_ms = 0 "
      "THEN $4 ELSE (latency_ms * 4 + $4) / 5 END WHERE id = $5",
      {one(How::kCompleted), one(How::kFailed), one(How::kExpired), ending.took_ms, agent});
}

}  // namespace switchyard::orchestration
