// The program from the outside: flags, exit statuses, signals, reload, stdio.
#include "unit/cli/program.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "cli/exit.h"

namespace switchyard::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kConfig = R"(listen: 127.0.0.1:0
servers:
  example:
    command: switchyard
    args: [example-server]
)";

struct Ended {
  int exit;
  std::string out, err;
};

Ended RunProgram(std::vector<std::string> arguments, const std::string& directory = "/",
                 const std::string& input = "") {
  Program program(std::move(arguments), directory);
  if (!input.empty()) program.Write(input);
  program.CloseInput();
  const int exit = program.Wait();
  return {exit, program.out(), program.err()};
}

// A gateway that serves kConfig until the test is over, with its server up.
class Serving {
 public:
  explicit Serving(const std::string& config = kConfig)
      : file_(place_.Put("my.yaml", config)), program_({"serve", "--config", file_}) {
    EXPECT_TRUE(program_.SaysErr("listening on"));
    const std::string& err = program_.err();
    const std::size_t begin = err.find("http://127.0.0.1:");
    url_ = err.substr(begin, err.find_first_of(" \n", begin) - begin);
    greeting_ = err;
    Until("example: up");
  }

  // Asks for its health until the answer holds `text`. Each question is a process of its own, so
  // this does not spin.
  void Until(const std::string& text) const {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    Ended health;
    do {
      health = RunProgram({"health", "--url", url_});
      if (health.out.contains(text)) return;
    } while (std::chrono::steady_clock::now() < end);
    ADD_FAILURE() << "health never says " << text << ": " << health.out << health.err;
  }

  Program& program() { return program_; }
  const Workplace& place() const { return place_; }
  const std::string& url() const { return url_; }
  const std::string& greeting() const { return greeting_; }

 private:
  Workplace place_;
  std::string file_;
  Program program_;
  std::string url_, greeting_;
};

TEST(Program, HelpTeachesEveryCommandButTheGatewaysOwn) {
  const Ended help = RunProgram({"--help"});
  EXPECT_EQ(help.exit, kOk);
  for (const char* command :
       {"serve", "check", "tools", "call", "health", "key", "example-server"}) {
    EXPECT_THAT(help.out, HasSubstr(command));
  }
  EXPECT_THAT(help.out, AllOf(HasSubstr("Exit status"), Not(HasSubstr("guardian"))));
  for (const char* command : {"serve", "check", "tools", "call", "health", "key"}) {
    const Ended own = RunProgram({command, "--help"});
    EXPECT_EQ(own.exit, kOk) << command;
    EXPECT_THAT(own.out, HasSubstr(std::string("Examples:\n  switchyard ") + command));
  }
}

TEST(Program, MakesAKeyAndPutsNothingElseOnStdout) {
  const Ended made = RunProgram({"key", "new", "ci-runner", "--expires", "90d"});
  EXPECT_EQ(made.exit, kOk);
  EXPECT_THAT(made.out, ::testing::MatchesRegex("swy_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}\n"));
  EXPECT_THAT(made.err,
              AllOf(HasSubstr("ci-runner"), HasSubstr("sha256:"), HasSubstr("expires: ")));
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"key"},
                                                {"key", "new"},
                                                {"key", "new", "two words"},
                                                {"key", "new", "ci", "--expires", "soon"}}) {
    EXPECT_EQ(RunProgram(wrong).exit, kUsage);
  }
}

TEST(Program, SaysItsVersion) {
  EXPECT_EQ(RunProgram({"--version"}).out, "switchyard " SWITCHYARD_VERSION "\n");
  EXPECT_EQ(RunProgram({"version"}).out, "switchyard " SWITCHYARD_VERSION "\n");
}

TEST(Program, WrongUsageExitsWithTwo) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"server"},
      {"check"},
      {"check", "my.yaml", "--endpoint", "team"},
      {"check", "my.yaml", "--as", "ada"},
      {"check", "my.yaml", "a__tool"},
      {"call"},
      {"tools", "--config", "a", "--url", "b"},
      {"tools", "--url", "not-a-url"},
      {"call", "x", "{}", "--timeout", "soon"},
      {"call", "x", "{"},
      {"serve", "--config", "a", "--listen", "nowhere"},
      {"serve", "--workers", "0"}};
  for (const auto& arguments : wrong) {
    const Ended ended = RunProgram(arguments);
    EXPECT_EQ(ended.exit, kUsage) << testing::PrintToString(arguments);
    EXPECT_THAT(ended.err, Not(IsEmpty())) << testing::PrintToString(arguments);
  }
}

TEST(Program, AWordThatNobodyKnowsIsToldWithTheOneThatWasMeant) {
  const auto said = [](std::vector<std::string> words) {
    const Ended ended = RunProgram(std::move(words));
    EXPECT_EQ(ended.exit, kUsage);
    return ended.err;
  };
  EXPECT_EQ(said({"tols"}),
            "there is no command tols, did you mean tools? `switchyard --help` lists them\n");
  EXPECT_EQ(said({"serve", "--lisen", "1"}),
            "there is no option --lisen of serve, did you mean --listen? `switchyard serve --help` "
            "lists them\n");
  EXPECT_EQ(said({"audit", "verfy", "x"}),
            "there is no command verfy of audit, did you mean verify? `switchyard audit --help` "
            "lists them\n");
  EXPECT_EQ(said({"xylophone"}), "there is no command xylophone; `switchyard --help` lists them\n");
  EXPECT_THAT(said({"serve", "--workers=many"}), HasSubstr("--workers"));  // what is known is not
  EXPECT_THAT(said({"call"}), HasSubstr("TOOL is required"));
}

TEST(Program, NobodyThereExitsWithThree) {
  Workplace place;
  EXPECT_EQ(RunProgram({"tools", "--url", "http://127.0.0.1:1/mcp"}).exit, kUnreachable);
  EXPECT_EQ(RunProgram({"call", "x", "--url", "http://127.0.0.1:1/mcp"}).exit, kUnreachable);
  EXPECT_EQ(RunProgram({"health", "--url", "http://127.0.0.1:1/mcp"}).exit, kUnreachable);
}

TEST(Program, ABadConfigurationIsShownAlikeByEveryCommand) {
  Workplace place;
  const std::string file = place.Put("bad.yaml", "servers: {a: {comand: x}}\n");
  for (const char* command : {"check", "serve", "tools"}) {
    const Ended ended = std::string(command) == "check" ? RunProgram({command, file})
                                                        : RunProgram({command, "--config", file});
    EXPECT_EQ(ended.exit, kFailed) << command;
    EXPECT_THAT(ended.err, HasSubstr("bad.yaml:1:")) << command;
    EXPECT_THAT(ended.err, HasSubstr("did you mean command?")) << command;
  }
}

TEST(Program, ServeWithoutAConfigurationTeachesOne) {
  Workplace place;
  const Ended ended = RunProgram({"serve"}, place.path());
  EXPECT_EQ(ended.exit, kUsage);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("--config FILE"), HasSubstr("servers:")));
}

TEST(Program, ToolsAndCallStartAGatewayFromAConfiguration) {
  Workplace place;
  place.Put("switchyard.yaml", kConfig);
  const Ended tools = RunProgram({"tools"}, place.path());
  EXPECT_EQ(tools.exit, kOk) << tools.err;
  EXPECT_THAT(tools.out, HasSubstr("\nexample__echo   example  read-only, idempotent  Returns"));
  const Ended call = RunProgram({"call", "example__add", R"({"a":1,"b":2})"}, place.path());
  EXPECT_EQ(call.exit, kOk) << call.err;
  EXPECT_THAT(call.out, HasSubstr("{\"sum\":3"));
  const Ended unknown = RunProgram({"call", "echo", "-"}, place.path(), "{}");
  EXPECT_EQ(unknown.exit, kFailed);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean example__echo?"));
}

TEST(Program, ToolsNamesTheServiceOfTheGatewayAsAServer) {
  Workplace place;
  place.Put("switchyard.yaml", std::string(kConfig) + "orchestration: {}\n");
  const Ended tools = RunProgram({"tools"}, place.path());
  EXPECT_EQ(tools.exit, kOk) << tools.err;
  EXPECT_THAT(tools.out, ContainsRegex("\norchestration_create_task +orchestration +"));
}

TEST(Program, ToolsNamesAServerThatDoesNotStartAndWhy) {
  Workplace place;
  place.Put("switchyard.yaml", std::string(kConfig) + "  broken:\n    command: /no/such/program\n");
  const Ended tools = RunProgram({"tools"}, place.path());
  EXPECT_EQ(tools.exit, kOk);
  EXPECT_THAT(tools.out, AllOf(HasSubstr("example__echo"), HasSubstr("missing: broken: ")));
}

TEST(Serve, WhatItPrintsWorksWhenPastedAndStdoutStaysEmpty) {
  Serving serving;
  const std::string& greeting = serving.greeting();
  const std::size_t begin = greeting.find("curl ");
  const std::string curl = greeting.substr(begin, greeting.find("\n\n", begin) - begin);
  Program pasted({"-c", curl}, "/", "sh");
  EXPECT_EQ(pasted.Wait(), 0);
  EXPECT_THAT(pasted.out(), AllOf(HasSubstr(R"("text":"hello")"), HasSubstr(R"("id":1)")));
  EXPECT_THAT(greeting, HasSubstr(R"("url": ")" + serving.url() + "\""));
  serving.program().Signal(SIGTERM);
  EXPECT_EQ(serving.program().Wait(), kOk);
  EXPECT_THAT(serving.program().out(), IsEmpty());
}

TEST(Serve, WhoseAToolIsIsKnownWithoutItsConfiguration) {
  const Serving serving(std::string(kConfig) + "    prefix: x\norchestration: {}\n");
  const Ended tools = RunProgram({"tools", "--url", serving.url()});
  EXPECT_EQ(tools.exit, kOk) << tools.err;
  EXPECT_THAT(tools.out, ContainsRegex("\nx__echo +example +"));
  EXPECT_THAT(tools.out, ContainsRegex("\norchestration_create_task +orchestration +"));
}

TEST(Serve, EndsOnAnInterruptAsWell) {
  Serving serving;
  serving.program().Signal(SIGINT);
  EXPECT_EQ(serving.program().Wait(), kOk);
}

TEST(Serve, ASecondSignalEndsItAtOnceThoughACallIsInFlight) {
  Serving serving;
  Program call({"call", "example__count", R"({"to":9,"interval_ms":20000})", "--url", serving.url(),
                "--timeout", "10m"});
  const std::string in_flight = "switchyard_calls_in_flight{server=\"example\"} 1";
  const auto end = std::chrono::steady_clock::now() + kPatience;
  std::string metrics;
  while (!metrics.contains(in_flight) && std::chrono::steady_clock::now() < end) {
    std::string url = serving.url();
    Program curl({"-sS", url.replace(url.rfind("/mcp"), 4, "/metrics")}, "/", "curl");
    curl.Wait();
    metrics = curl.out();
  }
  ASSERT_THAT(metrics, HasSubstr(in_flight));
  serving.program().Signal(SIGTERM);
  EXPECT_TRUE(serving.program().SaysErr("stopping"));
  serving.program().Signal(SIGTERM);
  EXPECT_EQ(serving.program().Wait(), kFailed);
  EXPECT_THAT(serving.program().err(), HasSubstr("stopped at once"));
}

TEST(Serve, ReloadsAChangedFile) {
  Serving serving;
  serving.program().Forget();
  serving.place().Put("my.yaml", std::string(kConfig) +
                                     "  second:\n    command: switchyard\n"
                                     "    args: [example-server]\n");
  EXPECT_TRUE(serving.program().SaysErr("reloaded"));
  serving.Until("second: up");
  EXPECT_THAT(RunProgram({"tools", "--url", serving.url()}).out,
              AllOf(HasSubstr("example__echo"), HasSubstr("second__echo")));
}

TEST(Serve, SaysWhatAReloadCannotChange) {
  Serving serving;
  serving.program().Forget();
  serving.place().Put("my.yaml", std::string(kConfig) +
                                     "sessions: {max: 7, resume_grace: 1m}\nlog: {format: text}\n");
  for (const char* key : {"sessions.max", "sessions.resume_grace", "log.format"}) {
    EXPECT_TRUE(
        serving.program().SaysErr(std::string("reload: ") + key + " changes only with a restart"));
  }
  EXPECT_TRUE(serving.program().SaysErr("reloaded"));
  EXPECT_THAT(serving.program().err(), Not(HasSubstr("sessions.max_streams")));
}

TEST(Serve, RefusesABadFileWholeAndKeepsWhatWasThere) {
  Serving serving;
  serving.program().Forget();
  serving.place().Put("my.yaml", "servers: {example: {comand: x}}\n");
  EXPECT_TRUE(serving.program().SaysErr("is refused"));
  EXPECT_THAT(serving.program().err(), HasSubstr("did you mean command?"));
  EXPECT_THAT(RunProgram({"tools", "--url", serving.url()}).out, HasSubstr("example__echo"));
}

TEST(Serve, ARefusedReloadLogsNothingThatWasExpanded) {
  Workplace secrets;
  const std::string file = secrets.Put("rate", "100/zq7hidden");
  Serving serving;
  serving.program().Forget();
  serving.place().Put(
      "my.yaml", std::string(kConfig) + "policies: {rate_limit: {rate: '${file:" + file + "}'}}\n");
  EXPECT_TRUE(serving.program().SaysErr("is refused"));
  EXPECT_THAT(serving.program().err(),
              AllOf(HasSubstr("got ${file:" + file + "}"), Not(HasSubstr("zq7hidden"))));
}

TEST(Program, WhatCannotStartSaysNothingThatWasExpanded) {
  Workplace place;
  const std::string secret = place.Put("path", "/dev/null/zq7hidden/audit.jsonl");
  const std::string file =
      place.Put("my.yaml", std::string(kConfig) + "audit: {path: '${file:" + secret + "}'}\n");
  for (const char* command : {"serve", "tools"}) {
    const Ended ended = RunProgram({command, "--config", file});
    EXPECT_EQ(ended.exit, kFailed) << command;
    EXPECT_THAT(ended.err, AllOf(HasSubstr("${file:" + secret + "}"), Not(HasSubstr("zq7hidden"))))
        << command;
  }
}

TEST(Serve, ReadsSecretFilesAgainOnAHangup) {
  Workplace secrets;
  const std::string file = secrets.Put("prefix", "one");
  Serving serving(std::string(kConfig) + "    prefix: ${file:" + file + "}\n");
  EXPECT_THAT(RunProgram({"tools", "--url", serving.url()}).out, HasSubstr("one__echo"));
  secrets.Put("prefix", "two");
  serving.program().Forget();
  serving.program().Signal(SIGHUP);
  EXPECT_TRUE(serving.program().SaysErr("reloaded"));
  serving.Until("example: up");
  EXPECT_THAT(RunProgram({"tools", "--url", serving.url()}).out, HasSubstr("two__echo"));
}

TEST(Serve, OnStdioAnswersOnStdoutAloneAndEndsWithItsInput) {
  Workplace place;
  const std::string file = place.Put("my.yaml", kConfig);
  Program program({"serve", "--config", file, "--stdio"});
  program.Write(R"({"jsonrpc":"2.0","id":7,"method":"server/discover","params":{"_meta":{)"
                R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                R"("io.modelcontextprotocol/clientCapabilities":{}}}})"
                "\n");
  EXPECT_TRUE(program.SaysOut("\n"));
  EXPECT_THAT(program.out(), AllOf(HasSubstr(R"("id":7)"), HasSubstr("supportedVersions")));
  program.CloseInput();
  EXPECT_EQ(program.Wait(), kOk);
  EXPECT_EQ(std::ranges::count(program.out(), '\n'), 1);
  EXPECT_THAT(program.err(), Not(HasSubstr("http://")));
}

TEST(Serve, OnStdioEndsOnASignalThoughItsInputIsOpen) {
  Workplace place;
  const std::string file = place.Put("my.yaml", kConfig);
  Program program({"serve", "--config", file, "--stdio", "--listen", "127.0.0.1:0"});
  EXPECT_TRUE(program.SaysErr("listening on"));
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), kOk);
}

TEST(Serve, SaysThatItCannotListenThereAndWhatToDo) {
  Workplace place;
  const std::string file = place.Put("my.yaml", std::string(kConfig) + "auth: none\n");
  const Ended ended = RunProgram({"serve", "--config", file, "--listen", "203.0.113.1:1"});
  EXPECT_EQ(ended.exit, kFailed);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("203.0.113.1:1"), HasSubstr("--listen")));
}

}  // namespace
}  // namespace switchyard::cli
