// The tables of delegation and lineage: a step of the service's schema (schema.cc).
#pragma once

#include <string_view>

namespace switchyard::orchestration {

inline constexpr std::string_view kLineageTables = R"(
  -- Who gave a task on to whom, the last time.
  CREATE TABLE delegation (
    task        BIGINT PRIMARY KEY,
    coordinator TEXT NOT NULL,
    agent       TEXT NOT NULL,
    parent      BIGINT NOT NULL,   -- the task that it is a part of; 0 = none
    depth       BIGINT NOT NULL,   -- 1 = given by who has it from nobody
    budget      BIGINT NOT NULL,   -- 0 = none was named
    handed_out  BIGINT NOT NULL,   -- of it, to subtasks in turn
    at          BIGINT NOT NULL,
    way         TEXT NOT NULL,     -- who gave it on before: JSON, the first one first
    settled     BIGINT NOT NULL    -- 1 = it is over: its budget is spent, or the parent's again
  );
  CREATE INDEX delegation_parent ON delegation (parent, settled, task);

  -- The unfinished parts of a task, so that finished ones cost nothing.
  CREATE INDEX task_part ON task (parent, status, waits_for, id)
    WHERE parent IS NOT NULL AND finished_at = 0;

  -- What a task waited for that is completed, so that whoever does it finds their results.
  CREATE TABLE needed (
    task  BIGINT NOT NULL,
    needs BIGINT NOT NULL,
    PRIMARY KEY (task, needs)
  );

  -- Which results a result was made of.
  CREATE TABLE lineage (
    task   BIGINT NOT NULL,
    source BIGINT NOT NULL,
    PRIMARY KEY (task, source)
  );
  CREATE INDEX lineage_source ON lineage (source, task);
)";

}  // namespace switchyard::orchestration
