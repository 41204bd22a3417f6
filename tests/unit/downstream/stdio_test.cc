#include "downstream/stdio.h"

#include <gtest/gtest.h>

#include "downstream/server_downstream.h"
#include "support/paths.h"
#include "support/temp_dir.h"
#include "unit/base/log_capture.h"
#include "unit/downstream/loop.h"

namespace switchyard::downstream {
namespace {

// A server is a shell script here: it reads lines and prints answers.
class StdioTest : public ::testing::Test {
 protected:
  void Use(const std::string& script, StdioLimits limits = {}) {
    transport_ = std::make_unique<StdioTransport>(
        ProgramSpec{.server = "x", .command = "/bin/sh", .arguments = {"-c", script}}, launcher_,
        loop_.deps(), limits);
    transport_->OnDown([this](Error error) { downs_.push_back(error.message); });
    transport_->OnUnsolicited(
        [this](mcp::Message message) { strays_.push_back(message.ToText()); });
    const Result<void> started = loop_.Run(transport_->Start());
    ASSERT_TRUE(started) << started.error().message;
  }
  Result<ReplyPtr> Send(const std::string& id, std::string body = "", Deadline deadline = {}) {
    if (body.empty()) body = R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"tools/call"})";
    const mcp::Pieces pieces{body};
    return loop_.Run(
        transport_->Request({.body = pieces, .id = id, .headers = {}, .deadline = deadline}));
  }
  // The reply's next message, or how it failed.
  std::string Next(Result<ReplyPtr>& reply) {
    if (!reply) return "no reply: " + reply.error().message;
    last_ = loop_.Run((*reply)->Next());
    if (!last_) return last_.error().message;
    return *last_ ? (**last_).ToText() : "end";
  }
  // False: it went down meanwhile.
  bool TalksFor(int seconds, int each);
  bool Down() {
    return loop_.RunUntil([this] { return !downs_.empty(); });
  }
  void TearDown() override {
    if (transport_ == nullptr) return;
    bool closed = false;
    switchyard::Spawn(loop_.deps().executor(), "close",
                      [](Transport& transport, bool& done) -> Task<void> {
                        co_await transport.Close();
                        done = true;
                      }(*transport_, closed));
    EXPECT_TRUE(loop_.RunUntilWithTime([&] { return closed; }));
  }

  // Outlives whatever the loop still runs.
  Launcher launcher_{{.own_binary = ::switchyard::paths::SwitchyardBinary(),
                      .environment = {"PATH=/bin:/usr/bin"}}};
  Loop loop_;
  std::unique_ptr<StdioTransport> transport_;
  std::vector<std::string> downs_;
  std::vector<std::string> strays_;
  Result<std::optional<mcp::Message>> last_;
};

// Prints an answer to each of the ids.
std::string Answers(std::initializer_list<int> ids) {
  std::string script;
  for (const int id : ids) {
    script += R"(echo '{"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"result":{"n":)" +
              std::to_string(id) + "}}'; ";
  }
  return script;
}

TEST_F(StdioTest, GivesEachRequestItsOwnAnswerWhateverTheOrder) {
  Use("read a; read b; " + Answers({2, 1}) + "read end");
  Result<ReplyPtr> first = Send("1"), second = Send("2");
  EXPECT_EQ(Next(first), R"({"jsonrpc":"2.0","id":1,"result":{"n":1}})");
  EXPECT_EQ(Next(second), R"({"jsonrpc":"2.0","id":2,"result":{"n":2}})");
  EXPECT_EQ(Next(first), "end");
}

TEST_F(StdioTest, RoutesProgressByItsTokenAndListenTrafficByItsSubscription) {
  const std::string progress =
      R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":5}})";
  const std::string tagged =
      R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":2}}})";
  Use("read a; read b; echo '" + progress + "'; echo '" + tagged + "'; " + Answers({1}) +
      "read end");
  Result<ReplyPtr> call = Send("1"), listen = Send("2");
  EXPECT_EQ(Next(listen), tagged);
  EXPECT_EQ(Next(call), progress);
  EXPECT_TRUE(Next(call).contains("result"));
  EXPECT_TRUE(strays_.empty());
}

TEST_F(StdioTest, HandsOverWhatBelongsToNoRequest) {
  Use(R"(echo '{"jsonrpc":"2.0","id":"s1","method":"ping"}'; )"
      R"(echo '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'; )"
      R"(echo '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":99,"progress":1}}'; read end)");
  EXPECT_TRUE(loop_.RunUntil([this] { return strays_.size() == 3; }));
}

TEST_F(StdioTest, GivesALogMessageToTheOnlyRequestInFlight) {
  const std::string log =
      R"({"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}})";
  Use("read a; echo '" + log + "'; read b; echo '" + log + "'; read end");
  Result<ReplyPtr> first = Send("1");
  EXPECT_EQ(Next(first), log);
  Result<ReplyPtr> second = Send("2");
  EXPECT_TRUE(loop_.RunUntil([this] { return strays_.size() == 1; }));
}

TEST_F(StdioTest, GivesAnErrorWithoutAnIdToTheOnlyRequestInFlight) {
  Use(R"(read a; echo '{"jsonrpc":"2.0","error":{"code":-32700,"message":"parse error"}}'; read end)");
  Result<ReplyPtr> reply = Send("1");
  const std::string answer = Next(reply);
  EXPECT_TRUE(answer.contains(R"("id":1)") && answer.contains("parse error")) << answer;
}

TEST_F(StdioTest, NeverLetsOneRequestBecomeTwoLines) {
  Use(R"(n=0; while read -r line; do n=$((n+1)); case $line in *last*) )"
      R"(echo '{"jsonrpc":"2.0","id":2,"result":{"lines":'$n'}}';; esac; done)");
  Result<ReplyPtr> first = Send("1", "{\"jsonrpc\":\"2.0\",\n\"id\":1,\n\"method\":\"a\"}");
  Result<ReplyPtr> last = Send("2", R"({"jsonrpc":"2.0","id":2,"method":"last"})");
  EXPECT_EQ(Next(last), R"({"jsonrpc":"2.0","id":2,"result":{"lines":2}})");
}

TEST_F(StdioTest, FailsWhatIsInFlightWithTheExitStatusAndTellsItOnce) {
  Use("read a; exit 3");
  Result<ReplyPtr> reply = Send("1");
  EXPECT_EQ(Next(reply), "server x: exited with status 3");
  EXPECT_EQ(last_.error().code, Code::kUnavailable);
  EXPECT_EQ(last_.error().origin, Origin::kServer);
  EXPECT_FALSE(last_.error().retryable) << "it may have run";
  EXPECT_EQ(downs_, std::vector<std::string>{"server x: exited with status 3"});
}

TEST_F(StdioTest, SaysThatARequestToADeadServerMayBeRepeated) {
  Use("exit 0");
  ASSERT_TRUE(Down());
  Result<ReplyPtr> reply = Send("1");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnavailable);
  EXPECT_TRUE(reply.error().retryable);
}

TEST_F(StdioTest, StartsAgainAfterAnExit) {
  tests::TempDir dir;
  // The first life ends at once, the second one answers.
  Use("if [ -e " + dir.Path("lived") + " ]; then read a; " + Answers({1}) +
      " read end; fi; touch " + dir.Path("lived"));
  ASSERT_TRUE(Down());
  ASSERT_TRUE(loop_.Run(transport_->Start()));
  Result<ReplyPtr> reply = Send("1");
  EXPECT_TRUE(Next(reply).contains(R"("n":1)"));
}

TEST_F(StdioTest, TellsAServerThatClosedItsOutputFromOneThatExited) {
  Use("exec 1>&- 0<&-; sleep 1000");
  EXPECT_TRUE(loop_.RunUntilWithTime([this] { return !downs_.empty(); }));
  EXPECT_EQ(downs_.front(), "server x: closed its output");
}

TEST_F(StdioTest, AServerThatClosesOnlyItsOutputIsDown) {
  Use("read a; exec 1>&-; sleep 1000");
  Result<ReplyPtr> reply = Send("1");
  ASSERT_TRUE(reply);
  EXPECT_TRUE(loop_.RunUntilWithTime([this] { return !downs_.empty(); }));
  ASSERT_FALSE(downs_.empty());
  EXPECT_EQ(downs_.front(), "server x: closed its output");
  EXPECT_EQ(Next(reply), "server x: closed its output");
}

TEST_F(StdioTest, AServerThatClosesOnlyItsInputIsCutOffWhenThereIsSomethingToTellIt) {
  Use(R"(exec 0<&-; echo '{"jsonrpc":"2.0","method":"notifications/x"}'; sleep 1000)");
  ASSERT_TRUE(loop_.RunUntil([this] { return !strays_.empty(); }));
  Result<ReplyPtr> reply = Send("1");
  ASSERT_TRUE(reply);
  EXPECT_TRUE(loop_.RunUntilWithTime([this] { return !downs_.empty(); }));
  EXPECT_EQ(Next(reply), "server x: closed its input");
}

TEST_F(StdioTest, CutsOffAnEndlessLineAndNamesIt) {
  Use("read a; while :; do printf '%01000d' 0; done", {.line = 2 * 1024 * 1024});
  Result<ReplyPtr> reply = Send("1");
  EXPECT_EQ(Next(reply), "server x: line over 2 MiB");
  EXPECT_EQ(downs_, std::vector<std::string>{"server x: line over 2 MiB"});
}

TEST_F(StdioTest, CutsOffAServerThatTalksRubbish) {
  Use("while :; do echo 'hello there'; done", {.rubbish = 100});
  ASSERT_TRUE(Down());
  EXPECT_EQ(downs_.front(), "server x: 100 lines in a row that are no answer of MCP");
}

TEST_F(StdioTest, CutsOffAServerThatAnswersWhatNobodyAsked) {
  Use(R"(read a; while :; do echo '{"jsonrpc":"2.0","id":4711,"result":{}}'; done)",
      {.rubbish = 10});
  Result<ReplyPtr> reply = Send("1");
  EXPECT_EQ(Next(reply), "server x: 10 lines in a row that are no answer of MCP");
}

// A child that talks when it is spoken to: so many lines, of which `each` mean something, then a
// second passes.
bool StdioTest::TalksFor(int seconds, int each) {
  int said = 0;
  transport_->OnUnsolicited([&said](const mcp::Message&) { ++said; });
  for (int second = 0; second < seconds; ++second) {
    said = 0;
    const mcp::Pieces go{"{}"};
    if (!loop_.Run(transport_->Notify({.body = go, .id = {}, .headers = {}, .deadline = {}})))
      return false;
    const bool more = loop_.RunUntil([&] { return said >= each || !downs_.empty(); });
    if (!more || !downs_.empty()) return false;
    loop_.Pass(std::chrono::seconds(1));
  }
  return true;
}

TEST_F(StdioTest, CutsOffAServerThatTalksRubbishAndSomethingUsefulInBetween) {
  const testing::LogCapture log;
  std::string lines = R"({"jsonrpc":"2.0","method":"notifications/x"})";
  for (int i = 0; i < 99; ++i) lines += "\n}";
  Use("while read a; do yes '" + lines + "' | head -n 3100; done");
  EXPECT_FALSE(TalksFor(/*seconds=*/10, /*each=*/31));
  ASSERT_EQ(downs_.size(), 1U);
  EXPECT_EQ(downs_.front(),
            "server x: more than 1000 a second for 3 s: lines that are no answer of MCP");
  EXPECT_EQ(log.count("useless line"), 1) << "this is " << log.text().size() << " bytes of log";
  EXPECT_EQ(log.count("server x: cut off: more than 1000 a second"), 1);
}

TEST_F(StdioTest, CutsOffAFloodThatDoesNotEnd) {
  const testing::LogCapture log;
  Use(R"(while read a; do yes '{"jsonrpc":"2.0","method":"notifications/x"}' | )"
      "head -n 22000; done");
  EXPECT_TRUE(TalksFor(/*seconds=*/10, /*each=*/22'000));
  EXPECT_FALSE(TalksFor(/*seconds=*/1, /*each=*/22'000));
  ASSERT_EQ(downs_.size(), 1U);
  EXPECT_EQ(downs_.front(), "server x: floods: more than 10000 a second for 10 s");
  EXPECT_EQ(log.count("server x: cut off: floods"), 1) << log.text();
}

// The caller is told, as over HTTP; waiting for the deadline would help nobody.
TEST_F(StdioTest, AnAnswerThatIsNoJsonRpcEndsItsCallAtOnce) {
  const testing::LogCapture log;
  const std::string head = R"({"jsonrpc":"2.0","id":)";
  const std::vector<std::pair<std::string, std::string>> bad{
      {R"(,"result":null})", "result must be an object"},
      {R"(,"result":"text"})", "result must be an object"},
      {R"(,"result":[]})", "result must be an object"},
      {R"(,"error":{"message":"x"}})", "error.code must be an integer"},
      {R"(,"error":"x"})", "error must be an object"},
      {R"(,"result":{},"error":{"code":1,"message":"x"}})", "only one of method, result and error"},
      {R"(,"result":{"a":1},"result":{"a":2}})", "result is given twice"},
      {"}", "one of method, result and error is needed"},
      {R"(,"result":{"a":"\377"}})", "not JSON: invalid UTF-8"},
      {R"(,"result":{"a":)" + std::string(5000, '[') + std::string(5000, ']') + "}}",
       "nested deeper"},
      {R"(,"result":{"a")", "not JSON"},
  };
  std::string script;
  for (int id = 1; id <= 13; ++id) script += "read a; ";  // all are asked before one is answered
  for (std::size_t i = 0; i < bad.size(); ++i) {
    script += "printf '" + head + std::to_string(i + 1) + bad[i].first + "\\n'; ";
  }
  script += "echo '[" + head + R"(12,"result":{}}]'; )" + Answers({13}) + "read end";
  Use(script);
  std::vector<Result<ReplyPtr>> replies;
  for (int id = 1; id <= 13; ++id) replies.push_back(Send(std::to_string(id)));
  for (std::size_t i = 0; i < 12; ++i) {
    const std::string why = Next(replies[i]);
    EXPECT_TRUE(why.starts_with("server x: answer is not JSON-RPC: ")) << why;
    EXPECT_TRUE(why.contains(i < bad.size() ? bad[i].second : "batches")) << i << why;
    ASSERT_FALSE(last_);
    EXPECT_EQ(last_.error().code, Code::kProtocol);
    EXPECT_EQ(last_.error().origin, Origin::kServer);
  }
  EXPECT_TRUE(Next(replies[12]).contains(R"("n":13)")) << "the next ones are none the worse";
  EXPECT_EQ(log.count("useless line"), 0) << "the line of the call says it";
  EXPECT_TRUE(downs_.empty());
}

TEST_F(StdioTest, ABrokenRequestOfTheServerWithTheSameIdIsNoAnswer) {
  Use(R"(read a; echo '{"jsonrpc":"2.0","id":1,"method":7}'; )" + Answers({1}) + "read end");
  Result<ReplyPtr> reply = Send("1");
  EXPECT_TRUE(Next(reply).contains(R"("n":1)"));
}

TEST_F(StdioTest, ForgivesBannersAndLateAnswers) {
  Use("echo 'starting up'; read a; read b; " + Answers({1, 1, 1, 1, 2}) + "read end",
      {.rubbish = 3});
  {
    const Result<ReplyPtr> dropped = Send("1");
  }
  Result<ReplyPtr> reply = Send("2");
  EXPECT_TRUE(Next(reply).contains(R"("n":2)"));
}

TEST_F(StdioTest, TakesWordsOnStderrForNoFailure) {
  Use("echo 'warning: all is well' >&2; read a; " + Answers({1}) + "read end");
  Result<ReplyPtr> reply = Send("1");
  EXPECT_TRUE(Next(reply).contains(R"("n":1)"));
}

TEST_F(StdioTest, EndsAWaitAtItsDeadline) {
  Use("read a; read end");
  Result<ReplyPtr> reply = Send("1", "", loop_.In(std::chrono::seconds(5)));
  loop_.Pass(std::chrono::seconds(5));
  EXPECT_EQ(Next(reply), "server x: no answer in time");
  EXPECT_EQ(last_.error().code, Code::kDeadline);
  EXPECT_FALSE(last_.error().retryable);
}

TEST_F(StdioTest, BoundsWhatWaitsForAServerThatDoesNotRead) {
  Use("sleep 1000", {.unsent = 3'000'000});
  const std::string body =
      R"({"jsonrpc":"2.0","id":0,"method":")" + std::string(500'000, 'x') + "\"}";
  std::vector<Result<ReplyPtr>> replies;
  for (int id = 1; id < 30 && (replies.empty() || replies.back()); ++id) {
    replies.push_back(Send(std::to_string(id), body));
    loop_.RunReady();
  }
  ASSERT_FALSE(replies.back());
  EXPECT_EQ(replies.back().error().message, "server x: does not read its input");
  EXPECT_TRUE(replies.back().error().retryable);
}

TEST_F(StdioTest, BoundsWhatOneRequestLeavesUnread) {
  Use(R"(read a; i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":'$i'}}'; done; )" +
          Answers({1, 2}) + "read end",
      {.unread_notes = 10});
  Result<ReplyPtr> reply = Send("1"), other = Send("2");
  EXPECT_TRUE(Next(other).contains(R"("n":2)"));  // by now all of it has been read
  int notes = 0;
  while (Next(reply).contains("progressToken")) ++notes;
  EXPECT_EQ(notes, 10);
  EXPECT_TRUE((**last_).is_response());
}

TEST_F(StdioTest, CarriesManyRequestsAndBigAnswers) {
  Use(R"(while read -r line; do id=${line#*\"id\":}; id=${id%%,*}; )"
      R"(printf '{"jsonrpc":"2.0","id":%s,"result":{"pad":"%0100000d"}}\n' $id 0; done)");
  std::vector<Result<ReplyPtr>> replies;
  for (int id = 1; id <= 20; ++id) replies.push_back(Send(std::to_string(id)));
  for (Result<ReplyPtr>& reply : replies) EXPECT_GT(Next(reply).size(), 100'000U);
}

TEST_F(StdioTest, AModernServerEndsAListenByCancellingIt) {
  Use(R"(take() { read -r line; id=${line#*\"id\":}; id=${id%%,*}; }; take; )"
      R"(printf '{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete",)"
      R"("supportedVersions":["2026-07-28"],"capabilities":{}}}\n' $id; take; )"
      R"(printf '{"jsonrpc":"2.0","method":"notifications/cancelled",)"
      R"("params":{"requestId":%s}}\n' $id; read end)");
  ServerDownstream server("x", std::move(transport_), loop_.deps(), ProbeSettings{});
  ASSERT_TRUE(loop_.Run(server.Connect()));
  Call call;
  call.message = mcp::Message::Make("1", "subscriptions/listen",
                                    R"({"notifications":{"toolsListChanged":true}})");
  {
    Result<ReplyPtr> reply = loop_.Run(server.Handle(call));
    EXPECT_TRUE(Next(reply).contains("result"));
  }
  loop_.Run(server.Close());
}

TEST_F(StdioTest, ClosesInOrderAndFailsWhatIsInFlight) {
  tests::TempDir dir;
  Use("read a; read end; echo bye > " + dir.Path("bye"));
  Result<ReplyPtr> reply = Send("1");
  loop_.Run(transport_->Close());
  EXPECT_EQ(Next(reply), "server x: stopped by the gateway");
  EXPECT_TRUE(std::filesystem::exists(dir.Path("bye"))) << "the child saw the end of its input";
  EXPECT_TRUE(downs_.empty()) << "a Close() is no going down";
}

}  // namespace
}  // namespace switchyard::downstream
