#include "mcp/param_marks.h"

#include <string>

#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

constexpr std::string_view kMarked = R"("a":{"type":"string","x-mcp-header":"A"})";

std::string Tool(const std::string& more) {
  return R"({"name":"t","inputSchema":{"type":"object","properties":{)" + std::string(kMarked) +
         more + "}}}";
}

TEST(ParamMarks, AreFoundBesideWhateverIsDeep) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  const std::string tool = Tool(R"(,"b":{"default":)" + deep + "}");
  EXPECT_EQ(MarkedHeaders(tool), (std::vector<std::string>{"Mcp-Param-A"}));
  const auto arguments = MarkedArguments(tool, R"({"a":"x","b":)" + deep + "}");
  ASSERT_EQ(arguments.size(), 1u);
  EXPECT_EQ(arguments[0].header, "Mcp-Param-A");
  EXPECT_EQ(arguments[0].value, R"("x")");
}

}  // namespace
}  // namespace switchyard::mcp
