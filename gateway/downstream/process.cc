#include "downstream/process.h"

#include <cerrno>
#include <cstring>
#include <signal.h>
#include <sys/wait.h>
#include <utility>

#include <boost/asio/redirect_error.hpp>

#include "downstream/spawn.h"

// glibc 2.36 forgot it in the header.
extern "C" {}

namespace switchyard::downstream {
namespace {

constexpr Duration kGroupStep = std::chrono::milliseconds(20);

}  // namespace

std::string ToString(ExitStatus status) {
  if (status.signal == 0) return "exited with status " + std::to_string(status.status);
  const char* name = sigdescr_np(status.signal);
  return "killed by signal " + std::to_string(status.signal) + " (" +
         (name == nullptr ? "unknown" : name) + ")";
}

Result<std::shared_ptr<Process>> Process::Start(Launcher& launcher, const ProgramSpec& spec,
                                                const Deps& deps) {
  Result<Launched> launched = launcher.Launch(spec);
  if (!launched) return Failure(std::move(launched.error()));
  const pid_t pid = launched->pid;
  Fd pidfd = OpenPidfd(pid);
  if (!pidfd.valid()) {
    const int error = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    launcher.guardian().Unwatch(pid);
    return Failure(Code::kUnavailable, Origin::kGateway,
                   "server " + spec.server + ": pidfd_open: " + ErrnoText(error));
  }
  std::shared_ptr<Process> process(
      new Process(launcher, deps, std::move(*launched), std::move(pidfd)));
  Spawn(deps.executor(), "process " + spec.server, process->Supervise(process));
  return process;
}

Process::Process(Launcher& launcher, const Deps& deps, Launched launched, Fd pidfd)
    : launcher_(launcher),
      deps_(deps),
      pid_(launched.pid),
      pidfd_(deps.executor(), pidfd.Release()),
      input_(std::move(launched.input)),
      output_(std::move(launched.output)),
      errors_(std::move(launched.errors)) {}

Task<void> Process::Supervise([[maybe_unused]] std::shared_ptr<Process> self) {
  boost::system::error_code error;
  co_await pidfd_.async_wait(net::posix::descriptor_base::wait_read,
                             net::redirect_error(use_task, error));
  if (error) co_return;
  Reap();
  if (waiting_ != nullptr) waiting_->Put(true);
  if (std::function<void(ExitStatus)> tell = std::exchange(on_exit_, nullptr)) tell(status_);
  co_await EndGroup();
  ended_ = true;
  launcher_.guardian().Unwatch(pid_);
  if (waiting_ != nullptr) waiting_->Put(true);
}

void Process::Reap() {
  int raw = 0;
  while (::waitpid(pid_, &raw, 0) < 0 && errno == EINTR) {
  }
  exited_ = true;
  if (WIFSIGNALED(raw)) status_.signal = WTERMSIG(raw);
  if (WIFEXITED(raw)) status_.status = WEXITSTATUS(raw);
}

// Grandchildren. The leader is reaped, yet its pid cannot be given to a stranger while a member of
// its group lives, and we stop signalling as soon as none does.
Task<void> Process::EndGroup() {
  if (::kill(-pid_, SIGTERM) != 0) co_return;  // ESRCH: nobody left, the usual end
  const TimePoint last = deps_.clock.Now() + kGroupGrace;
  while (deps_.clock.Now() < last) {
    co_await deps_.timers.Sleep(kGroupStep);
    if (::kill(-pid_, 0) != 0) co_return;
  }
  ::kill(-pid_, SIGKILL);
}

void Process::SignalGroup(int signal) const {
  if (!exited_) ::kill(-pid_, signal);
}

void Process::Kill() { SignalGroup(SIGKILL); }

// Until something happened to the child or its group.
Task<void> Process::News(Duration at_most) {
  Mailbox<bool> news;
  waiting_ = &news;
  // Also runs when this task is cancelled while it waits.
  const auto forget = [this](const void*) { waiting_ = nullptr; };
  const std::unique_ptr<const void, decltype(forget)> waits(this, forget);
  const Timers::Handle timer = deps_.timers.In(at_most, [&news] { news.Put(false); });
  co_await news.Take();
}

Task<void> Process::Close() {
  const std::shared_ptr<Process> self = shared_from_this();
  if (!exited_) co_await News(kInputGrace);
  if (!exited_) {
    SignalGroup(SIGTERM);
    co_await News(kTermGrace);
  }
  if (!exited_) {
    SignalGroup(SIGKILL);
    co_await News(kKillGrace);
  }
  if (!ended_) co_await News(kGroupGrace + kKillGrace);
}

}  // namespace switchyard::downstream
