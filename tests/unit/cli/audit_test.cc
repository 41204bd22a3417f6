// The audit log of the real program: over kill -9, and under `switchyard audit`.
#include <atomic>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit.h"
#include "support/client.h"
#include "support/json.h"
#include "unit/cli/program.h"

namespace switchyard::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::At;
using tests::Parse;

class AuditProgram : public testing::Test {
 protected:
  std::string log() const { return place_.path() + "/audit.jsonl"; }
  std::string Config(const std::string& more = "", const std::string& path = "") const {
    return place_.Put("my.yaml", "listen: 127.0.0.1:0\nservers: {}\naudit: {path: " +
                                     (path.empty() ? log() : path) + more + "}\n");
  }
  static std::uint16_t PortOf(Program& serve) {
    EXPECT_TRUE(serve.SaysErr("listening on"));
    const std::string start = "http://127.0.0.1:";
    return static_cast<std::uint16_t>(
        std::stoi(serve.err().substr(serve.err().find(start) + start.size())));
  }
  // A gateway's life, with so many calls in it.
  void Serve(int calls, const std::string& config) const {
    Program serve({"serve", "--config", config});
    tests::ModernClient client(PortOf(serve));
    for (int i = 0; i < calls; ++i) client.Call("tool" + std::to_string(i));
    serve.Signal(SIGTERM);
    EXPECT_EQ(serve.Wait(), kOk) << serve.err();
  }
  std::string Text() const {
    std::ifstream in(log());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  struct Said {
    int exit;
    std::string out, err;
  };
  static Said Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "audit");
    Program program(std::move(arguments));
    const int exit = program.Wait();
    return {exit, program.out(), program.err()};
  }

  const Workplace place_;
};

TEST_F(AuditProgram, IsWholeHoweverOftenTheGatewayIsKilled) {
  constexpr int kLives = 6;
  const std::string config = Config(", max_size: 64KiB");
  for (int life = 0; life < kLives; ++life) {
    Program serve({"serve", "--config", config});
    const std::uint16_t port = PortOf(serve);
    std::atomic<int> answered = 0;
    std::atomic<bool> ended = false;
    std::thread load([port, &answered, &ended] {
      tests::ModernClient client(port);
      while (client.Call("t").status != 0) ++answered;
      ended = true;
    });
    while (answered < 50 * (life + 1) && !ended) std::this_thread::yield();
    EXPECT_FALSE(ended);
    serve.Signal(SIGKILL);
    serve.Wait();
    load.join();
    const Said verify = Run({"verify", log()});
    ASSERT_EQ(verify.exit, kOk) << verify.err;
  }
  Serve(1, config);
  const Said verify = Run({"verify", log(), "--json"});
  EXPECT_EQ(verify.exit, kOk) << verify.out;
  const auto told = Parse(verify.out);
  EXPECT_EQ(At(told, "/logs/0/events/opened"), tests::json::value(kLives + 1));
  EXPECT_GT(At(told, "/logs/0/files").as_int64(), 1) << "it was rotated meanwhile";
}

TEST_F(AuditProgram, VerifyNamesTheLineThatWasChanged) {
  Serve(5, Config());
  const Said whole = Run({"verify", log()});
  EXPECT_EQ(whole.exit, kOk);
  EXPECT_THAT(whole.out, HasSubstr(log() + " is whole: 9 records in 1 file, number 1 of 20"));
  std::string text = Text();
  text.replace(text.find("tool3"), 5, "tool4");
  place_.Put("audit.jsonl", text);
  const Said changed = Run({"verify", log()});
  EXPECT_EQ(changed.exit, kFailed);
  EXPECT_THAT(changed.err,
              AllOf(HasSubstr("audit.jsonl:7: the record was changed: its hash is not"),
                    HasSubstr("6 records before it are whole, up to number 6")));
  const Said json = Run({"verify", place_.path(), "--json"});
  EXPECT_EQ(json.exit, kFailed);
  EXPECT_EQ(At(Parse(json.out), "/logs/0/problem/line"), tests::json::value(7));
  const Said none = Run({"verify", place_.path() + "/nothing.jsonl"});
  EXPECT_EQ(none.exit, kFailed);
  EXPECT_THAT(none.err, HasSubstr("there is no such file"));
}

TEST_F(AuditProgram, VerifyMissesAnEndOfWhichItKnowsTheHash) {
  Serve(3, Config());
  std::string text = Text();
  const std::string hash = text.substr(text.size() - 67, 64);
  EXPECT_EQ(Run({"verify", log(), "--head", hash}).exit, kOk);
  text.erase(text.rfind('\n', text.size() - 2) + 1);
  place_.Put("audit.jsonl", text);
  EXPECT_EQ(Run({"verify", log()}).exit, kOk);
  EXPECT_THAT(Run({"verify", log(), "--head", hash}).err, HasSubstr("the newest ones are missing"));
}

TEST_F(AuditProgram, UnderAKeyIsVerifiedWithTheKey) {
  place_.Put("audit.key", "sixteen bytes and some\n");
  Serve(2, Config(", key: \"${file:audit.key}\""));
  EXPECT_EQ(Run({"verify", log(), "--key-file", place_.path() + "/audit.key"}).exit, kOk);
  const Said without = Run({"verify", log()});
  EXPECT_EQ(without.exit, kFailed);
  EXPECT_THAT(without.err, HasSubstr("--key-file"));
  EXPECT_EQ(Run({"verify", log(), "--key-file", "/nothing"}).exit, kUsage);
  Program other({"serve", "--config", Config()});
  EXPECT_EQ(other.Wait(), kFailed);
  EXPECT_THAT(other.err(), HasSubstr("was written with another key or none"));
}

TEST_F(AuditProgram, QueryFindsRecords) {
  Serve(5, Config());
  const Said all = Run({"query", log()});
  EXPECT_EQ(all.exit, kOk);
  EXPECT_THAT(all.out, AllOf(HasSubstr("tool0"), HasSubstr("tool4"), HasSubstr("opened")));
  const Said one = Run({"query", log(), "--tool", "tool3", "--outcome", "error", "--json"});
  EXPECT_EQ(At(Parse(one.out), "/tool"), tests::json::value("tool3")) << one.out;
  const Said newest = Run({"query", log(), "--event", "call", "--limit", "2"});
  EXPECT_THAT(newest.out, AllOf(HasSubstr("tool3"), HasSubstr("tool4"), Not(HasSubstr("tool2"))));
  EXPECT_THAT(newest.err, HasSubstr("3 older ones match, too"));
  EXPECT_EQ(Run({"query", log(), "--since", "1h", "--until", "2000-01-01"}).out, "");
  const Said bad = Run({"query", log(), "--since", "yesterday"});
  EXPECT_EQ(bad.exit, kUsage);
  EXPECT_THAT(bad.err, HasSubstr("--since must be a time such as"));
}

TEST_F(AuditProgram, IsWrittenByOneGateway) {
  const std::string config = Config();
  Program first({"serve", "--config", config});
  ASSERT_TRUE(first.SaysErr("listening on"));
  Program second({"serve", "--config", config});
  EXPECT_EQ(second.Wait(), kFailed);
  EXPECT_THAT(second.err(), HasSubstr("audit.path: " + log() + ": is written by another gateway"));
  first.Signal(SIGKILL);
  first.Wait();
  Serve(1, config);
}

TEST_F(AuditProgram, MovesWithAReload) {
  Program serve({"serve", "--config", Config()});
  tests::ModernClient client(PortOf(serve));
  client.Call("before");
  const std::string moved = place_.path() + "/moved.jsonl";
  Config("", moved);
  ASSERT_TRUE(serve.SaysErr("reloaded"));
  client.Call("after");
  serve.Signal(SIGTERM);
  EXPECT_EQ(serve.Wait(), kOk) << serve.err();
  const Said verify = Run({"verify", place_.path()});
  EXPECT_EQ(verify.exit, kOk) << verify.err;
  EXPECT_THAT(Run({"query", log(), "--event", "call"}).out,
              AllOf(HasSubstr("before"), Not(HasSubstr("after"))));
  EXPECT_THAT(Run({"query", moved, "--event", "call"}).out, HasSubstr("after"));
}

}  // namespace
}  // namespace switchyard::cli
