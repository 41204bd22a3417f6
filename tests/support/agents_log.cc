#include "support/agents_log.h"

#include <cstddef>
#include <map>
#include <set>
#include <utility>

namespace switchyard::tests {
namespace {

using What = LogEntry::What;

// All that the agents say of one task.
struct Life {
  std::set<std::string> keys = {};
  std::map<std::int64_t, std::set<std::size_t>> holders = {};  // by fence
  std::map<std::int64_t, int> claims = {};                     // the same
  std::set<std::string> given = {};                            // results, also unanswered ones
  std::vector<LogEntry> completed = {}, seen = {};
  int given_back = 0;
};

class Judge {
 public:
  void Read(std::size_t agent, const LogEntry& entry);
  std::vector<std::string> Verdict();

 private:
  void Say(const std::string& task, const std::string& what) { wrong_.push_back(task + what); }
  void JudgeClaims(const std::string& task, const Life& life);
  void JudgeEnd(const std::string& task, const Life& life);

  std::map<std::string, Life> lives_;
  std::map<std::string, std::set<std::string>> made_;  // by key
  std::vector<std::string> wrong_;
  std::vector<std::int64_t> counts_;
};

void Judge::Read(std::size_t agent, const LogEntry& entry) {
  if (entry.what == What::kRefused) {
    return Say("agent " + std::to_string(agent), " was refused: " + entry.words);
  }
  if (entry.what == What::kCounted) return counts_.push_back(entry.fence);
  Life& life = lives_[entry.task];
  switch (entry.what) {
    case What::kCreated:
      life.keys.insert(entry.words);
      made_[entry.words].insert(entry.task);
      break;
    case What::kClaimed: ++life.claims[entry.fence]; [[fallthrough]];
    case What::kFoundAgain: life.holders[entry.fence].insert(agent); break;
    case What::kGivingBack: ++life.given_back; break;
    case What::kCompleting: life.given.insert(entry.words); break;
    case What::kCompleted: life.completed.push_back(entry); break;
    case What::kSaw: life.seen.push_back(entry); break;
    case What::kCounted:
    case What::kRefused: break;
  }
}

void Judge::JudgeClaims(const std::string& task, const Life& life) {
  int claims = 0;
  for (const auto& [fence, times] : life.claims) {
    claims += times;
    if (times > 1) Say(task, " was given out twice under fence " + std::to_string(fence));
    const bool after = !life.completed.empty() && fence > life.completed.front().fence;
    if (after) Say(task, " was given out after it was completed");
  }
  for (const auto& [fence, agents] : life.holders) {
    if (agents.size() > 1) Say(task, " had two agents under fence " + std::to_string(fence));
  }
  if (claims > 1 + life.given_back) {
    Say(task, " was given out " + std::to_string(claims) + " times and given back " +
                  std::to_string(life.given_back) + " times");
  }
}

void Judge::JudgeEnd(const std::string& task, const Life& life) {
  if (life.completed.size() > 1) Say(task, " was completed twice");
  if (life.seen.empty()) return Say(task, " was looked at by nobody");
  for (const LogEntry& seen : life.seen) {
    if (seen.status.empty()) {
      Say(task, " is lost");
    } else if (seen.status != "completed") {
      Say(task, " is " + seen.status + ", and nobody has it");
    } else if (!life.given.contains(seen.words)) {
      Say(task, " has a result that nobody gave: " + seen.words);
    } else if (!life.completed.empty() && seen.words != life.completed.front().words) {
      Say(task, " was completed with " + life.completed.front().words + " and has " + seen.words);
    }
  }
}

std::vector<std::string> Judge::Verdict() {
  for (const auto& [task, life] : lives_) {
    if (life.keys.size() > 1) Say(task, " was made for two keys");
    JudgeClaims(task, life);
    JudgeEnd(task, life);
  }
  for (const auto& [key, tasks] : made_) {
    if (tasks.size() > 1) Say("key " + key, " made two tasks");
  }
  for (const std::int64_t count : counts_) {
    if (std::cmp_equal(count, made_.size())) continue;
    wrong_.push_back("there are " + std::to_string(count) + " tasks, and " +
                     std::to_string(made_.size()) + " were asked for");
  }
  if (counts_.empty()) wrong_.emplace_back("nobody counted the tasks");
  return std::move(wrong_);
}

}  // namespace

std::vector<std::string> WhatIsWrong(const std::vector<AgentLog>& logs) {
  Judge judge;
  for (std::size_t agent = 0; agent < logs.size(); ++agent) {
    for (const LogEntry& entry : logs[agent]) judge.Read(agent, entry);
  }
  return judge.Verdict();
}

}  // namespace switchyard::tests
