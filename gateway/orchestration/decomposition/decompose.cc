#include "orchestration/decomposition/decompose.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

#include <boost/json.hpp>

#include "base/ascii.h"
#include "base/digest.h"
#include "orchestration/dependencies.h"
#include "orchestration/lanes.h"
#include "orchestration/moves.h"

namespace switchyard::orchestration {
namespace {

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

// Of a plain text; "" = it has none.
std::string_view FirstWord(std::string_view plain) {
  const std::size_t begin = plain.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return plain.substr(begin, plain.find(' ', begin) - begin);
}

// The key of what it makes: of the parent, or where that was there, of the first part.
void SetKey(NewTask& task, const Decomposition& wanted) {
  task.idempotency = wanted.idempotency;
  if (!wanted.idempotency.empty()) task.digest = wanted.digest;
}

// What a call before made: the task that has its key; an id of 0 = nothing.
Result<Task> FirstMade(Records& records, const Decomposition& wanted) {
  NewTask key;
  SetKey(key, wanted);
  return MadeByKey(records, key);
}

NewTask NewParent(const Decomposition& wanted) {
  NewTask parent{.content = wanted.text, .priority = wanted.priority, .deadline = wanted.deadline};
  SetKey(parent, wanted);
  return parent;
}

Result<Split> SplitOf(const Decomposition& wanted, const std::string& text) {
  return wanted.split == nullptr ? SplitText(text, wanted.limits) : *wanted.split;
}

using Links = std::map<TaskId, std::vector<TaskId>>;

// Which of these, whose ids follow each other, waits or waited for which.
Result<Links> LinksAmong(Records& records, TaskId first, TaskId last) {
  Links links;
  for (const std::string_view sql :
       {"SELECT task, needs FROM needed WHERE task >= $1 AND task <= $2 ORDER BY task, needs",
        "SELECT task, needs FROM dependency WHERE task >= $1 AND task <= $2 ORDER BY task, "
        "needs"}) {
    Result<Database::Rows> rows = records.sql.Query(sql, {first, last});
    if (!rows) return Failure(std::move(rows.error()));
    for (const Database::Row& row : *rows) links[row.Number(0)].push_back(row.Number(1));
  }
  return links;
}

// The parts that a call before made, with `first` the first of them, or the parent: as they are.
Result<Parts> AsTheyAre(Records& records, const Task& first, TaskId parent) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT id, content, requirements FROM task WHERE parent = $1 AND id >= $2 AND created_at = "
      "$3 ORDER BY id LIMIT $4",
      {parent, first.id, first.created_at, static_cast<std::int64_t>(kMostPieces)});
  if (!rows) return Failure(std::move(rows.error()));
  Parts parts{.split = {.found = "before"}, .parent = parent};
  if (rows->empty()) return parts;
  Result<Links> links = LinksAmong(records, rows->front().Number(0), rows->back().Number(0));
  if (!links) return Failure(std::move(links.error()));
  std::map<TaskId, std::string> refs;
  for (const Database::Row& row : *rows) {
    const TaskId id = row.Number(0);
    Piece piece{.ref = std::to_string(refs.size() + 1), .text = row.Text(1)};
    for (const TaskId needed : (*links)[id]) {
      if (refs.contains(needed)) piece.needs.push_back(refs[needed]);
    }
    refs[id] = piece.ref;
    parts.tasks.push_back(id);
    parts.split.pieces.push_back(std::move(piece));
    parts.requirements.push_back(WordsOf(row.Text(2)));
  }
  return parts;
}

// The same, as they were told if the text still splits into them.
Result<Parts> MadeBefore(Records& records, const Decomposition& wanted, const Task& first) {
  Result<Parts> parts = AsTheyAre(records, first, wanted.parent == 0 ? first.id : wanted.parent);
  if (!parts) return parts;
  const Result<std::string> text = TextOf(records, wanted);
  if (!text) return parts;  // the parent is forgotten by now
  Result<Split> split = SplitOf(wanted, *text);
  if (split &&
      std::ranges::equal(split->pieces, parts->split.pieces, {}, &Piece::text, &Piece::text)) {
    parts->split = std::move(*split);
  }
  return parts;
}

Result<void> IsOpen(const Task& parent) {
  if (!IsFinished(parent.status)) return {};
  return Refused("task " + ToText(parent.id) + " is " + std::string(ToString(parent.status)) +
                 "; decompose one that is not over");
}

// What may refuse the parts comes before anything is written, and is asked once for all of them:
// what is undone again costs all that is committed with it. Gives the parent, made if need be.
Result<Task> ParentWithRoom(Records& records, const Decomposition& wanted, const Parts& parts) {
  const NewTask made = NewParent(wanted);
  Task parent{.task_type = made.task_type};
  auto more = static_cast<std::int64_t>(parts.split.pieces.size());
  std::set<KindOfTask> kinds;
  if (wanted.parent == 0) {
    ++more;
    kinds.emplace(made.task_type, ToJson(made.requirements));
  } else {
    Result<Task> found = Find(records, wanted.parent);
    if (!found) return found;
    Result<void> may = IsOpen(*found);
    if (may) may = MayAddParts(records, *found);
    if (may && found->status == Status::kPending) {
      may = RefuseMoreNeeds(records, *found, parts.split.last.size());
    }
    if (!may) return Failure(std::move(may.error()));
    parent = std::move(*found);
  }
  for (const auto& requirements : parts.requirements) {
    kinds.emplace(parent.task_type, ToJson(requirements));
  }
  if (Result<void> room = RefuseTasks(records, more, kinds); !room) {
    return Failure(std::move(room.error()).In("subtasks"));
  }
  return wanted.parent == 0 ? Create(records, made) : parent;
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
  // From name to name: an agent more that has one costs nothing.
  Result<Database::Rows> rows = records.sql.Query(
      "WITH RECURSIVE known AS (SELECT min(name) AS name FROM capability UNION ALL SELECT (SELECT "
      "min(name) FROM capability WHERE name > known.name) FROM known WHERE known.name IS NOT NULL) "
      "SELECT name FROM known WHERE name IS NOT NULL LIMIT $1",
      {static_cast<std::int64_t>(kMaxCapabilities)});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<std::string> names;
  names.reserve(rows->size());
  for (const Database::Row& row : *rows) names.push_back(row.Text(0));
  return names;
}

Vocabulary::Vocabulary(const std::vector<std::string>& known) {
  for (const std::string& name : known) {
    std::string plain = Plain(name);
    if (plain.find_first_not_of(' ') == std::string::npos) continue;
    std::string first(FirstWord(plain));
    names_.push_back({.name = name, .plain = std::move(plain), .first = std::move(first)});
  }
}

std::vector<std::string> Vocabulary::In(std::string_view text) const {
  const std::string plain = Plain(text);
  // Most of them are told by their first word not to be in it.
  std::unordered_set<std::string_view> words;
  for (std::string_view rest = plain; !FirstWord(rest).empty();) {
    const std::string_view word = FirstWord(rest);
    words.insert(word);
    rest.remove_prefix(static_cast<std::size_t>(word.data() - rest.data()) + word.size());
  }
  std::vector<std::string> found;
  for (const Name& one : names_) {
    if (!words.contains(one.first) || !plain.contains(one.plain)) continue;
    found.push_back(one.name);
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

std::vector<std::string> CapabilitiesIn(std::string_view text,
                                        const std::vector<std::string>& known) {
  return Vocabulary(known).In(text);
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
  Result<Split> split = SplitOf(wanted, *text);
  if (!split) return Failure(std::move(split.error()));
  Result<std::vector<std::string>> known = Suggested(records, wanted);
  if (!known) return Failure(std::move(known.error()));
  Parts parts{.split = std::move(*split), .parent = wanted.parent};
  const Vocabulary vocabulary(*known);
  for (const Piece& piece : parts.split.pieces) {
    parts.requirements.push_back(vocabulary.In(piece.text));
  }
  return parts;
}

void Settle(Decomposition& wanted) {
  if (!wanted.idempotency.empty()) {
    const boost::json::array all{wanted.parent,   wanted.text,        ToString(wanted.priority),
                                 wanted.deadline, wanted.limits.most, wanted.limits.depth};
    wanted.digest = Sha256(boost::json::serialize(all)).substr(0, 32);
  }
  if (wanted.text.empty()) return;
  wanted.split = std::make_shared<const Result<Split>>(SplitText(wanted.text, wanted.limits));
}

Result<bool> WasMade(Records& records, const Decomposition& wanted) {
  Result<Task> first = FirstMade(records, wanted);
  if (!first) return Failure(std::move(first.error()));
  return first->id != 0;
}

Result<Parts> Decompose(Records& records, const Decomposition& wanted) {
  // Before all else: what the text splits into by now, or a model says of it, is not asked for.
  Result<Task> before = FirstMade(records, wanted);
  if (!before) return Failure(std::move(before.error()));
  if (before->id != 0) return MadeBefore(records, wanted, *before);
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
  Result<Task> parent = ParentWithRoom(records, wanted, *parts);
  if (!parent) return Failure(std::move(parent.error()));
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
    if (i == 0 && wanted.parent != 0) SetKey(task, wanted);
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

}  // namespace switchyard::orchestration
