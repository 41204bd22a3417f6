#include "mcp/tasks.h"

#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

TEST(TaskWords, TheExtensionIsDeclaredUnderExtensionsOnly) {
  EXPECT_TRUE(DeclaresTasks(R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})"));
  EXPECT_FALSE(DeclaresTasks(R"({"io.modelcontextprotocol/tasks":{}})"));
  EXPECT_FALSE(DeclaresTasks(R"({"tasks":{},"extensions":{"x":"io.modelcontextprotocol/tasks"}})"));
  EXPECT_FALSE(DeclaresTasks("{}"));
  EXPECT_EQ(WithTasks(R"({"roots":{},"extensions":{"a/b":1}})"),
            R"({"roots":{},"extensions":{"a/b":1,"io.modelcontextprotocol/tasks":{}}})");
}

TEST(TaskWords, ALegacyServerOffersTasksOnlyForToolCalls) {
  EXPECT_TRUE(OffersLegacyTasks(R"({"tasks":{"requests":{"tools":{"call":{}}}}})"));
  EXPECT_FALSE(OffersLegacyTasks(R"({"tasks":{"list":{}}})"));
  EXPECT_FALSE(OffersLegacyTasks(R"({"tasks":{"requests":{"sampling":{"createMessage":{}}}}})"));
}

TEST(TaskWords, AnErrorThatNamesTheExtensionIsKnown) {
  EXPECT_TRUE(
      NamesTasks(std::string(R"({"code":-32021,"data":)") + std::string(TasksRequired()) + "}"));
  EXPECT_FALSE(NamesTasks(R"({"code":-32021,"data":{"requiredCapabilities":{"elicitation":{}}}})"));
  EXPECT_FALSE(NamesTasks(R"({"code":-32021})"));
}

TEST(TaskWords, ALegacyTaskReadsAsTheExtensionWritesIt) {
  EXPECT_EQ(
      ToModernTask(RawObject::Parse(
                       R"({"taskId":"t","status":"working","ttl":null,"pollInterval":5,"x":1})"))
          .ToText(),
      R"({"taskId":"t","status":"working","ttlMs":null,"pollIntervalMs":5,"x":1})");
  EXPECT_EQ(ToModernTask(RawObject::Parse(R"({"taskId":"t"})")).Get("ttlMs"), "null");
}

TEST(TaskWords, ATaskOfTheExtensionReadsAsLegacyServersWriteIt) {
  const RawObject task = ToLegacyTask(RawObject::Parse(
      R"({"resultType":"complete","taskId":"t","status":"completed","createdAt":"c",)"
      R"("ttlMs":60000,"pollIntervalMs":5,"result":{"isError":false},"inputRequests":{}})"));
  EXPECT_EQ(task.ToText(),
            R"({"taskId":"t","status":"completed","createdAt":"c","ttl":60000,"pollInterval":5})");
}

TEST(TaskWords, AToolsErrorIsAFailureInTheLegacyDialect) {
  EXPECT_EQ(ToLegacyTask(RawObject::Parse(R"({"status":"completed","result":{"isError":true}})"))
                .GetString("status"),
            "failed");
}

TEST(TaskWords, TheRelatedTaskIsNamedAndTakenOut) {
  RawObject result = RawObject::Parse(R"({"content":[],"_meta":{"a":1}})");
  SetRelatedTask(result, "t\"");
  EXPECT_EQ(
      result.ToText(),
      R"({"content":[],"_meta":{"a":1,"io.modelcontextprotocol/related-task":{"taskId":"t\""}}})");
  const Message request =
      Message::Make("1", "elicitation/create",
                    R"({"message":"x","_meta":)" + std::string(result.Get("_meta")) + "}");
  EXPECT_EQ(RelatedTaskOf(request), "t\"");
  EXPECT_EQ(RelatedTaskOf(Message::Make("1", "elicitation/create", R"({"_meta":{"a":1}})")), "");
  RemoveRelatedTask(result);
  EXPECT_EQ(result.ToText(), R"({"content":[],"_meta":{"a":1}})");
  RawObject bare;
  SetRelatedTask(bare, "t");
  RemoveRelatedTask(bare);
  EXPECT_EQ(bare.ToText(), "{}");
}

}  // namespace
}  // namespace switchyard::mcp
