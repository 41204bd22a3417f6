// The tables of file locks: a step of the service's schema (schema.cc).
#pragma once

#include <string_view>

namespace switchyard::orchestration {

inline constexpr std::string_view kLockTables = R"(
  INSERT INTO counter (name, value) VALUES
    ('lock_fence', 0), ('lock_place', 0), ('lock_forced', 0), ('locks_held', 0),
    ('locks_waiting', 0);

  -- Who has a file: one agent, or several that share it.
  CREATE TABLE file_hold (
    path        TEXT NOT NULL,
    agent       TEXT NOT NULL,
    shared      BIGINT NOT NULL,
    fence       BIGINT NOT NULL,   -- of one sequence for all files, so that it grows for each
    ticket      BIGINT NOT NULL,   -- of the call that waited for it and was told last; 0 = none
    owner       TEXT NOT NULL,     -- the caller, as far as it was proved
    was_fence   BIGINT NOT NULL,   -- the one of the shared lock that this call made exclusive
    acquired_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    lease_ms    BIGINT NOT NULL,
    PRIMARY KEY (path, agent)
  );
  CREATE UNIQUE INDEX file_hold_fence ON file_hold (fence);
  CREATE INDEX file_hold_agent ON file_hold (agent, fence);
  CREATE INDEX file_hold_owner ON file_hold (owner);
  CREATE INDEX file_hold_lease ON file_hold (lease_until);

  -- The line before a file, in the order of `place`.
  CREATE TABLE file_wait (
    path    TEXT NOT NULL,
    agent   TEXT NOT NULL,
    place   BIGINT NOT NULL,
    ticket  BIGINT NOT NULL,   -- of the call that waits; a later one of the same agent takes over
    shared  BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,   -- when it gives up, if nobody says so before
    PRIMARY KEY (path, agent)
  );
  CREATE INDEX file_wait_place ON file_wait (path, place);
  CREATE INDEX file_wait_agent ON file_wait (agent);
  CREATE INDEX file_wait_ends ON file_wait (ends_at);

  CREATE INDEX wait_for_about ON wait_for (holder, about);

  -- Locks that were taken away, by whom and why.
  CREATE TABLE file_forced (
    id     BIGINT PRIMARY KEY,
    path   TEXT NOT NULL,
    agent  TEXT NOT NULL,
    fence  BIGINT NOT NULL,
    forcer TEXT NOT NULL,
    caller TEXT NOT NULL,   -- as far as it was proved
    reason TEXT NOT NULL,
    at     BIGINT NOT NULL,
    lacks  BIGINT NOT NULL   -- 1 = the agent had no lock on the file since
  );
  CREATE INDEX file_forced_path ON file_forced (path, id);
  CREATE INDEX file_forced_agent ON file_forced (agent, path, id);
  CREATE INDEX file_forced_at ON file_forced (at);
)";

}  // namespace switchyard::orchestration
