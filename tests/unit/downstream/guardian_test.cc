#include "downstream/guardian.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <gtest/gtest.h>

#include "downstream/launcher.h"
#include "downstream/spawn.h"
#include "support/paths.h"
#include "support/temp_dir.h"
#include "unit/downstream/loop.h"

namespace switchyard::downstream {
namespace {

bool Readable(int fd, std::chrono::seconds patience = std::chrono::seconds(20)) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) == 1;
}

// A named pipe that processes hold open for writing while they live: its end of file is their end.
class LifeLine {
 public:
  explicit LifeLine(const std::string& path) : path_(path) {
    ::mkfifo(path.c_str(), 0600);
    fd_.Reset(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }
  const std::string& path() const { return path_; }
  // Waits for so many bytes: one from each process that is up.
  bool Await(std::size_t bytes) {
    char c;
    while (bytes > 0 && Readable(fd_.get())) {
      if (::read(fd_.get(), &c, 1) == 1) --bytes;
    }
    return bytes == 0;
  }
  bool Cut(std::chrono::seconds patience = std::chrono::seconds(20)) {
    char c;
    return Readable(fd_.get(), patience) && ::read(fd_.get(), &c, 1) == 0;
  }

 private:
  std::string path_;
  Fd fd_;
};

// A stand-in for the gateway: starts a child with a grandchild that will not take TERM, then hangs.
[[noreturn]] void BeGateway(const std::string& script) {
  Launcher launcher({.own_binary = ::switchyard::paths::SwitchyardBinary(),
                     .environment = {"PATH=/bin:/usr/bin"}});
  Result<Launched> launched =
      launcher.Launch({.server = "x", .command = "/bin/sh", .arguments = {"-c", script}});
  if (!launched) ::_exit(1);
  for (;;) ::pause();
}

TEST(GuardianTest, LeavesNobodyBehindWhenTheGatewayIsKilled) {
  const tests::TempDir dir;
  LifeLine life(dir.Path("life"));
  const std::string script = "exec 3>" + life.path() +
                             "; trap '' TERM HUP; (printf g >&3; while :; do sleep 1000; done) & "
                             "printf c >&3; while :; do sleep 1000; done";
  const pid_t gateway = ::fork();
  if (gateway == 0) BeGateway(script);
  ASSERT_TRUE(life.Await(2));
  ::kill(gateway, SIGKILL);
  ::waitpid(gateway, nullptr, 0);
  EXPECT_TRUE(life.Cut());
}

TEST(GuardianTest, FindsDescendantsThatLeftTheirGroup) {
  const tests::TempDir dir;
  LifeLine life(dir.Path("life"));
  const std::string script = "exec 3>" + life.path() +
                             "; setsid sh -c 'printf g >&3; exec sleep 1000' & printf c >&3; wait";
  const pid_t gateway = ::fork();
  if (gateway == 0) BeGateway(script);
  ASSERT_TRUE(life.Await(2));
  ::kill(gateway, SIGKILL);
  ::waitpid(gateway, nullptr, 0);
  EXPECT_TRUE(life.Cut());
}

class RunGuardianTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<FdPair> pair = MakeSocketPair(SOCK_SEQPACKET);
    ASSERT_TRUE(pair);
    helper_ = ::fork();
    if (helper_ == 0) {
      pair->ours.Reset();
      ::_exit(RunGuardian(pair->theirs.get()));
    }
    line_ = std::move(pair->ours);
  }
  void Say(const std::string& line) {
    ASSERT_EQ(::send(line_.get(), line.data(), line.size(), 0), static_cast<ssize_t>(line.size()));
  }
  // The helper has taken all that was said.
  bool Heard(std::chrono::seconds patience = std::chrono::seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    int waiting = 1;
    while (waiting > 0 && std::chrono::steady_clock::now() < end) {
      if (::ioctl(line_.get(), SIOCOUTQ, &waiting) != 0) return false;
      ::sched_yield();
    }
    return waiting == 0;
  }
  pid_t Child(const LifeLine& life) {
    SpawnPlan plan;
    plan.path = "/bin/sh";
    plan.arguments = {"sh", "-c", "exec 3>" + life.path() + "; printf x >&3; exec sleep 1000"};
    plan.environment = {"PATH=/bin:/usr/bin"};
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    plan.input = plan.output = null.get();
    return SpawnChild(plan).value_or(-1);
  }
  int HelperStatus() {
    int status = -1;
    ::waitpid(helper_, &status, 0);
    return status;
  }

  tests::TempDir dir_;
  pid_t helper_ = -1;
  Fd line_;
};

TEST_F(RunGuardianTest, EndsTheWatchedAndSparesTheOthers) {
  LifeLine watched(dir_.Path("watched")), spared(dir_.Path("spared"));
  const pid_t first = Child(watched), second = Child(spared);
  ASSERT_TRUE(watched.Await(1) && spared.Await(1));
  Say("+" + std::to_string(first));
  Say("+" + std::to_string(second));
  Say("-" + std::to_string(second));
  for (const char* nonsense : {"+0", "+1", "+-1", "+", "rubbish"}) Say(nonsense);
  // A stop of the whole service reaches the helper, too: once it is up.
  ASSERT_TRUE(Heard());
  ::kill(helper_, SIGTERM);
  ::kill(helper_, SIGINT);
  line_.Reset();
  EXPECT_TRUE(watched.Cut());
  ::waitpid(first, nullptr, 0);
  EXPECT_EQ(HelperStatus(), 0);
  EXPECT_EQ(::kill(second, 0), 0);
  ::kill(second, SIGKILL);
  ::waitpid(second, nullptr, 0);
}

TEST(GuardianTest, IsStartedAgainWhenSomebodyKillsIt) {
  Guardian guardian(::switchyard::paths::SwitchyardBinary());
  ASSERT_TRUE(guardian.Ensure());
  const pid_t first = guardian.pid();
  const Fd handle = OpenPidfd(first);
  ::kill(first, SIGKILL);
  ASSERT_TRUE(Readable(handle.get()));
  // The dead one's end of the line closes with it, so the next line finds out.
  guardian.Watch(999'999'999);
  EXPECT_NE(guardian.pid(), first);
  EXPECT_EQ(::kill(guardian.pid(), 0), 0);
}

}  // namespace
}  // namespace switchyard::downstream
