#include "orchestration/schema.h"

#include <array>

#include "orchestration/coordination/tables.h"
#include "orchestration/decomposition/tables.h"
#include "orchestration/locks/tables.h"
#include "orchestration/projects/tables.h"
#include "orchestration/vouching.h"

namespace switchyard::orchestration {
namespace {

// Times are milliseconds since 1970; 0 = never. Lists are JSON.
constexpr std::string_view kFirst = R"(
  CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
  );
  INSERT INTO counter (name, value) VALUES
    ('task', 0), ('lane', 0), ('routed', 0), ('unrouted', 0), ('assigned', 0), ('expired', 0);

  -- How many tasks there are, so that nobody counts rows.
  CREATE TABLE tally (
    status   BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    tasks    BIGINT NOT NULL,
    PRIMARY KEY (status, priority)
  );
  INSERT INTO tally (status, priority, tasks) VALUES
    (0, 0, 0), (0, 1, 0), (0, 2, 0), (1, 0, 0), (1, 1, 0), (1, 2, 0),
    (2, 0, 0), (2, 1, 0), (2, 2, 0), (3, 0, 0), (3, 1, 0), (3, 2, 0),
    (4, 0, 0), (4, 1, 0), (4, 2, 0), (5, 0, 0), (5, 1, 0), (5, 2, 0);

  -- Tasks of one type that need the same capabilities: who may have one may have all of them, so
  -- that a claim looks at the heads of lanes and never at a task that it may not have.
  CREATE TABLE lane (
    id           BIGINT PRIMARY KEY,
    task_type    TEXT NOT NULL,
    requirements TEXT NOT NULL,
    ready        BIGINT NOT NULL,
    UNIQUE (task_type, requirements)
  );
  CREATE INDEX lane_ready ON lane (id) WHERE ready > 0;

  CREATE TABLE task (
    id           BIGINT PRIMARY KEY,
    status       BIGINT NOT NULL,
    priority     BIGINT NOT NULL,
    lane         BIGINT NOT NULL,
    due          BIGINT NOT NULL,   -- the order of the queue, see lanes.h
    waits_for    BIGINT NOT NULL,   -- dependencies that are not completed
    task_type    TEXT NOT NULL,
    content      TEXT NOT NULL,
    requirements TEXT NOT NULL,
    parent       BIGINT,
    creator      TEXT NOT NULL,
    idempotency  TEXT,
    digest       TEXT,              -- of what the first call with this key asked for
    created_at   BIGINT NOT NULL,
    deadline     BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    assigned_to  TEXT,
    assigned_at  BIGINT NOT NULL,
    started_at   BIGINT NOT NULL,
    finished_at  BIGINT NOT NULL,
    lease_until  BIGINT,            -- only while somebody has it
    lease_ms     BIGINT NOT NULL,
    fence        BIGINT NOT NULL,   -- one more with each assignment
    result       TEXT,
    metrics      TEXT,
    error        TEXT
  );
  CREATE INDEX task_ready ON task (lane, due, id) WHERE status = 0 AND waits_for = 0;
  CREATE INDEX task_lease ON task (lease_until) WHERE lease_until IS NOT NULL;
  CREATE INDEX task_held ON task (assigned_to, status, id)
    WHERE lease_until IS NOT NULL;
  CREATE INDEX task_holder ON task (assigned_to, id) WHERE assigned_to IS NOT NULL;
  CREATE INDEX task_status ON task (status, id);
  CREATE INDEX task_type ON task (task_type, id);
  CREATE INDEX task_priority ON task (priority, id);
  CREATE INDEX task_parent ON task (parent, id) WHERE parent IS NOT NULL;
  CREATE INDEX task_finished ON task (finished_at) WHERE finished_at > 0;
  CREATE UNIQUE INDEX task_idempotency ON task (creator, idempotency)
    WHERE idempotency IS NOT NULL;

  CREATE TABLE dependency (
    task  BIGINT NOT NULL,
    needs BIGINT NOT NULL,
    PRIMARY KEY (task, needs)
  );
  CREATE INDEX dependency_needs ON dependency (needs, task);

  CREATE TABLE agent (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    role           TEXT NOT NULL,
    model_type     TEXT NOT NULL,
    model_version  TEXT NOT NULL,
    capabilities   TEXT NOT NULL,
    team           TEXT NOT NULL,
    status         TEXT NOT NULL,   -- as it said itself; away when it says nothing any more
    max_concurrent BIGINT NOT NULL,
    owner          TEXT NOT NULL,   -- the caller that registered it; '' = nobody proved who
    registered_at  BIGINT NOT NULL,
    heartbeat_at   BIGINT NOT NULL,
    active         BIGINT NOT NULL, -- tasks that it has
    completed      BIGINT NOT NULL,
    failed         BIGINT NOT NULL,
    expired        BIGINT NOT NULL,
    latency_ms     BIGINT NOT NULL  -- of its recent tasks, from start to end
  );
  CREATE TABLE capability (
    name  TEXT NOT NULL,
    agent TEXT NOT NULL,
    PRIMARY KEY (name, agent)
  );
  CREATE INDEX capability_agent ON capability (agent);
)";

// Completed tasks for which more waited than are released in one transaction: what is still to do.
constexpr std::string_view kReleasing = R"(
  CREATE TABLE releasing (
    task BIGINT PRIMARY KEY
  );
)";

// A lane counts all tasks of its kind that are not over, so that what is ready is bounded by what
// may be created; what is queued again has its place from then on.
constexpr std::string_view kLanesOfAllThatIsNotOver = R"(
  ALTER TABLE task ADD COLUMN queued_at BIGINT NOT NULL DEFAULT 0;  -- again; 0 = it was not
  ALTER TABLE lane ADD COLUMN unfinished BIGINT NOT NULL DEFAULT 0;
  INSERT INTO lane (id, task_type, requirements, ready)
    SELECT (SELECT value FROM counter WHERE name = 'lane') +
             row_number() OVER (ORDER BY task_type, requirements), task_type, requirements, 0
    FROM (SELECT DISTINCT task_type, requirements FROM task WHERE status < 3) AS kind
    WHERE NOT EXISTS (SELECT 1 FROM lane WHERE lane.task_type = kind.task_type AND
                      lane.requirements = kind.requirements);
  UPDATE counter SET value = (SELECT coalesce(max(id), value) FROM lane) WHERE name = 'lane';
  UPDATE task SET lane = (SELECT id FROM lane WHERE lane.task_type = task.task_type AND
                          lane.requirements = task.requirements) WHERE status < 3;
  UPDATE lane SET unfinished = (SELECT count(*) FROM task WHERE task.task_type = lane.task_type
                                AND task.requirements = lane.requirements AND task.status < 3);
  INSERT INTO counter (name, value) SELECT 'lanes', count(*) FROM lane;
  CREATE INDEX lane_unused ON lane (id) WHERE unfinished = 0;
)";

// What messages take, who sent them as far as that was proved, and whether anybody is still to read
// them.
constexpr std::string_view kBoundsOfMessages = R"(
  ALTER TABLE message ADD COLUMN owner TEXT NOT NULL DEFAULT '';
  ALTER TABLE message ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
  ALTER TABLE message ADD COLUMN awaited BIGINT NOT NULL DEFAULT 0;
  UPDATE message SET bytes = length(content), awaited = (SELECT count(*) FROM delivery JOIN inbox
    ON inbox.box = delivery.box WHERE delivery.message = message.id AND delivery.read_at = 0);
  INSERT INTO counter (name, value) SELECT 'message_bytes', coalesce(sum(bytes), 0) FROM message;
  CREATE INDEX message_pace ON message (sender, sent_at, id);
  CREATE INDEX message_owner ON message (owner, sent_at, id);
  CREATE INDEX message_done ON message (sent_at) WHERE awaited = 0;
)";

// Whose votes go with them, and how many there are.
constexpr std::string_view kBoundsOfEvaluations = R"(
  CREATE INDEX evaluation_voter ON evaluation (voter, box);
  INSERT INTO counter (name, value) SELECT 'evaluations', count(*) FROM evaluation;
)";

// Who says nothing any more is found without a look at everybody.
constexpr std::string_view kSilentAgents = R"(
  CREATE INDEX agent_heartbeat ON agent (heartbeat_at);
)";

// One row for each priority with a number for each state, so that a move writes one row.
constexpr std::string_view kTalliesByPriority = R"(
  CREATE TABLE tallies (
    priority    BIGINT PRIMARY KEY,
    pending     BIGINT NOT NULL,
    assigned    BIGINT NOT NULL,
    in_progress BIGINT NOT NULL,
    completed   BIGINT NOT NULL,
    failed      BIGINT NOT NULL,
    cancelled   BIGINT NOT NULL
  );
  INSERT INTO tallies (priority, pending, assigned, in_progress, completed, failed, cancelled)
    SELECT priority, sum(CASE WHEN status = 0 THEN tasks ELSE 0 END),
      sum(CASE WHEN status = 1 THEN tasks ELSE 0 END),
      sum(CASE WHEN status = 2 THEN tasks ELSE 0 END),
      sum(CASE WHEN status = 3 THEN tasks ELSE 0 END),
      sum(CASE WHEN status = 4 THEN tasks ELSE 0 END),
      sum(CASE WHEN status = 5 THEN tasks ELSE 0 END)
    FROM tally GROUP BY priority;
  DROP TABLE tally;
  ALTER TABLE tallies RENAME TO tally;
)";

// What each caller that proved who it is has of the tasks and of their kinds (shares.h).
constexpr std::string_view kShares = R"(
  CREATE TABLE caller_tasks (
    caller TEXT PRIMARY KEY,
    tasks  BIGINT NOT NULL
  );
  INSERT INTO caller_tasks (caller, tasks)
    SELECT creator, count(*) FROM task WHERE creator <> '' GROUP BY creator;
  ALTER TABLE lane ADD COLUMN owner TEXT NOT NULL DEFAULT '';  -- who needed it first; '' = anybody
)";

// What others gave an agent that did nothing about it, what was ever taken back, and when the
// gateway was last seen to run while anybody had anything (leases.cc).
constexpr std::string_view kPushedAndAlive = R"(
  ALTER TABLE task ADD COLUMN pushed BIGINT NOT NULL DEFAULT 0;
  ALTER TABLE task ADD COLUMN taken_back BIGINT NOT NULL DEFAULT 0;
  INSERT INTO counter (name, value) VALUES ('alive_at', 0);
)";

constexpr std::array kSteps = {kFirst,
                               kReleasing,
                               kCoordinationTables,
                               kLockTables,
                               kLineageTables,
                               kProjectTables,
                               kVouchTables,
                               kLanesOfAllThatIsNotOver,
                               kBoundsOfMessages,
                               kBoundsOfEvaluations,
                               kSilentAgents,
                               kTalliesByPriority,
                               kShares,
                               kPushedAndAlive};

constexpr std::int64_t kApplication = 0x53776f72;  // "Swor"

}  // namespace

const DatabaseSchema& Schema() {
  static constexpr DatabaseSchema kSchema{
      .name = "orchestration", .application = kApplication, .steps = kSteps};
  return kSchema;
}

}  // namespace switchyard::orchestration
