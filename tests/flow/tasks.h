// A server with tasks and a client who takes them, of every era, as one fixture (flow/matrix.h).
// What happens inside the server: support/fake_tasks.h.
#pragma once

#include <memory>
#include <string>

#include "flow/matrix.h"
#include "support/fake_tasks.h"

namespace switchyard::tests {

inline constexpr const char* kDeclares =
    R"({"elicitation":{"form":{}},"extensions":{"io.modelcontextprotocol/tasks":{}}})";
inline constexpr std::string_view kRelated =
    "/result/_meta/io.modelcontextprotocol~1related-task/taskId";

class TaskMatrix : public Matrix {
 protected:
  void SetUp() override {
    if (over_http()) {
      fake = server_era() == Era::kModern
                 ? std::unique_ptr<FakeServer>(new FakeServer(FakeServer::Modern("a")))
                 : std::unique_ptr<FakeServer>(new FakeServer(FakeServer::Legacy("a")));
      AddTasks(fake->surface(), server_era());
      gateway.Serves("a", *fake, keys);
    } else {
      const bool modern = server_era() == Era::kModern;
      gateway.ServesChild("a", {"--era", modern ? "modern" : "legacy", "--tasks"}, keys);
    }
    gateway.With("endpoints", "{part: {servers: [a]}, bare: {servers: [a], transparent: true}}")
        .Start();
    client = Taking();
  }

  // A client who says that it takes tasks; a legacy one says so with each call.
  std::unique_ptr<Client> Taking(const std::string& path = "/mcp") const {
    std::unique_ptr<Client> made = NewClient(path);
    if (made->modern()) static_cast<ModernClient&>(*made).set_capabilities(kDeclares);
    return made;
  }

  // A call that becomes a task; its id.
  std::string Start(std::string tool, const std::string& label, const std::string& prefix = "a__") {
    // A modern client leaves the choice to the server, and a legacy one makes none.
    if (tool == "job" && client->modern() && server_era() == Era::kLegacy) tool = "must";
    const Answer answer = client->Request(
        {.method = "tools/call",
         .members = R"("name":")" + prefix + tool + R"(","arguments":{"label":")" + label + "\"}" +
                    (client->modern() ? "" : R"(,"task":{"ttl":60000})")});
    const json::value task = answer.at(client->modern() ? "/result" : "/result/task");
    EXPECT_EQ(TextAt(task, "/status"), "working") << answer;
    EXPECT_EQ(TextAt(answer.message(), "/result/resultType"), client->modern() ? "task" : "");
    EXPECT_TRUE(At(task, client->modern() ? "/ttlMs" : "/ttl").is_int64()) << answer;
    EXPECT_TRUE(At(task, client->modern() ? "/ttl" : "/ttlMs").is_null()) << answer;
    return TextAt(task, "/taskId");
  }

  Answer About(const std::string& id, const std::string& method, const std::string& more = "") {
    return client->Request({.method = method, .members = R"("taskId":)" + Quote(id) + more});
  }
  Answer Get(const std::string& id) { return About(id, "tasks/get"); }
  std::string Status(const std::string& id) { return TextAt(Get(id).message(), "/result/status"); }

  // Asks until it reads so.
  bool Becomes(const std::string& id, const std::string& status) {
    for (int i = 0; i < 500; ++i) {
      if (Status(id) == status) return true;
    }
    return false;
  }

  std::string keys;  // of the server in the configuration; set before SetUp()
};

}  // namespace switchyard::tests
