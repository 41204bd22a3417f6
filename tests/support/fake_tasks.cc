#include "support/fake_tasks.h"

#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace switchyard::tests {
namespace {

constexpr std::string_view kInfo = R"("name":"fake","version":"1")";
constexpr std::string_view kRelated = "io.modelcontextprotocol/related-task";
constexpr std::string_view kTimes =
    R"("createdAt":"2026-01-01T00:00:00Z","lastUpdatedAt":"2026-01-01T00:00:00Z")";
constexpr std::string_view kAsks =
    R"({"message":"who?","requestedSchema":{"type":"object","properties":{"name":{"type":"string"}}}})";

std::string TextResult(const std::string& text, bool error = false) {
  return R"("content":[{"type":"text","text":)" + Quote(text) + "}]" +
         (error ? R"(,"isError":true)" : "");
}

class FakeTasks : public std::enable_shared_from_this<FakeTasks> {
 public:
  FakeTasks(Surface& surface, Era era) : surface_(surface), modern_(era == Era::kModern) {}

  void Attach() {
    for (const char* tool : {"job", "must", "quick", "inquire", "flop", "crash"}) AddTool(tool);
    On("tasks/get", &FakeTasks::Get);
    On("tasks/cancel", &FakeTasks::Cancel);
    surface_.AddTool("tell", [self = shared_from_this()](Turn& turn) { self->Tell(turn); });
    if (modern_) {
      On("server/discover", &FakeTasks::Discover);
      On("subscriptions/listen", &FakeTasks::Listen);
      On("tasks/update", &FakeTasks::Update);
    } else {
      On("initialize", &FakeTasks::Initialize);
      On("tasks/result", &FakeTasks::Await);
    }
  }

 private:
  struct One {
    std::string id, tool, label;
    bool cancelled = false;
    json::value answer;
    Event answered;
  };
  using Method = void (FakeTasks::*)(Turn&);

  void On(const std::string& method, Method run) {
    surface_.OnMethod(method, [self = shared_from_this(), run](Turn& turn) { (*self.*run)(turn); });
  }

  void AddTool(const std::string& tool) {
    const bool only = tool != "job" && tool != "quick";
    std::string members = R"("inputSchema":{"type":"object"})";
    if (!modern_ && tool != "quick") {
      members += R"(,"execution":{"taskSupport":")" + std::string(only ? "required" : "optional") +
                 R"("})";
    }
    surface_.AddTool(
        tool, [self = shared_from_this(), tool, only](Turn& turn) { self->Call(turn, tool, only); },
        members);
  }

  // The capability that the dialect has for it.
  void Discover(Turn& turn) {
    turn.Result(
        R"("supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true},)"
        R"("extensions":{"io.modelcontextprotocol/tasks":{}}},)"
        R"("_meta":{"io.modelcontextprotocol/serverInfo":{)" +
        std::string(kInfo) + "}}");
  }
  void Initialize(Turn& turn) {
    turn.Result(
        R"("protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},)"
        R"("tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}},"serverInfo":{)" +
        std::string(kInfo) + "}");
  }

  static bool Declares(const Turn& turn) {
    return !At(turn.message(),
               "/params/_meta/io.modelcontextprotocol~1clientCapabilities/extensions/"
               "io.modelcontextprotocol~1tasks")
                .is_null();
  }

  void Call(Turn& turn, const std::string& tool, bool only) {
    const bool wanted = modern_ ? Declares(turn) : turn.param("task").is_object();
    const std::string label = turn.label();
    if (modern_ && !turn.param("task").is_null() && label != "strange") {
      surface_.Complain("a legacy task param in a modern call");
    }
    if (tool == "quick" && wanted && !modern_) surface_.Complain("quick cannot be a task");
    if (!wanted && only) {
      return modern_
                 ? turn.Error(
                       -32021, "only as a task",
                       R"({"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}})")
                 : turn.Error(-32601, "only as a task");
    }
    if (!wanted || tool == "quick") return turn.Text("at once " + label);
    auto one = std::make_shared<One>();
    one->tool = tool;
    one->label = label;
    {
      const std::scoped_lock lock(mutex_);
      one->id = "task-" + surface_.name() + "-" + std::to_string(tasks_.size() + 1);
      tasks_[one->id] = one;
    }
    surface_.Named("started:" + label).Set();
    const std::string task = Wire(*one, "working");
    Finish(turn, modern_ ? R"("resultType":"task",)" + task : R"("task":{)" + task + "}");
  }

  std::string Wire(const One& one, const std::string& status) const {
    return R"("taskId":)" + Quote(one.id) + R"(,"status":)" + Quote(status) + "," +
           std::string(kTimes) +
           (modern_ ? R"(,"ttlMs":60000,"pollIntervalMs":20)"
                    : R"(,"ttl":60000,"pollInterval":20)");
  }

  static void Finish(Turn& turn, const std::string& members) {
    turn.Finish(R"({"jsonrpc":"2.0","id":)" + turn.id() + R"(,"result":{)" + members + "}}", 0);
  }

  std::shared_ptr<One> Find(Turn& turn) {
    const std::string id = TextAt(turn.message(), "/params/taskId");
    if (modern_ && !Declares(turn)) surface_.Complain(turn.method() + " without the extension");
    const std::scoped_lock lock(mutex_);
    const auto found = tasks_.find(id);
    if (found != tasks_.end()) return found->second;
    surface_.Complain("a task that was never made: " + id);
    turn.Error(-32602, "unknown task");
    return nullptr;
  }

  std::string StatusOf(One& one) {
    if (one.cancelled) return "cancelled";
    if (one.tool == "flop") return modern_ ? "completed" : "failed";
    if (one.tool == "crash") return "failed";
    if (one.tool == "inquire") return one.answered.IsSet() ? "completed" : "input_required";
    return surface_.Named("release:" + one.label).IsSet() ? "completed" : "working";
  }

  static std::string ResultOf(const One& one) {
    if (one.tool == "flop") return TextResult("flopped", true);
    if (one.tool == "inquire") return TextResult(json::serialize(one.answer));
    return TextResult("done " + one.label);
  }

  void Get(Turn& turn) {
    const std::shared_ptr<One> one = Find(turn);
    if (one == nullptr) return;
    turn.Result(Detailed(*one));
    surface_.Named("polled:" + one->label).Set();
  }

  std::string Detailed(One& one) {
    const std::string status = StatusOf(one);
    std::string members = Wire(one, status);
    if (modern_ && status == "completed") {
      members += R"(,"result":{"resultType":"complete",)" + ResultOf(one) + "}";
    } else if (modern_ && status == "failed") {
      members += R"(,"error":{"code":1234,"message":"crashed","data":{"why":"asked"}})";
    } else if (modern_ && status == "input_required") {
      members += R"(,"inputRequests":{"who":{"method":"elicitation/create","params":)" +
                 std::string(kAsks) + "}}";
    }
    return members;
  }

  // Lists as ever; tasks when `tell` is called.
  void Listen(Turn& turn) {
    if (!At(turn.message(), "/params/notifications/taskIds").is_array()) {
      return surface_.ListenModern(turn);
    }
    if (!Declares(turn)) surface_.Complain("taskIds without the extension");
    const std::string tag =
        R"("_meta":{"io.modelcontextprotocol/subscriptionId":)" + turn.id() + "}";
    const json::value ids = At(turn.message(), "/params/notifications/taskIds");
    turn.Notify("notifications/subscriptions/acknowledged",
                tag + R"(,"notifications":{"taskIds":)" + json::serialize(ids) + "}");
    Event& told = surface_.Named("told");
    while (turn.WaitUnhurried(told)) {
      told.Clear();
      std::map<std::string, std::shared_ptr<One>> tasks;
      {
        const std::scoped_lock lock(mutex_);
        tasks = tasks_;
      }
      for (const auto& [id, one] : tasks) {
        if (Contains(ids.as_array(), json::value(id))) {
          turn.Notify("notifications/tasks", tag + "," + Detailed(*one));
        }
      }
    }
  }
  void Tell(Turn& turn) {
    surface_.Named("told").Set();
    turn.Text("ok");
  }

  void Update(Turn& turn) {
    const std::shared_ptr<One> one = Find(turn);
    if (one == nullptr) return;
    const json::value answer = At(turn.message(), "/params/inputResponses/who");
    if (!answer.is_null()) {
      one->answer = answer;
      one->answered.Set();
    }
    turn.Result("");
  }

  void Cancel(Turn& turn) {
    const std::shared_ptr<One> one = Find(turn);
    if (one == nullptr) return;
    const std::string status = StatusOf(*one);
    const bool over = status == "completed" || status == "failed" || status == "cancelled";
    if (over && !modern_) return turn.Error(-32602, "over");
    if (!over) one->cancelled = true;
    surface_.Named("cancelled:" + one->label).Set();
    modern_ ? turn.Result("") : Finish(turn, Wire(*one, "cancelled"));
  }

  // Legacy: blocks until the end, and asks on this very request.
  void Await(Turn& turn) {
    const std::shared_ptr<One> one = Find(turn);
    if (one == nullptr) return;
    const std::string related =
        R"(,"_meta":{")" + std::string(kRelated) + R"(":{"taskId":)" + Quote(one->id) + "}}";
    if (StatusOf(*one) == "input_required") {
      json::value params = Parse(std::string(kAsks.substr(0, kAsks.size() - 1)) + related + "}");
      const json::value response = surface_.questions().Ask(turn, "elicitation/create", params);
      one->answer = At(response, "/result");
      if (response.is_null()) return;
      one->answered.Set();
    }
    if (StatusOf(*one) == "working" && !turn.Wait(surface_.Named("release:" + one->label))) return;
    if (one->tool == "crash") return turn.Error(1234, "crashed", R"({"why":"asked"})");
    Finish(turn, ResultOf(*one) + related);
  }

  Surface& surface_;
  const bool modern_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<One>> tasks_;  // guarded by mutex_
};

}  // namespace

void AddTasks(Surface& surface, Era era) { std::make_shared<FakeTasks>(surface, era)->Attach(); }

}  // namespace switchyard::tests
