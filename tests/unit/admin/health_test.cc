#include "admin/health.h"

#include <vector>

#include <gtest/gtest.h>

#include "admin/metrics_endpoint.h"

namespace switchyard::admin {
namespace {

TEST(Health, AnswersAsLongAsTheProcessDoes) {
  const Page page = HealthPage();
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "application/json");
  EXPECT_EQ(page.body, R"({"status":"ok"})");
}

TEST(Health, IsNotReadyBeforeEveryServerWasHeardOf) {
  const std::vector<ServerHealth> servers = {{.name = "a", .up = false, .reason = "starting"}};
  const Page page = ReadyPage(false, servers);
  EXPECT_EQ(page.status, 503);
  EXPECT_EQ(page.body,
            R"({"status":"starting","servers":[{"name":"a","up":false,"reason":"starting"}]})");
}

TEST(Health, IsReadyWithAServerDownAndSaysWhichAndWhy) {
  const std::vector<ServerHealth> servers = {
      {.name = "a", .up = true, .reason = ""},
      {.name = "b", .up = false, .reason = "connect: \"refused\"\n"}};
  const Page page = ReadyPage(true, servers);
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, R"({"status":"ready","servers":[{"name":"a","up":true},)"
                       R"({"name":"b","up":false,"reason":"connect: \"refused\"\n"}]})");
}

TEST(Health, IsReadyWithNoServerAtAll) {
  EXPECT_EQ(ReadyJson(true, {}), R"({"status":"ready","servers":[]})");
}

TEST(MetricsEndpoint, SaysWhichTextFormatItIs) {
  const Page page = MetricsPage("up 1\n");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(page.body, "up 1\n");
}

}  // namespace
}  // namespace switchyard::admin
