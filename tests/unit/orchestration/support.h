// The service's records in memory, one call at a time, with a clock that a test sets.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "orchestration/moves.h"
#include "orchestration/schema.h"
#include "orchestration/tool.h"
#include "store/sqlite_database.h"

namespace switchyard::orchestration {

class Room {
 public:
  explicit Room(const std::string& file = "")
      : database_(std::move(*store::SqliteDatabase::Open({.path = file}, Schema()))) {}

  // What `run` gives, once it is committed.
  template <class Run>
  auto Do(Run run) {
    std::optional<std::invoke_result_t<Run, Records&>> answer;
    std::promise<void> over;
    database_->Submit(
        [&](Database::Transaction& sql) -> Result<void> {
          Records records{.sql = sql, .now = now, .settings = settings, .caller = caller};
          records.may_force = may_force;
          answer = run(records);
          effects = records.effects;
          return *answer ? Result<void>() : Failure(answer->error());
        },
        [&](Result<void> kept) {
          if (*answer) EXPECT_TRUE(kept.has_value()) << kept.error().detail;
          over.set_value();
        });
    over.get_future().wait();
    return std::move(*answer);
  }

  // A call of a tool, without the prefix.
  Result<Answer> Call(std::string_view tool, std::string_view raw = "{}") {
    const Tool* const found = FindTool(std::string(kToolPrefix) + std::string(tool));
    if (found == nullptr) return Failure(Code::kNotFound, Origin::kClient, "no such tool");
    Arguments arguments(raw);
    Result<Operation> operation = found->prepare(arguments);
    if (!operation) return Failure(std::move(operation.error()));
    return Do([&](Records& records) { return operation->run(records); });
  }
  // Its structured content; {"error": the message} of a refusal.
  boost::json::object Get(std::string_view tool, std::string_view raw = "{}") {
    Result<Answer> answer = Call(tool, raw);
    if (answer) return std::move(answer->content);
    return {{"error", answer.error().message}};
  }
  std::string Refusal(std::string_view tool, std::string_view raw = "{}") {
    const Result<Answer> answer = Call(tool, raw);
    return answer ? "" : answer.error().message;
  }
  // An id of a task with this content.
  std::string Create(std::string_view content, std::string_view more = "") {
    const boost::json::object made = Get(
        "create_task", R"({"content":")" + std::string(content) + "\"" + std::string(more) + "}");
    return made.contains("task_id") ? std::string(made.at("task_id").as_string())
                                    : boost::json::serialize(made);
  }
  void Register(std::string_view agent, std::string_view more = "") {
    EXPECT_EQ(Refusal("register_agent",
                      R"({"agent_id":")" + std::string(agent) + "\"" + std::string(more) + "}"),
              "");
  }
  // The ids that it claims, one after the other with blanks between.
  std::string Claim(std::string_view agent, std::string_view more = "") {
    const boost::json::object got =
        Get("poll_tasks",
            R"({"claim":true,"agent_id":")" + std::string(agent) + "\"" + std::string(more) + "}");
    if (!got.contains("tasks")) return boost::json::serialize(got);
    std::string ids;
    for (const boost::json::value& task : got.at("tasks").as_array()) {
      ids += (ids.empty() ? "" : " ") + std::string(task.at("id").as_string());
    }
    return ids;
  }
  std::string StatusOf(std::string_view task) {
    const boost::json::object got = Get("get_task_status", Id(task));
    return got.contains("status") ? std::string(got.at("status").as_string())
                                  : boost::json::serialize(got);
  }
  // Arguments that name a task.
  static std::string Id(std::string_view task, std::string_view more = "") {
    return R"({"task_id":")" + std::string(task) + "\"" + std::string(more) + "}";
  }

  std::int64_t now = 1'800'000'000'000;
  Settings settings;
  std::string caller;
  bool may_force = false;
  Records::Effects effects;

 private:
  std::unique_ptr<store::SqliteDatabase> database_;
};

}  // namespace switchyard::orchestration
