#include "downstream/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "support/paths.h"
#include "unit/downstream/loop.h"

namespace switchyard::downstream {
namespace {

class ProcessTest : public ::testing::Test {
 protected:
  // A shell script; its stdin and stdout are ours.
  void Start(const std::string& script) {
    Result<std::shared_ptr<Process>> started = Process::Start(
        launcher_, {.server = "x", .command = "/bin/sh", .arguments = {"-c", script}},
        loop_.deps());
    ASSERT_TRUE(started) << started.error().message;
    process_ = std::move(*started);
    input_ = process_->TakeInput();
    channel_ = process_->TakeOutput();
    process_->OnExit([this](ExitStatus status) { exit_ = status; });
  }
  // Blocks until the child has written a line: it is as far as the script says.
  std::string Line() {
    std::string line;
    for (char c; ::read(channel_.get(), &c, 1) == 1 && c != '\n';) line += c;
    return line;
  }
  bool Exited() {
    return loop_.RunUntil([this] { return exit_.has_value(); });
  }
  // Nobody holds the other end any more: all who inherited it are gone.
  bool AllGone() {
    return loop_.RunUntilWithTime([this] {
      pollfd entry{.fd = channel_.get(), .events = POLLIN, .revents = 0};
      char c;
      return ::poll(&entry, 1, 0) == 1 && ::recv(channel_.get(), &c, 1, MSG_DONTWAIT) == 0;
    });
  }
  void StartClosing() {
    ::shutdown(input_.get(), SHUT_WR);
    switchyard::Spawn(loop_.deps().executor(), "close", [](ProcessTest& test) -> Task<void> {
      co_await test.process_->Close();
      test.closed_ = true;
    }(*this));
    loop_.RunReady();
  }
  void TearDown() override {
    if (process_ == nullptr) return;
    process_->Kill();
    EXPECT_TRUE(loop_.RunUntilWithTime([this] { return process_.use_count() == 1; }));
  }

  // Outlives whatever the loop still runs.
  Launcher launcher_{{.own_binary = ::switchyard::paths::SwitchyardBinary(),
                      .environment = {"PATH=/bin:/usr/bin"}}};
  Loop loop_;
  std::shared_ptr<Process> process_;
  Fd input_;
  Fd channel_;  // its output
  std::optional<ExitStatus> exit_;
  bool closed_ = false;
};

TEST_F(ProcessTest, TellsTheExitStatus) {
  Start("exit 3");
  ASSERT_TRUE(Exited());
  EXPECT_EQ(ToString(*exit_), "exited with status 3");
}

TEST_F(ProcessTest, TellsTheSignalThatKilledIt) {
  Start("kill -KILL $$");
  ASSERT_TRUE(Exited());
  EXPECT_EQ(ToString(*exit_), "killed by signal 9 (Killed)");
}

TEST_F(ProcessTest, WaitsForAChildThatLeavesAtTheEndOfItsInput) {
  Start("read line; exit 5");
  StartClosing();
  ASSERT_TRUE(loop_.RunUntil([this] { return closed_; }));  // no time passes
  EXPECT_EQ(ToString(*exit_), "exited with status 5");
}

TEST_F(ProcessTest, AsksAChildThatStaysToGo) {
  Start("trap 'exit 7' TERM; echo up; while :; do sleep 1000 & wait; done");
  EXPECT_EQ(Line(), "up");
  StartClosing();
  loop_.Pass(Process::kInputGrace - std::chrono::milliseconds(1));
  EXPECT_FALSE(process_->exited());
  loop_.Pass(std::chrono::milliseconds(1));
  ASSERT_TRUE(Exited());
  EXPECT_EQ(ToString(*exit_), "exited with status 7");
  EXPECT_TRUE(loop_.RunUntilWithTime([this] { return closed_; }));
}

TEST_F(ProcessTest, KillsAChildThatIgnoresEverything) {
  Start("trap '' TERM; echo up; while :; do sleep 1000; done");
  EXPECT_EQ(Line(), "up");
  StartClosing();
  loop_.Pass(Process::kInputGrace);
  loop_.Pass(Process::kTermGrace - std::chrono::milliseconds(1));
  EXPECT_FALSE(process_->exited());
  loop_.Pass(std::chrono::milliseconds(1));
  ASSERT_TRUE(Exited());
  EXPECT_EQ(exit_->signal, SIGKILL);
  EXPECT_TRUE(loop_.RunUntilWithTime([this] { return closed_; }));
}

TEST_F(ProcessTest, EndsWhatAChildLeavesBehind) {
  Start("(trap '' TERM; echo up; while :; do sleep 1000; done) & wait_for=$!; read line; exit 0");
  EXPECT_EQ(Line(), "up");
  ASSERT_EQ(::write(input_.get(), "go\n", 3), 3);
  ASSERT_TRUE(Exited());
  EXPECT_EQ(ToString(*exit_), "exited with status 0");
  EXPECT_TRUE(AllGone());
}

TEST_F(ProcessTest, ReapsAChildThatItsOwnerForgot) {
  Start("echo up; read line");
  EXPECT_EQ(Line(), "up");
  const pid_t pid = process_->pid();
  process_->Kill();
  process_.reset();
  // A zombie would still take signals.
  EXPECT_TRUE(loop_.RunUntilWithTime([pid] { return ::kill(pid, 0) != 0; }));
}

}  // namespace
}  // namespace switchyard::downstream
