#include "orchestration/lanes.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <boost/json.hpp>

#include "orchestration/shares.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMediumWaits = 5 * 60'000;
constexpr std::int64_t kLowWaits = 30 * 60'000;

// Those that nobody uses go when there is need, some at a time.
constexpr std::int64_t kDroppedAtOnce = 100;

std::unexpected<Error> NoRoom() {
  return Refused("there are " + std::to_string(kMaxLanes) +
                 " kinds of tasks that are not over already (of one type, with the same "
                 "requirements); use those, or complete some");
}

// Of how many nobody uses any.
Result<std::int64_t> Unused(Records& records, const std::set<KindOfTask>& kinds) {
  std::int64_t unused = 0;
  for (const KindOfTask& kind : kinds) {
    Result<Database::Rows> used = records.sql.Query(
        "SELECT id FROM lane WHERE task_type = $1 AND requirements = $2 AND unfinished > 0",
        {kind.first, kind.second});
    if (!used) return Failure(std::move(used.error()));
    if (used->empty()) ++unused;
  }
  return unused;
}

Result<void> MakeRoom(Records& records) {
  Result<Database::Rows> count =
      records.sql.Query("SELECT value FROM counter WHERE name = 'lanes'");
  if (!count) return Failure(std::move(count.error()));
  if (count->front().Number(0) < kMaxLanes) return {};
  Result<Database::Rows> gone = records.sql.Query(
      "DELETE FROM lane WHERE id IN (SELECT id FROM lane WHERE unfinished = 0 ORDER BY id LIMIT "
      "$1) RETURNING id",
      {kDroppedAtOnce});
  if (!gone) return Failure(std::move(gone.error()));
  if (!gone->empty()) return CountUp(records, "lanes", -static_cast<std::int64_t>(gone->size()));
  return NoRoom();
}

Result<std::int64_t> MakeLane(Records& records, const std::string& task_type,
                              const std::string& requirements) {
  // Before anything goes: what is undone again costs all that is committed with it.
  Result<void> room = RefuseMoreKinds(records);
  if (room) room = MakeRoom(records);
  if (!room) return Failure(std::move(room.error()));
  Result<std::int64_t> id = Next(records, "lane");
  if (!id) return id;
  Result<void> made = records.sql.Execute(
      "INSERT INTO lane (id, task_type, requirements, ready, owner) VALUES ($1, $2, $3, 0, $4)",
      {*id, task_type, requirements, records.caller});
  if (made) made = CountUp(records, "lanes");
  if (!made) return Failure(std::move(made.error()));
  return id;
}

// Whoever needs one next that nobody uses has it in its share, not who had it before.
Result<void> TakeOver(Records& records, std::int64_t id, std::string_view owner) {
  if (Result<void> room = RefuseMoreKinds(records); !room) return room;
  if (owner == records.caller) return {};
  return records.sql.Execute("UPDATE lane SET owner = $1 WHERE id = $2", {records.caller, id});
}

}  // namespace

Result<void> RefuseKinds(Records& records, const std::set<KindOfTask>& kinds) {
  Result<std::int64_t> more = Unused(records, kinds);
  if (!more) return Failure(std::move(more.error()));
  if (*more == 0) return {};
  if (Result<void> room = RefuseMoreKinds(records, *more); !room) return room;
  Result<Database::Rows> all = records.sql.Query("SELECT value FROM counter WHERE name = 'lanes'");
  if (!all) return Failure(std::move(all.error()));
  if (all->front().Number(0) + *more <= kMaxLanes) return {};
  Result<Database::Rows> over = records.sql.Query("SELECT count(*) FROM lane WHERE unfinished = 0");
  if (!over) return Failure(std::move(over.error()));
  if (all->front().Number(0) - over->front().Number(0) + *more <= kMaxLanes) return {};
  return NoRoom();
}

Result<void> RefuseTasks(Records& records, std::int64_t more, const std::set<KindOfTask>& kinds) {
  if (more == 0) return {};
  Result<void> room = RefuseMoreTasks(records, more);
  return room ? RefuseKinds(records, kinds) : room;
}

Result<std::int64_t> LaneFor(Records& records, const std::string& task_type,
                             const std::string& requirements) {
  Result<Database::Rows> known = records.sql.Query(
      "SELECT id, unfinished, owner FROM lane WHERE task_type = $1 AND requirements = $2",
      {task_type, requirements});
  if (!known) return Failure(std::move(known.error()));
  if (known->empty()) return MakeLane(records, task_type, requirements);
  const std::int64_t id = known->front().Number(0);
  if (known->front().Number(1) > 0) return id;
  if (Result<void> taken = TakeOver(records, id, known->front().Text(2)); !taken) {
    return Failure(std::move(taken.error()));
  }
  return id;
}

std::int64_t DueAt(std::int64_t created_at, Priority priority, std::int64_t deadline) {
  std::int64_t due = created_at;
  if (priority == Priority::kMedium) due += kMediumWaits;
  if (priority == Priority::kLow) due += kLowWaits;
  return deadline == 0 ? due : std::max(created_at, std::min(due, deadline));
}

Result<std::vector<std::int64_t>> FirstReady(Records& records, const Wanted& wanted) {
  Result<Database::Rows> lanes =
      wanted.task_type.empty()
          ? records.sql.Query("SELECT id, requirements FROM lane WHERE ready > 0")
          : records.sql.Query(
                "SELECT id, requirements FROM lane WHERE task_type = $1 AND ready > 0",
                {wanted.task_type});
  if (!lanes) return Failure(std::move(lanes.error()));
  std::vector<std::pair<std::int64_t, std::int64_t>> heads;  // due, id
  for (const Database::Row& lane : *lanes) {
    const std::string& needed = lane.Text(1);
    if (wanted.capabilities != nullptr && needed != "[]" &&
        !Covers(*wanted.capabilities, WordsOf(needed))) {
      continue;
    }
    Result<Database::Rows> first = records.sql.Query(
        "SELECT due, id FROM task WHERE lane = $1 AND status = 0 AND waits_for = 0 "
        "ORDER BY due, id LIMIT $2",
        {lane.Number(0), wanted.limit});
    if (!first) return Failure(std::move(first.error()));
    for (const Database::Row& row : *first) heads.emplace_back(row.Number(0), row.Number(1));
  }
  std::ranges::sort(heads);
  if (std::cmp_greater(heads.size(), wanted.limit)) {
    heads.resize(static_cast<std::size_t>(wanted.limit));
  }
  std::vector<std::int64_t> ids;
  ids.reserve(heads.size());
  for (const auto& [due, id] : heads) ids.push_back(id);
  return ids;
}

std::string ToJson(std::vector<std::string> words) {
  std::ranges::sort(words);
  const auto twice = std::ranges::unique(words);
  words.erase(twice.begin(), twice.end());
  json::array array;
  for (std::string& word : words) array.emplace_back(std::move(word));
  return json::serialize(array);
}

std::vector<std::string> WordsOf(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  std::vector<std::string> words;
  if (error || !value.is_array()) return words;
  for (const json::value& word : value.get_array()) {
    if (word.is_string()) words.emplace_back(word.get_string());
  }
  return words;
}

bool Covers(const std::vector<std::string>& capabilities, const std::vector<std::string>& needed) {
  return std::ranges::includes(capabilities, needed);
}

}  // namespace switchyard::orchestration
