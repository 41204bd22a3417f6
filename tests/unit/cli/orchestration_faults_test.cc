// The real program with its records on a disk that is full, in a file that it may not write, or in
// one that is damaged: what agents and operators are told, and that nothing that was answered is
// lost.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit.h"
#include "support/becomes.h"
#include "support/client.h"
#include "unit/cli/program.h"

namespace switchyard::cli {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::Becomes;
using tests::ModernClient;
using tests::TextAt;

class OrchestrationFile : public testing::Test {
 protected:
  OrchestrationFile() {
    config_ = place_.Put("my.yaml",
                         "listen: 127.0.0.1:0\nservers: {}\nlog: {calls: false}\n"
                         "orchestration: {}\nstate: {dir: " +
                             dir() + "}\n");
  }
  std::string dir() const { return place_.path() + "/state"; }
  std::string file() const { return dir() + "/orchestration.db"; }

  static std::uint16_t PortOf(Program& serve) {
    EXPECT_TRUE(serve.SaysErr("/mcp"));
    const std::string head = "http://127.0.0.1:";
    const std::size_t begin = serve.err().find(head) + head.size();
    return static_cast<std::uint16_t>(std::stoi(serve.err().substr(begin)));
  }
  static tests::Answer Create(ModernClient& client, std::size_t bytes) {
    return client.Call("orchestration_create_task",
                       R"({"content":")" + std::string(bytes, 'x') + R"("})");
  }
  static std::string IdOf(const tests::Answer& created) {
    return TextAt(created.message(), "/result/structuredContent/task_id");
  }
  // It listens before its servers are up.
  static std::string UntilCreated(ModernClient& client) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    std::string id;
    while ((id = IdOf(Create(client, 1))).empty() && std::chrono::steady_clock::now() < end) {
    }
    return id;
  }
  static std::string StatusOf(ModernClient& client, const std::string& task) {
    return TextAt(
        client.Call("orchestration_get_task_status", R"({"task_id":")" + task + "\"}").message(),
        "/result/structuredContent/status");
  }
  // What the metrics and alerts go by.
  static bool IsFailing(std::uint16_t port) {
    const tests::Answer page = ModernClient(port).Raw(
        "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n\r\n");
    const bool failing = page.Contains("\nswitchyard_orchestration_failing 1\n");
    EXPECT_TRUE(failing || page.Contains("\nswitchyard_orchestration_failing 0\n"));
    return failing;
  }
  // With `tasks` in it, of a gateway that ended in order.
  void Fill(int tasks) const {
    Program serve({"serve", "--config", config_});
    ModernClient client(PortOf(serve));
    EXPECT_NE(UntilCreated(client), "");
    for (int i = 1; i < tasks; ++i) EXPECT_NE(IdOf(Create(client, 1000)), "");
    client.HangUp();
    serve.Signal(SIGTERM);
    EXPECT_EQ(serve.Wait(), kOk) << serve.err();
  }
  void Overwrite(std::streamoff at, std::size_t bytes) const {
    std::fstream database(file(), std::ios::in | std::ios::out | std::ios::binary);
    database.seekp(at);
    database << std::string(bytes, '\xff');
  }
  // Neither of the two commands goes on with it; both say this.
  void ExpectRefused(const std::string& why) const {
    Program serve({"serve", "--config", config_});
    EXPECT_EQ(serve.Wait(), kFailed) << why;
    EXPECT_THAT(serve.err(), HasSubstr("orchestration: " + file() + ": " + why));
    Program check({"check", config_});
    EXPECT_EQ(check.Wait(), kFailed) << why;
    EXPECT_THAT(check.err(), HasSubstr("orchestration: " + file() + ": " + why));
  }

  const Workplace place_;
  std::string config_;
};

// A file of this process can grow no further, which is what a full disk is to it.
void LimitFiles(pid_t pid, rlim_t bytes) {
  rlimit limit{};
  ASSERT_EQ(prlimit(pid, RLIMIT_FSIZE, nullptr, &limit), 0);
  limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
  ASSERT_EQ(prlimit(pid, RLIMIT_FSIZE, &limit, nullptr), 0);
}

TEST_F(OrchestrationFile, OnAFullDiskRefusesAndLosesNothingThatWasAnswered) {
  std::vector<std::string> answered;
  {
    // A process that outgrows the limit would be ended by a signal, which a full disk does not
    // send.
    Program serve({"-c", R"(trap '' XFSZ; exec "$0" "$@")", paths::SwitchyardBinary(), "serve",
                   "--config", config_},
                  "/", "/bin/sh");
    const std::uint16_t port = PortOf(serve);
    ModernClient client(port);
    answered.push_back(UntilCreated(client));
    EXPECT_FALSE(IsFailing(port));
    constexpr rlim_t kRoom = 2'000'000;
    LimitFiles(serve.pid(), kRoom);
    tests::Answer last;
    while (!IdOf(last = Create(client, 200'000)).empty() && answered.size() < 100) {
      answered.push_back(IdOf(last));
    }
    EXPECT_GT(answered.size(), 2U);
    EXPECT_THAT(TextAt(last.message(), "/error/message"),
                AnyOf(HasSubstr("its records cannot be used at present; nothing was changed"),
                      HasSubstr("its records cannot be used at present; look whether the call "
                                "took effect")));
    EXPECT_THAT(last.body, Not(AnyOf(HasSubstr("sqlite"), HasSubstr(dir()), HasSubstr("disk"))));
    EXPECT_EQ(StatusOf(client, answered.front()), "pending") << "what only looks goes on";
    EXPECT_TRUE(serve.SaysErr("disk")) << "the log says why";
    EXPECT_TRUE(IsFailing(port));
    LimitFiles(serve.pid(), 0);
    EXPECT_TRUE(Becomes([port] { return !IsFailing(port); })) << "though nobody writes";
    answered.push_back(IdOf(Create(client, 200'000)));
    EXPECT_NE(answered.back(), "") << "there is room again";
    serve.Signal(SIGKILL);
    serve.Wait();
  }
  Program serve({"serve", "--config", config_});
  ModernClient client(PortOf(serve));
  EXPECT_NE(UntilCreated(client), "");
  for (const std::string& task : answered) EXPECT_EQ(StatusOf(client, task), "pending") << task;
}

// Root may write whatever the permissions say, unless it gave that right away.
TEST_F(OrchestrationFile, ThatMayNotBeWrittenIsRefusedAtTheStart) {
  Fill(1);
  namespace fs = std::filesystem;
  fs::permissions(file(), fs::perms::owner_read);
  const std::string words = file() + ": attempt to write a readonly database; let this user write";
  if (geteuid() == 0) {
    Program serve({"--bounding-set=-dac_override,-dac_read_search", paths::SwitchyardBinary(),
                   "serve", "--config", config_},
                  "/", "/usr/bin/setpriv");
    EXPECT_EQ(serve.Wait(), kFailed);
    EXPECT_THAT(serve.err(), HasSubstr(words));
  } else {
    Program serve({"serve", "--config", config_});
    EXPECT_EQ(serve.Wait(), kFailed);
    EXPECT_THAT(serve.err(), HasSubstr(words));
  }
  fs::permissions(file(), fs::perms::owner_read | fs::perms::owner_write);
  Program serve({"serve", "--config", config_});
  ModernClient client(PortOf(serve));
  EXPECT_NE(UntilCreated(client), "");
  EXPECT_EQ(StatusOf(client, "task_00000001"), "pending") << "nothing was changed meanwhile";
}

TEST_F(OrchestrationFile, ThatIsDamagedIsRefusedWithTheWayBack) {
  const std::string way = "; put a copy of it back, or move it away to begin without it";
  Fill(200);
  std::filesystem::copy_file(file(), file() + ".copy");
  Overwrite(std::streamoff{4096} * 20, 3 * 4096);
  {
    // What only a look at all of it finds keeps nothing else from being served.
    Program serve({"serve", "--config", config_});
    const std::uint16_t port = PortOf(serve);
    ModernClient client(port);
    EXPECT_TRUE(serve.SaysErr(way));
    EXPECT_THAT(serve.err(), HasSubstr("orchestration: " + file() + ": "));
    EXPECT_TRUE(serve.SaysErr("server orchestration is down: its records cannot be used"));
    EXPECT_EQ(IdOf(Create(client, 1)), "");
    EXPECT_TRUE(IsFailing(port));
    client.HangUp();
    serve.Signal(SIGTERM);
    EXPECT_EQ(serve.Wait(), kOk) << serve.err();
    Program check({"check", config_});
    EXPECT_EQ(check.Wait(), kFailed);
    EXPECT_THAT(check.err(), HasSubstr(way));
  }
  Overwrite(0, 100);
  ExpectRefused("file is not a database" + way);
  const auto overwrite = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(file() + ".copy", file(), overwrite);
  std::filesystem::resize_file(file(), 5 * 4096);
  ExpectRefused("database disk image is malformed" + way);
  // The way that it named.
  std::filesystem::copy_file(file() + ".copy", file(), overwrite);
  Program serve({"serve", "--config", config_});
  ModernClient client(PortOf(serve));
  EXPECT_EQ(UntilCreated(client), "task_00000201");
}

}  // namespace
}  // namespace switchyard::cli
