#include "orchestration/decomposition/decompose.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/ascii.h"
#include "orchestration/agents.h"
#include "orchestration/lanes.h"
#include "orchestration/moves.h"

namespace switchyard::orchestration {
namespace {

constexpr std::int64_t kMostCapabilities = 1'000;

bool IsWordChar(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte >= 0x80;
}

// Small letters; whatever is no letter or digit is a blank, also at both ends.
std::string Plain(std::string_view text) {
  std::string plain = " ";
  for (const char c : LowerAscii(text)) {
    plain += IsWordChar(c) || c == '+' || c == '#' ? c : ' ';
  }
  return plain + " ";
}

// What is to be split.
Result<std::string> TextOf(Records& records, const Decomposition& wanted) {
  if (!wanted.text.empty()) return wanted.text;
  Result<Task> parent = Find(records, wanted.parent);
  if (!parent) return Failure(std::move(parent.error()));
  return std::move(parent->content);
}

Result<std::vector<std::string>> Suggested(Records& records, const Decomposition& wanted) {
  if (!wanted.capabilities.empty()) return wanted.capabilities;
  return KnownCapabilities(records);
}

Result<Task> MakeParent(Records& records, const Decomposition& wanted) {
  if (wanted.parent != 0) return Find(records, wanted.parent);
  return Create(records,
                {.content = wanted.text, .priority = wanted.priority, .deadline = wanted.deadline});
}

Result<void> IsOpen(const Task& parent) {
  if (!IsFinished(parent.status)) return {};
  return Refused("task " + ToText(parent.id) + " is " + std::string(ToString(parent.status)) +
                 "; decompose one that is not over");
}

// The parent is done after its parts, unless somebody works on it already.
Result<void> LetWait(Records& records, const Task& parent, const Parts& parts,
                     const std::map<std::string, TaskId>& ids) {
  if (parent.status != Status::kPending) return {};
  Update update;
  for (const std::string& ref : parts.split.last) update.depends_on.push_back(ids.at(ref));
  Result<Task> waits = Change(records, parent.id, std::move(update));
  if (!waits) return Failure(std::move(waits.error()));
  return {};
}

}  // namespace

Result<std::vector<std::string>> KnownCapabilities(Records& records) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT name FROM capability GROUP BY name ORDER BY name LIMIT $1", {kMostCapabilities});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<std::string> names;
  names.reserve(rows->size());
  for (const Database::Row& row : *rows) names.push_back(row.Text(0));
  return names;
}

std::vector<std::string> CapabilitiesIn(std::string_view text,
                                        const std::vector<std::string>& known) {
  const std::string plain = Plain(text);
  std::vector<std::string> found;
  for (const std::string& name : known) {
    const std::string wanted = Plain(name);
    const bool blank = wanted.find_first_not_of(' ') == std::string::npos;
    if (blank || !plain.contains(wanted)) continue;
    found.push_back(name);
    if (found.size() >= kMaxList) break;
  }
  std::ranges::sort(found);
  return found;
}

Result<Brief> BriefOf(Records& records, const Decomposition& wanted) {
  Result<std::string> text = TextOf(records, wanted);
  if (!text) return Failure(std::move(text.error()));
  Result<std::vector<std::string>> known = Suggested(records, wanted);
  if (!known) return Failure(std::move(known.error()));
  return Brief{
      .text = std::move(*text), .capabilities = std::move(*known), .most = wanted.limits.most};
}

Result<Parts> Preview(Records& records, const Decomposition& wanted) {
  Result<std::string> text = TextOf(records, wanted);
  if (!text) return Failure(std::move(text.error()));
  if (wanted.plan) {
    // It was asked for outside of this transaction.
    if (wanted.planned != *text) {
      return Refused("task " + ToText(wanted.parent) +
                     " changed while it was planned; call decompose_task again");
    }
    return Parts{.split = wanted.plan->split,
                 .requirements = wanted.plan->requirements,
                 .parent = wanted.parent};
  }
  Result<Split> split = SplitText(*text, wanted.limits);
  if (!split) return Failure(std::move(split.error()));
  Result<std::vector<std::string>> known = Suggested(records, wanted);
  if (!known) return Failure(std::move(known.error()));
  Parts parts{.split = std::move(*split), .parent = wanted.parent};
  for (const Piece& piece : parts.split.pieces) {
    parts.requirements.push_back(CapabilitiesIn(piece.text, *known));
  }
  return parts;
}

Result<Parts> Decompose(Records& records, const Decomposition& wanted) {
  Result<Parts> parts = Preview(records, wanted);
  if (!parts) return parts;
  if (parts->split.pieces.empty()) {
    if (wanted.plan) {
      return Refused(
          "the planner sees nothing to split in it; write the parts as a list and say planner: "
          "structure, or use create_tasks");
    }
    return Refused(
        "the text has no parts to tell apart: no list, no numbered steps, no \"and then\"; write "
        "them as a list, or use create_tasks");
  }
  Result<Task> parent = MakeParent(records, wanted);
  if (!parent) return Failure(std::move(parent.error()));
  if (Result<void> open = IsOpen(*parent); !open) return Failure(std::move(open.error()));
  parts->parent = parent->id;
  std::map<std::string, TaskId> ids;
  for (std::size_t i = 0; i < parts->split.pieces.size(); ++i) {
    const Piece& piece = parts->split.pieces[i];
    NewTask task{.content = piece.text,
                 .task_type = parent->task_type,
                 .priority = parent->priority,
                 .requirements = parts->requirements[i],
                 .parent = parent->id,
                 .deadline = parent->deadline};
    for (const std::string& ref : piece.needs) task.depends_on.push_back(ids.at(ref));
    Result<Task> made = Create(records, task);
    if (!made) return Failure(std::move(made.error()).In("subtask " + piece.ref));
    ids[piece.ref] = made->id;
    parts->tasks.push_back(made->id);
  }
  if (Result<void> waits = LetWait(records, *parent, *parts, ids); !waits) {
    return Failure(std::move(waits.error()));
  }
  return parts;
}

Result<void> IsOpen(Records& records, TaskId parent) {
  Result<Task> task = Find(records, parent);
  if (!task) return Failure(std::move(task.error()));
  return IsOpen(*task);
}

Result<std::vector<TaskId>> ChildrenOf(Records& records, TaskId parent, std::int64_t limit) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT id FROM task WHERE parent = $1 ORDER BY id LIMIT $2", {parent, limit});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<TaskId> ids;
  ids.reserve(rows->size());
  for (const Database::Row& row : *rows) ids.push_back(row.Number(0));
  return ids;
}

Result<std::vector<Handed>> HandOutTasks(Records& records, const HandOut& wanted) {
  std::vector<std::string> excluded;
  if (!wanted.among.empty()) {
    Result<std::vector<Agent>> all = FindAgents(records, {.limit = kMaxAgents});
    if (!all) return Failure(std::move(all.error()));
    for (const Agent& agent : *all) {
      if (!std::ranges::binary_search(wanted.among, agent.id)) excluded.push_back(agent.id);
    }
  }
  std::vector<Handed> handed;
  for (const TaskId id : wanted.tasks) {
    Result<Task> task = Find(records, id);
    if (!task) return Failure(std::move(task.error()));
    Handed one{.task = id};
    if (!task->ready()) {
      one.why = task->status == Status::kPending ? "waits for " + std::to_string(task->waits_for) +
                                                       (task->waits_for == 1 ? " other" : " others")
                                                 : std::string(ToString(task->status));
      handed.push_back(std::move(one));
      continue;
    }
    Result<std::vector<Candidate>> best = Rank(records, WordsOf(task->requirements), excluded, 1);
    if (!best) return Failure(std::move(best.error()));
    if (best->empty()) {
      one.why = "no capable agent is available";
      handed.push_back(std::move(one));
      continue;
    }
    Result<Task> given = Assign(records, id, best->front().agent.id, wanted.lease_ms);
    if (!given) return Failure(std::move(given.error()));
    one.agent = given->assigned_to;
    one.fence = given->fence;
    one.why = best->front().why;
    handed.push_back(std::move(one));
  }
  return handed;
}

}  // namespace switchyard::orchestration
