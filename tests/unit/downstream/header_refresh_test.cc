// A modern server that refuses our Mcp-Param-* headers: its tool was changed.
#include "downstream/tool_list.h"
#include "mcp/error_map.h"
#include "mcp/raw_object.h"
#include "unit/downstream/server_fixture.h"

namespace switchyard::downstream {
namespace {

struct HeaderRefreshTest : DownstreamTest {
  Definition tool;
  int calls = 0;
  int stale = 0;
  std::string listed = ToolWith("New");

  static std::string ToolWith(const std::string& mark) {
    return R"({"name":"t","inputSchema":{"type":"object","properties":{"q":{"type":"string","x-mcp-header":")" +
           mark + R"("}}}})";
  }

  void SetUp() override {
    wire_.http = true;
    wire_.answer = [this](const Sent& sent) {
      if (sent.method() == "server/discover") return Gives(kDiscovered);
      if (sent.method() == "tools/list") {
        return sent.message.Has(mcp::Key::kCursor)
                   ? Gives(R"({"resultType":"complete","tools":[)" + listed + "]}")
                   : Gives(R"({"resultType":"complete","tools":[],"nextCursor":"2"})");
      }
      ++calls;
      return sent.headers.contains("Mcp-Param-New: x\r\n")
                 ? Gives(R"({"resultType":"complete","content":[]})")
                 : Refuses(mcp::kHeaderMismatch, "null", 400);
    };
    server_->OnStaleLists([this] { ++stale; });
    Connect();
    tool.json = ToolWith("Old");
    tool.param_marks =
        mcp::FindParamMarks(mcp::RawObject::Parse(tool.json).Get("inputSchema")).legal;
  }

  std::string CallTool() {
    Call& call = NewCall("tools/call", R"({"name":"t","arguments":{"q":"x"}})");
    call.target.name = "t";
    call.target.definition = &tool;
    Result<ReplyPtr> reply = Handle(call);
    EXPECT_EQ(call.target.definition, &tool) << "others still look at it";
    return Next(reply);
  }
};

TEST_F(HeaderRefreshTest, ItsListIsReadAgainAndTheCallSentOnceMore) {
  const std::string answer = CallTool();
  EXPECT_TRUE(answer.contains(R"("content":[])")) << answer;
  EXPECT_EQ(calls, 2);
}

TEST_F(HeaderRefreshTest, OnceAndNotAgain) {
  listed = ToolWith("Another");
  EXPECT_TRUE(CallTool().contains("-32603"));
  EXPECT_EQ(calls, 2);
}

TEST_F(HeaderRefreshTest, WhoKeepsTheListsIsTold) {
  CallTool();
  EXPECT_EQ(stale, 1);
  listed = ToolWith("Old");
  CallTool();
  EXPECT_EQ(stale, 1) << "the list is what the catalog has";
}

TEST_F(HeaderRefreshTest, NotAtAllWhenTheToolReadsTheSameOrIsGone) {
  listed = ToolWith("Old");
  EXPECT_TRUE(CallTool().contains("-32603"));
  listed = R"({"name":"other"})";
  EXPECT_TRUE(CallTool().contains("-32603"));
  EXPECT_EQ(calls, 2);
}

TEST(ToolNamed, IsFoundVerbatimByItsUnescapedName) {
  EXPECT_EQ(ToolNamed(R"([{"name":"a","x":1.0},{"x":2.50 ,"name":"\u0062"}])", "b"),
            R"({"x":2.50 ,"name":"\u0062"})");
  EXPECT_EQ(ToolNamed(R"([{"name":"a"}])", "b"), std::nullopt);
  EXPECT_EQ(ToolNamed("7", "b"), std::nullopt);
}

}  // namespace
}  // namespace switchyard::downstream
