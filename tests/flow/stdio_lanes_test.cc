// A legacy child process that asks clients something, and the further processes it gets meanwhile.
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <regex>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/legacy_session.h"
#include "support/paths.h"
#include "support/temp_dir.h"
#include "unit/downstream/loop.h"

namespace switchyard::tests {
namespace {

const std::string kForm =
    R"({"method":"elicitation/create","params":{"mode":"form","message":"Which?","requestedSchema":{"type":"object","properties":{}}}})";

Ask Asking(const std::string& more = "") {
  return {.method = "tools/call", .members = R"("name":"a__ask","arguments":)" + kForm + more};
}

std::string StateOf(const Answer& asked) { return TextAt(asked.message(), "/result/requestState"); }

Ask Back(const Answer& asked, const std::string& answer) {
  return Asking(R"(,"inputResponses":{"q1":)" + answer + R"(},"requestState":)" +
                Quote(StateOf(asked)));
}

// The pids of all processes that were ever started.
std::vector<pid_t> Pids(const std::string& report) {
  std::vector<pid_t> pids;
  std::ifstream file(report);
  for (pid_t pid; file >> pid;) pids.push_back(pid);
  return pids;
}

class StdioLanes : public ::testing::Test {
 protected:
  void Begin(const std::string& keys = "") {
    gateway.ServesChild("a", {"--era", "legacy", "--report", report}, keys).Start();
  }
  ModernClient Asked() const {
    ModernClient one = gateway.Modern();
    one.set_capabilities(R"({"elicitation":{}})");
    return one;
  }

  TempDir dir;
  const std::string report = dir.Path("pids");
  Gateway gateway;
};

TEST_F(StdioLanes, PeopleWhoDoNotAnswerHoldUpNobodyAndEachAnswerFindsItsProcess) {
  Begin();
  std::vector<Answer> asked;
  for (int i = 0; i < 3; ++i) {
    ModernClient one = Asked();
    asked.push_back(one.Request(Asking()));
    ASSERT_FALSE(StateOf(asked.back()).empty()) << asked.back();
  }
  EXPECT_EQ(Pids(report).size(), 3U);
  for (std::size_t i = asked.size(); i-- > 0;) {
    const std::string answer = R"({"action":"accept","content":{"i":)" + std::to_string(i) + "}}";
    ModernClient one = Asked();
    const Answer done = one.Request(Back(asked[i], answer));
    EXPECT_EQ(Parse(done.text()), Parse(answer)) << done;
  }
  EXPECT_FALSE(StateOf(Asked().Request(Asking())).empty());
  EXPECT_EQ(Pids(report).size(), 3U) << "they are used again";
  gateway.Stop();
  for (const pid_t pid : Pids(report)) EXPECT_TRUE(IsGone(pid));
}

TEST_F(StdioLanes, OneProcessIsEnoughWhereTheConfigurationSaysSo) {
  gateway.With("policies", "{timeout: {total: 500ms}}");
  Begin("lanes: 1");
  ModernClient one = Asked();
  const Answer asked = one.Request(Asking());
  ASSERT_FALSE(StateOf(asked).empty()) << asked;
  const Answer waits = Asked().Request(Asking());
  EXPECT_TRUE(waits.Contains("servers.a.lanes")) << waits;
  EXPECT_EQ(Pids(report).size(), 1U);
  EXPECT_EQ(one.Request(Back(asked, R"({"action":"decline"})")).code(), 0);
}

TEST_F(StdioLanes,
       AQuestionRightAfterACancelledCallIsTheNextCallsOnceTheServerHasReadTheCancellation) {
  Begin("lanes: 1");
  LegacyClient gone = Declaring(gateway.port(), R"({"roots":{}})");
  Exchange call = gone.BeginCall("a__ask_and_hold", R"({"label":"x"})");
  EXPECT_TRUE(call.NextEvent());
  gone.Cancel(call);
  const Answer asked = Asked().Request(Asking());
  EXPECT_FALSE(StateOf(asked).empty()) << asked;
  EXPECT_EQ(Pids(report).size(), 1U);
}

// The program itself, in a process that can be killed.
class Program {
 public:
  explicit Program(const std::string& config) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    log_ = ends[0];
    const std::string binary = paths::SwitchyardBinary();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::dup2(ends[1], STDERR_FILENO);
      ::execl(binary.c_str(), binary.c_str(), "serve", "--config", config.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
  }
  Program(const Program&) = delete;
  ~Program() {
    Kill();
    ::close(log_);
  }
  void Kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  // From the URL that it says it listens at; 0: it says none.
  std::uint16_t Port() {
    static const std::regex kUrl(R"(http://127\.0\.0\.1:(\d+)/mcp)");
    std::string said;
    char bytes[512];
    for (ssize_t count; (count = ::read(log_, bytes, sizeof bytes)) > 0;) {
      said.append(bytes, static_cast<std::size_t>(count));
      std::smatch match;
      if (std::regex_search(said, match, kUrl)) {
        return static_cast<std::uint16_t>(std::stoi(match[1]));
      }
    }
    ADD_FAILURE() << said;
    return 0;
  }

 private:
  pid_t pid_ = -1;
  int log_ = -1;
};

TEST(StdioLanesOfAKilledGateway, EndWithIt) {
  TempDir dir;
  const std::string report = dir.Path("pids");
  Program program(dir.Write(
      "config.yaml", "listen: 127.0.0.1:0\nservers: {a: {command: " + paths::FakeStdioServer() +
                         ", args: [--name, a, --era, legacy, --deaf, --report, " + report +
                         "]}}\n"));
  const std::uint16_t port = program.Port();
  ASSERT_NE(port, 0);
  ModernClient one(port, "/mcp");
  one.set_capabilities(R"({"elicitation":{}})");
  Exchange listen = ModernClient(port, "/mcp").Listen(R"("toolsListChanged":true)");
  while (!tests::Contains(one.Tools(), "a__ask")) listen.NextEvent();
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(StateOf(one.Request(Asking())).empty());
  const std::vector<pid_t> pids = Pids(report);
  ASSERT_EQ(pids.size(), 2U);
  program.Kill();
  for (const pid_t pid : pids) EXPECT_TRUE(IsGone(pid));
}

}  // namespace
}  // namespace switchyard::tests
