#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/paths.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using ::testing::Not;
using testing::Progress;

constexpr const char* kTool =
    R"({"name":"read","inputSchema":{"type":"object","properties":{"limit":{"type":"integer"},)"
    R"("day":{"type":"string","format":"date"}},"required":["limit"]},)"
    R"("outputSchema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}})";

class ValidatePolicy : public ::testing::Test {
 protected:
  ValidatePolicy() {
    tool_.kind = ItemKind::kTool;
    tool_.server = "files";
    tool_.name = "read";
    tool_.exposed = "files__read";
    tool_.json = kTool;
  }

  std::string Call(const std::string& yaml, const std::string& arguments,
                   const std::string& method = "tools/call") {
    const auto policy = testing::MakePolicy("validate", &validate::Make, yaml,
                                            {.clock = clock_, .metrics = metrics_});
    call_ = switchyard::Call();
    call_.message =
        testing::Parsed(R"({"jsonrpc":"2.0","id":"c1","method":")" + method +
                        R"(","params":{"name":"files__read")" +
                        (arguments.empty() ? "" : R"(,"arguments":)" + arguments) + "}}");
    call_.target.definition = &tool_;
    auto reply = loop_.Run(policy->Handle(call_, service_));
    if (!reply || !*reply) return "no reply";
    std::string text;
    while (true) {
      auto next = loop_.Run((**reply)->Next());
      if (!next || !*next || !**next) return text + "?";
      text += (**next)->ToText();
      if ((**next)->is_response()) return text;
    }
  }
  bool Counted(const std::string& what, const std::string& action) const {
    return metrics_.Serialize().find(
               R"(switchyard_schema_misfits_total{server="files",tool="read",what=")" + what +
               R"(",action=")" + action + "\"} 1") != std::string::npos;
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  Definition tool_{};
  switchyard::Call call_;
  FakeService service_;
  Loop loop_;
};

TEST_F(ValidatePolicy, IsOffUnlessItIsAskedFor) {
  Call("{}", R"({"limit":"ten"})");
  EXPECT_EQ(service_.calls, 1);
}

TEST_F(ValidatePolicy, AnswersBadArgumentsAsAToolErrorThatSaysWhatToDoAndCallsNobody) {
  const std::string text = Call("arguments: enforce", R"({"limit":"ten"})");
  EXPECT_EQ(service_.calls, 0);
  EXPECT_THAT(text, HasSubstr(R"("id":"c1")"));
  EXPECT_THAT(text, HasSubstr(R"("isError":true)"));
  EXPECT_THAT(text, HasSubstr("The tool files__read was not called"));
  EXPECT_THAT(text, HasSubstr(R"(/limit: expected an integer, got the string \"ten\".)"));
  EXPECT_TRUE(Counted("arguments", "refused"));
}

TEST_F(ValidatePolicy, LetsGoodArgumentsThrough) {
  EXPECT_THAT(Call("arguments: enforce", R"({"limit":10.0})"), Not(HasSubstr("isError")));
  EXPECT_EQ(service_.calls, 1);
  EXPECT_THAT(metrics_.Serialize(), Not(HasSubstr("misfits_total{")));
}

TEST_F(ValidatePolicy, ReadsAbsentArgumentsAsNone) {
  EXPECT_THAT(Call("arguments: enforce", ""), HasSubstr(R"(the member \"limit\")"));
  EXPECT_EQ(service_.calls, 0);
}

TEST_F(ValidatePolicy, OnlyCountsWhereItIsToWarn) {
  EXPECT_THAT(Call("arguments: warn", "{}"), Not(HasSubstr("isError")));
  EXPECT_EQ(service_.calls, 1);
  EXPECT_TRUE(Counted("arguments", "warned"));
}

TEST_F(ValidatePolicy, ChecksFormatsWhereItIsToldTo) {
  const std::string arguments = R"({"limit":1,"day":"yesterday"})";
  EXPECT_THAT(Call("arguments: enforce", arguments), Not(HasSubstr("isError")));
  EXPECT_THAT(Call("{arguments: enforce, formats: true}", arguments),
              HasSubstr("/day: expected a string of format date"));
}

TEST_F(ValidatePolicy, LeavesOtherMethodsAndToolsWithoutSchemasAlone) {
  Call("arguments: enforce", "{}", "prompts/get");
  EXPECT_EQ(service_.calls, 1);
  tool_.json = R"({"name":"read"})";
  tool_.derived = Derived();
  Call("{arguments: enforce, results: enforce}", "{}");
  EXPECT_EQ(service_.calls, 2);
}

TEST_F(ValidatePolicy, WithholdsAResultThatIsNotAsTheServerPromised) {
  service_.answer = [](switchyard::Call&) -> Result<ReplyPtr> {
    return FakeService::Script(Progress(), Answer(R"({"structuredContent":{"n":"secret"}})"));
  };
  const std::string text = Call("results: enforce", "{}");
  EXPECT_THAT(text, HasSubstr("notifications/progress"));
  EXPECT_THAT(text, HasSubstr("The tool files__read ran"));
  EXPECT_THAT(text, HasSubstr("/n: expected an integer"));
  EXPECT_THAT(text, HasSubstr(R"("isError":true)"));
  EXPECT_TRUE(Counted("result", "refused"));
}

TEST_F(ValidatePolicy, MissesStructuredContentWhereASchemaPromisesIt) {
  service_.answer = [](switchyard::Call&) -> Result<ReplyPtr> {
    return ReplyWith(testing::Parsed(R"({"jsonrpc":"2.0","id":"c1","result":{"content":[]}})"));
  };
  EXPECT_THAT(Call("results: enforce", "{}"), HasSubstr("got none"));
  EXPECT_THAT(Call("results: warn", "{}"), Not(HasSubstr("isError")));
}

TEST_F(ValidatePolicy, ReadsAnAnswerThatIsSharedAsItReadsAnyOther) {
  std::string result;
  service_.answer = [&](switchyard::Call&) -> Result<ReplyPtr> {
    return ReplyWith(
        mcp::Message::FromResult(R"("c1")", std::make_shared<const std::string>(result)));
  };
  result = R"({"content":[],"structuredContent":{"n":1}})";
  EXPECT_THAT(Call("results: enforce", "{}"), HasSubstr(result));
  result = R"({"content":[],"structuredContent":{"n":"1"}})";
  EXPECT_THAT(Call("results: enforce", "{}"), HasSubstr("/n: expected an integer"));
}

TEST_F(ValidatePolicy, LeavesErrorsQuestionsTasksAndGoodResultsAsTheyAre) {
  for (const char* result :
       {R"({"isError":true,"content":[]})", R"({"resultType":"input_required"})",
        R"({"resultType":"task","taskId":"t"})",
        R"({"resultType":"complete","structuredContent":{"n":1}})"}) {
    service_.answer = [&](switchyard::Call&) -> Result<ReplyPtr> {
      return FakeService::Script(Answer(result));
    };
    EXPECT_THAT(Call("results: enforce", "{}"), HasSubstr(result));
  }
}

TEST_F(ValidatePolicy, CompilesOnceADefinition) {
  struct Probe {
    int number;
  };
  int made = 0;
  const auto make = [&] { return Probe{++made}; };
  EXPECT_EQ(tool_.derived.Get<Probe>(make).number, 1);
  EXPECT_EQ(tool_.derived.Get<Probe>(make).number, 1);
  Definition other = tool_;
  EXPECT_EQ(other.derived.Get<Probe>(make).number, 2);
  other = tool_;
  EXPECT_EQ(other.derived.Get<Probe>(make).number, 3);
}

TEST_F(ValidatePolicy, TheExampleOfItsPageIsRead) {
  std::ifstream file(paths::SourceDir() + "/docs/policies/validate.md");
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str();
  const std::size_t begin = text.find("```yaml\n") + 8;
  const std::string yaml = text.substr(begin, text.find("```\n", begin) - begin);
  ASSERT_THAT(yaml, HasSubstr("  validate:\n"));
  const std::string settings = yaml.substr(yaml.find("validate:\n") + 10);
  EXPECT_THAT(testing::ProblemsOf("validate", settings), ElementsAre());
  EXPECT_THAT(Call(settings, R"({"limit":"ten"})"), HasSubstr("/limit: expected an integer"));
}

TEST_F(ValidatePolicy, WrongWordsAreProblems) {
  EXPECT_THAT(testing::ProblemsOf("validate", "arguments: strict"),
              ElementsAre(HasSubstr("enforce")));
}

}  // namespace
}  // namespace switchyard::policies
