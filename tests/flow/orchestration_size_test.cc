// How large the records of the orchestration service get, in a whole gateway.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/metrics_page.h"
#include "support/temp_dir.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;

// In memory and in a file.
class OrchestrationSize : public ::testing::TestWithParam<bool> {
 protected:
  void Start(const std::string& keys) {
    if (GetParam()) gateway.With("state", "{dir: " + directory.path() + "}");
    gateway.GoesBy(clock).With("orchestration", keys).Start();
  }
  Answer Call(const std::string& tool, const std::string& arguments) {
    return client().Call("orchestration_" + tool, arguments);
  }
  Answer Create() {
    return Call("create_task", R"({"content":")" + std::string(250'000, 'x') + "\"}");
  }
  Client& client() {
    if (client_ == nullptr) client_ = gateway.ClientOf(Era::kModern);
    return *client_;
  }

  const TempDir directory;
  LeapingClock clock;
  Gateway gateway;

 private:
  std::unique_ptr<Client> client_;
};

INSTANTIATE_TEST_SUITE_P(File, OrchestrationSize, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "InAFile" : "InMemory"; });

TEST_P(OrchestrationSize, IsBoundedAndAReloadGivesMore) {
  Start("{max_bytes: 16MiB}");
  Call("register_agent", R"({"agent_id":"a"})");
  Answer last = Create();
  int made = 0;
  for (; last.Contains("task_id") && made < 100; ++made) last = Create();
  EXPECT_GE(made, 60);
  EXPECT_LE(made, 68);
  EXPECT_THAT(last.text(), HasSubstr("the records take all of the 16777216 bytes that they may "
                                     "(max_bytes), so nothing is added"));
  EXPECT_TRUE(last.Contains(R"("isError":true)")) << "which agents are shown";
  const std::string task = R"({"task_id":"task_00000001")";
  EXPECT_FALSE(Call("assign_task", task + R"(,"agent_id":"a"})").Contains(R"("isError":true)"));
  EXPECT_FALSE(Call("start_task", task + "}").Contains(R"("isError":true)"));
  EXPECT_FALSE(Call("complete_task", task + "}").Contains(R"("isError":true)"));
  clock.Advance(std::chrono::seconds(2));  // gauges are as of the last second
  EXPECT_TRUE(Shows(gateway, "switchyard_orchestration_bytes_limit 16777216"));
  gateway.With("orchestration", "{max_bytes: 32MiB}");
  gateway.Reload();
  EXPECT_THAT(Create().text(), HasSubstr("task_"));
}

}  // namespace
}  // namespace switchyard::tests
