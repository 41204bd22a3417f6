// What agents say that they can do, where rules of authorize go by it: only what who registered
// them had the right to vouch for (rights.h), and no longer than the agent is there. Changes are
// numbered in the records, so that the directory of each process can tell whether it has them all.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/agent_directory.h"
#include "orchestration/agents.h"
#include "orchestration/records.h"

namespace switchyard::orchestration {

// Tables, as a step of the schema.
inline constexpr std::string_view kVouchTables = R"(
  INSERT INTO counter (name, value) VALUES ('vouched', 0);
  -- Whether who registered it had the right to vouch for its capabilities.
  ALTER TABLE agent ADD COLUMN vouched BIGINT NOT NULL DEFAULT 0;
  CREATE INDEX agent_vouched ON agent (vouched, id) WHERE vouched = 1;
)";

// Of one that was registered, or is gone: what counts of it from now on, if that is something else
// than `before` (null: it was not there).
Result<void> NoteVouched(Records& records, const Agent* before, const Agent& now);

// What is to be told to a directory that is behind; serial -1: it is not.
struct Vouched {
  std::int64_t serial = -1;
  std::vector<AgentDirectory::Entry> all = {};
};

// Tells a directory, if there is one. Thread-safe.
class Vouching {
 public:
  explicit Vouching(AgentDirectory* directory) : directory_(directory) {}  // outlives it

  void Trust(const Settings& settings) const;
  // In a transaction; to be published after its commit.
  Result<void> Read(Records& records, Vouched& into) const;
  void Publish(const Vouched& vouched) const;
  void Publish(const Records::Effects& effects) const;

 private:
  AgentDirectory* const directory_;
};

}  // namespace switchyard::orchestration
