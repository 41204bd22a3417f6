// What no tool takes, whatever it is: each argument of each tool in every wrong form, from the
// schemas that are listed and the examples of docs/orchestration.md. A refusal names the argument,
// shows nothing of the inside, echoes little, and changes nothing.
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/page.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kLongestRefusal = 700;

// The argument of which this one is another name; "" = of none.
std::string SecondNameOf(const json::object& schema) {
  constexpr std::string_view kSame = "The same as ";
  const json::value* const said = schema.if_contains("description");
  if (said == nullptr || !std::string_view(said->as_string()).starts_with(kSame)) return "";
  return std::string(said->as_string().subview(kSame.size()));
}

// A request of each tool that it takes, from its page.
std::map<std::string, json::object> GoodRequests() {
  std::map<std::string, json::object> requests;
  for (const PageExample& example : PageExamples()) {
    requests.try_emplace(example.tool, json::parse(example.request).as_object());
  }
  return requests;
}

void ExpectNoInternals(const std::string& refusal) {
  EXPECT_LT(refusal.size(), kLongestRefusal);
  for (const char* inside : {"sqlite", "SQL", "SELECT", "UPDATE ", "INSERT", "constraint", "boost",
                             "std::", "json::", ".cc", "/tmp", "exception", "0x", "nullptr"}) {
    EXPECT_THAT(refusal, Not(HasSubstr(inside)));
  }
}

class BadInput : public ::testing::Test {
 protected:
  // Each row of each table.
  std::string Everything() {
    std::string all;
    const auto read = room.Do([&](Records& records) -> Result<int> {
      auto tables = records.sql.Query(
          "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER "
          "BY name");
      if (!tables) return Failure(std::move(tables.error()));
      for (const Database::Row& table : *tables) {
        const std::string& sql = *statements.insert("SELECT * FROM " + table.Text(0)).first;
        auto rows = records.sql.Query(sql);
        if (!rows) return Failure(std::move(rows.error()));
        all += table.Text(0) + ":" + std::to_string(rows->size()) + "\n";
        for (const Database::Row& row : *rows) {
          all += row.Text(0) + "," + std::to_string(row.Number(0)) + ";";
        }
      }
      return 0;
    });
    EXPECT_TRUE(read.has_value());
    return all;
  }
  void ExpectRefused(std::string_view tool, const json::object& request, std::string_view names,
                     const std::string& how) {
    const std::string refusal = room.Refusal(tool, json::serialize(request));
    EXPECT_THAT(refusal, HasSubstr(std::string(names))) << tool << ": " << how;
    ExpectNoInternals(refusal);
  }

  Room room;
  std::set<std::string> statements;  // their texts outlive the database's use of them
};

// What is wrong for a schema of this kind.
std::vector<std::pair<std::string, json::value>> WrongValues(const json::object& schema) {
  const json::value* const type = schema.if_contains("type");
  const std::string kind =
      type != nullptr && type->is_string() ? std::string(type->as_string()) : "";
  std::vector<std::pair<std::string, json::value>> wrong;
  if (kind == "string") {
    wrong.emplace_back("10 MB", std::string(10'000'000, 'x'));
    wrong.emplace_back("a control character", std::string("a\x01z"));
    wrong.emplace_back("the character 0", std::string("a\0z", 3));
    wrong.emplace_back("nothing", "");
    wrong.emplace_back("a number", -7.5);
    wrong.emplace_back("a list", json::array{"a"});
    if (schema.contains("enum")) wrong.emplace_back("no such word", "no-such-word");
  } else if (kind == "integer") {
    wrong.emplace_back("a negative number", -1);
    wrong.emplace_back("a fraction", 1.5);
    wrong.emplace_back("too much", 1e300);
    wrong.emplace_back("a string", "1");
    if (schema.contains("maximum")) {
      wrong.emplace_back("one too many", schema.at("maximum").to_number<std::int64_t>() + 1);
    }
  } else if (kind == "array") {
    wrong.emplace_back("a string", "a");
    wrong.emplace_back("of numbers", json::array{1});
    wrong.emplace_back("101 of them", json::array(101, json::value("a")));
    wrong.emplace_back("of 10 MB", json::array{std::string(10'000'000, 'x')});
  } else if (kind == "object") {
    wrong.emplace_back("a list", json::array{1});
  } else if (kind == "boolean") {
    wrong.emplace_back("a word", "true");
  } else {
    wrong.emplace_back("10 MB", std::string(10'000'000, 'x'));  // any JSON value
  }
  return wrong;
}

TEST_F(BadInput, OfAnyArgumentOfAnyToolIsRefusedByItsNameAndChangesNothing) {
  const auto requests = GoodRequests();
  const std::string before = Everything();
  int cases = 0;
  for (const json::value& listed : json::parse(ToolList()).as_array()) {
    const std::string tool(listed.at("name").as_string().subview(kToolPrefix.size()));
    ASSERT_TRUE(requests.contains(tool)) << tool << " has no example";
    const json::object& good = requests.at(tool);
    const json::object& properties = listed.at("inputSchema").at("properties").as_object();
    for (const auto& property : properties) {
      // A text of any JSON may be what it is elsewhere: only that it is too long is wrong.
      const json::object& schema = property.value().as_object();
      for (const auto& [how, value] : WrongValues(schema)) {
        json::object request = good;
        // A refusal has the name that was given.
        if (const std::string first = SecondNameOf(schema); properties.contains(first)) {
          request.erase(first);
        }
        request[property.key()] = value;
        ExpectRefused(tool, request, std::string(property.key()),
                      std::string(property.key()) + ": " + how);
        ++cases;
      }
    }
    json::object request = good;
    request["no_such_argument"] = 1;
    ExpectRefused(tool, request, "there is no argument \"no_such_argument\"", "one too many");
  }
  EXPECT_GT(cases, 300);
  EXPECT_EQ(Everything(), before);
}

TEST_F(BadInput, ThatLacksWhatIsRequiredIsToldSo) {
  for (const json::value& listed : json::parse(ToolList()).as_array()) {
    const std::string tool(listed.at("name").as_string().subview(kToolPrefix.size()));
    const json::object& schema = listed.at("inputSchema").as_object();
    if (!schema.contains("required")) continue;
    const json::object good = GoodRequests().at(tool);
    for (const json::value& name : schema.at("required").as_array()) {
      json::object request = good;
      request.erase(name.as_string());
      ExpectRefused(tool, request, std::string(name.as_string()) + " is missing", "left out");
      request[name.as_string()] = nullptr;
      ExpectRefused(tool, request, std::string(name.as_string()) + " is missing", "null");
    }
    for (const char* none : {"[]", "7", "\"x\"", "{", "[[[[", "{\"a\":1,}"}) {
      EXPECT_THAT(room.Refusal(tool, none), HasSubstr("arguments must be a JSON object"));
    }
  }
}

// ---- In order, but not now, or not for them
// --------------------------------------------------------

class BadMoment : public BadInput {
 protected:
  void Expect(std::string_view tool, const std::string& request, const std::string& words) {
    const std::string before = Everything();
    const std::string refusal = room.Refusal(tool, request);
    EXPECT_THAT(refusal, HasSubstr(words)) << tool << " " << request;
    ExpectNoInternals(refusal);
    EXPECT_EQ(Everything(), before) << tool << " " << request;
  }
};

TEST_F(BadMoment, OfIdsThatNobodyKnowsIsTold) {
  const std::string unknown = R"({"task_id":"task_00000099"})";
  const std::string nobody = R"({"agent_id":"nobody"})";
  for (const char* tool : {"get_task_status", "route_task", "start_task", "complete_task",
                           "cancel_task", "requeue_task", "update_task"}) {
    Expect(tool, unknown, "there is no task task_00000099, or no longer");
  }
  Expect("fail_task", R"({"task_id":"task_00000099","error":"e"})",
         "there is no task task_00000099");
  for (const char* tool : {"deregister_agent", "heartbeat", "get_agent_health"}) {
    Expect(tool, nobody, "there is no agent nobody; register_agent makes one");
  }
  Expect("poll_tasks", R"({"claim":true,"agent_id":"nobody"})", "there is no agent nobody");
  const std::string task = room.Create("x");
  Expect("assign_task", Room::Id(task, R"(,"agent_id":"nobody")"), "there is no agent nobody");
  Expect("create_task", R"({"content":"x","parent":"task_00000099"})", "parent: there is no task");
  Expect("create_tasks",
         R"({"tasks":[{"content":"x"},{"content":"y","depends_on":["task_00000099"]}]})",
         "depends_on: there is no task task_00000099");
  for (const char* odd : {"1", "task_", "task_-1", "task_0", "task_1x", "TASK_00000001",
                          "task_9999999999999999999", "' OR 1=1 --", "../../etc/passwd"}) {
    Expect("get_task_status", json::serialize(json::object{{"task_id", odd}}),
           "task_id: an id of a task reads like task_00000012");
  }
  const std::string longer(101, 'a');
  Expect("register_agent", R"({"agent_id":")" + longer + R"("})",
         "agent_id must have 1 to 100 bytes, got 101");
  Expect("get_task_status", R"({"task_id":")" + longer + R"("})",
         "task_id must have 1 to 100 bytes, got 101");
  Expect("create_task", R"({"content":"x","idempotency_key":")" + longer + R"("})",
         "idempotency_key must have 1 to 100 bytes, got 101");
}

// Nobody can do it: that is no mistake, and it is said where it is asked for.
TEST_F(BadMoment, OfCapabilitiesThatNobodyHasIsTold) {
  room.Register("a", R"(,"capabilities":["python"])");
  const std::string task = room.Create("x", R"(,"requirements":["telepathy"])");
  const json::object routed = room.Get("route_task", Room::Id(task));
  EXPECT_TRUE(routed.at("selected_agent").is_null());
  EXPECT_EQ(routed.at("reason"), json::value("no capable agent is available"));
  EXPECT_TRUE(room.Get("find_capable_agents", R"({"requirements":["telepathy"]})")
                  .at("agents")
                  .as_array()
                  .empty());
  EXPECT_EQ(room.Claim("a"), "");
  EXPECT_EQ(room.StatusOf(task), "pending");
}

TEST_F(BadMoment, OfStatesThatDoNotAllowItNamesThoseThatDo) {
  room.Register("a");
  const auto in = [&](const char* status) {
    const std::string task = room.Create(status);
    const std::string word(status);
    if (word == "pending") return task;
    if (word == "cancelled") {
      room.Get("cancel_task", Room::Id(task));
      return task;
    }
    room.Get("assign_task", Room::Id(task, R"(,"agent_id":"a")"));
    if (word != "assigned") room.Get("start_task", Room::Id(task));
    if (word == "completed") room.Get("complete_task", Room::Id(task));
    if (word == "failed") room.Get("fail_task", Room::Id(task, R"(,"error":"e")"));
    return task;
  };
  for (int i = 0; i < kStatuses; ++i) {
    const auto status = static_cast<Status>(i);
    const std::string task = in(std::string(ToString(status)).c_str());
    ASSERT_EQ(room.StatusOf(task), ToString(status));
    for (const char* tool : {"assign_task", "start_task", "complete_task", "fail_task",
                             "cancel_task", "requeue_task", "update_task"}) {
      const Result<void> legal = Allows(tool, status, task);
      if (legal) continue;
      const std::string more = std::string(tool) == "fail_task"     ? R"(,"error":"e")"
                               : std::string(tool) == "assign_task" ? R"(,"agent_id":"a")"
                                                                    : "";
      Expect(tool, Room::Id(task, more), legal.error().message);
    }
  }
}

TEST_F(BadMoment, OfALeaseThatIsOverIsTold) {
  room.Register("late");
  room.Register("next");
  const std::string task = room.Create("x");
  room.Claim("late", R"(,"lease_ms":1000)");
  room.now += 1001;
  ASSERT_EQ(room.Claim("next"), task);
  const std::string its = R"(,"agent_id":"late","fence":1)";
  for (const char* tool : {"start_task", "complete_task"}) {
    Expect(tool, Room::Id(task, its), "fence 1 of task " + task + " is out of date");
  }
  Expect("fail_task", Room::Id(task, its + R"(,"error":"e")"), "is out of date");
  Expect("heartbeat", Room::Id(task, its), "is not with agent late, or no longer");
  Expect("start_task", Room::Id(task, R"(,"agent_id":"late")"),
         "is with agent next, not with late");
  Expect("start_task", Room::Id(task, R"(,"fence":99)"),
         "fence 99 of task " + task + " is out of date");
}

TEST_F(BadMoment, OfAgentsOfOthersIsTold) {
  room.caller = "issuer\nalice";
  room.Register("hers");
  const std::string task = room.Create("x");
  room.Claim("hers");
  room.caller = "issuer\nmallory";
  const std::string act = "agent hers was registered by another caller; act as your own";
  Expect("poll_tasks", R"({"claim":true,"agent_id":"hers"})", act);
  Expect("poll_tasks", R"({"agent_id":"hers"})", act);
  Expect("heartbeat", R"({"agent_id":"hers"})", act);
  Expect("deregister_agent", R"({"agent_id":"hers"})", act);
  Expect("register_agent", R"({"agent_id":"hers","capabilities":["x"]})", act);
  Expect("start_task", Room::Id(task), act);
  Expect("start_task", Room::Id(task, R"(,"agent_id":"hers","fence":1)"), act);
  Expect("cancel_task", Room::Id(task), "was created by another caller");
}

}  // namespace
}  // namespace switchyard::orchestration
