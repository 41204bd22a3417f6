// The tables of projects and goals: a step of the service's schema (schema.cc).
#pragma once

#include <string_view>

namespace switchyard::orchestration {

inline constexpr std::string_view kProjectTables = R"(
  INSERT INTO counter (name, value) VALUES
    ('project', 0), ('goal', 0), ('projects_kept', 0), ('goals_kept', 0),
    ('projects_open', 0), ('goals_open', 0);

  ALTER TABLE task ADD COLUMN project BIGINT;
  ALTER TABLE task ADD COLUMN goal BIGINT;
  CREATE INDEX task_project ON task (project, id) WHERE project IS NOT NULL;
  CREATE INDEX task_goal ON task (goal, id) WHERE goal IS NOT NULL;

  -- Projects (kind 0) and goals (kind 1), each with the numbers of its tasks by their states, so
  -- that nobody counts rows. They count tasks that are forgotten by now, too.
  CREATE TABLE effort (
    kind        BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    project     BIGINT NOT NULL,   -- of a goal; 0 = none
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    lead        TEXT NOT NULL,
    status      BIGINT NOT NULL,
    creator     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    pending     BIGINT NOT NULL,
    assigned    BIGINT NOT NULL,
    in_progress BIGINT NOT NULL,
    completed   BIGINT NOT NULL,
    failed      BIGINT NOT NULL,
    cancelled   BIGINT NOT NULL,
    goals       BIGINT NOT NULL,   -- of a project
    goals_open  BIGINT NOT NULL,
    idempotency TEXT,              -- keys are of their creator
    digest      TEXT,              -- of what the first call with this key asked for
    PRIMARY KEY (kind, id)
  );
  CREATE UNIQUE INDEX effort_idempotency ON effort (creator, kind, idempotency)
    WHERE idempotency IS NOT NULL;
  CREATE INDEX effort_creator ON effort (creator, kind, id);
  CREATE INDEX effort_status ON effort (kind, status, id);
  CREATE INDEX effort_project ON effort (project, id) WHERE project > 0;
  CREATE INDEX effort_closed ON effort (updated_at)
    WHERE status >= 3 AND goals_open = 0;
)";

}  // namespace switchyard::orchestration
