// What SQLite alone does for the rows of the orchestration service: the limit that the service is
// held against. On a database that a gateway made, with its indexes and its settings:
//
//   engine --database FILE --seconds S --group G
//     Inserts, claims, starts and completes tasks, a row a statement, G of them in a commit that
//     waits for the disk. Prints one JSON object.
//
// None of the service's bookkeeping is in it: no tallies, no lanes, no agents.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "engine: %s\n", what.c_str());
  std::exit(1);
}

class Engine {
 public:
  explicit Engine(const std::string& file) {
    if (sqlite3_open(file.c_str(), &sqlite_) != SQLITE_OK) Fail("cannot open " + file);
    for (const char* setting :
         {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA cache_size = -65536"}) {
      Execute(setting);
    }
    begin_ = Prepare("BEGIN IMMEDIATE");
    commit_ = Prepare("COMMIT");
    insert_ = Prepare(
        "INSERT INTO task (id, status, priority, lane, due, waits_for, task_type, content, "
        "requirements, creator, "
        "created_at, deadline, attempts, max_attempts, assigned_at, started_at, finished_at, "
        "lease_ms, fence) VALUES "
        "(?, 0, 1, 1, ?, 0, 'bench', 'Summarise the attached report in three sentences', '[]', '', "
        "1, 0, 0, 3, 0, 0, 0, 0, 0)");
    claim_ = Prepare(
        "UPDATE task SET status = 1, assigned_to = 'agent1', lease_until = 1, lease_ms = 1, "
        "attempts = 1, fence = 1 WHERE "
        "id = (SELECT id FROM task WHERE lane = 1 AND status = 0 AND waits_for = 0 ORDER BY due, "
        "id LIMIT 1) RETURNING id");
    start_ = Prepare("UPDATE task SET status = 2, started_at = 1, lease_until = 2 WHERE id = ?");
    complete_ = Prepare(
        "UPDATE task SET status = 3, finished_at = 2, lease_until = NULL, result = '\"done\"' "
        "WHERE id = ?");
    id_ = Number("SELECT coalesce(max(id), 0) FROM task");
  }
  Engine(const Engine&) = delete;
  ~Engine() {
    for (sqlite3_stmt* statement : {begin_, commit_, insert_, claim_, start_, complete_})
      sqlite3_finalize(statement);
    sqlite3_close(sqlite_);
  }

  // Changes of rows a second.
  double Measure(double seconds, int group) {
    const auto start = Clock::now();
    const auto end = start + std::chrono::duration<double>(seconds);
    std::int64_t changes = 0;
    for (; Clock::now() < end; changes += 4 * group) {
      std::vector<std::int64_t> claimed;
      InCommit(group, [&](int) {
        ++id_;
        Step(insert_, id_, id_);
      });
      InCommit(group, [&](int) { claimed.push_back(Step(claim_)); });
      InCommit(group, [&](int i) { Step(start_, claimed[static_cast<std::size_t>(i)]); });
      InCommit(group, [&](int i) { Step(complete_, claimed[static_cast<std::size_t>(i)]); });
    }
    return static_cast<double>(changes) /
           std::chrono::duration<double>(Clock::now() - start).count();
  }

 private:
  void Execute(const char* sql) {
    if (sqlite3_exec(sqlite_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      Fail(sqlite3_errmsg(sqlite_));
  }
  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(sqlite_, sql, -1, &statement, nullptr) != SQLITE_OK)
      Fail(sqlite3_errmsg(sqlite_));
    return statement;
  }
  // What its first row has, or 0.
  std::int64_t Step(sqlite3_stmt* statement, std::int64_t first = 0, std::int64_t second = 0) {
    const int wants = sqlite3_bind_parameter_count(statement);
    if (wants > 0) sqlite3_bind_int64(statement, 1, first);
    if (wants > 1) sqlite3_bind_int64(statement, 2, second);
    std::int64_t value = 0;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
      value = sqlite3_column_int64(statement, 0);
      code = sqlite3_step(statement);
    }
    if (code != SQLITE_DONE) Fail(sqlite3_errmsg(sqlite_));
    sqlite3_reset(statement);
    return value;
  }
  std::int64_t Number(const char* sql) {
    sqlite3_stmt* statement = Prepare(sql);
    const std::int64_t number = Step(statement);
    sqlite3_finalize(statement);
    return number;
  }
  template <class Change>
  void InCommit(int group, Change change) {
    Step(begin_);
    for (int i = 0; i < group; ++i) change(i);
    Step(commit_);
  }

  sqlite3* sqlite_ = nullptr;
  sqlite3_stmt *begin_, *commit_, *insert_, *claim_, *start_, *complete_;
  std::int64_t id_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  std::string file;
  double seconds = 1;
  int group = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--database")
      file = argv[i + 1];
    else if (flag == "--seconds")
      seconds = std::atof(argv[i + 1]);
    else if (flag == "--group")
      group = std::atoi(argv[i + 1]);
    else
      Fail("unknown flag " + std::string(flag));
  }
  std::printf("{\"changes_per_s\":%.0f}\n", Engine(file).Measure(seconds, group));
}
