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
    at          BIGINT NOT NULL
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
