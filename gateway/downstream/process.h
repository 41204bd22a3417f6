// A running child and, when it ends, the end of everything it started. Lives on one worker's
// thread.
//
// Waits by pidfd, so no SIGCHLD handler and no blocked thread. Not Boost.Process' handle: that one
// reaps as soon as the child exits, while the process group must be looked at around the reaping.
// The supervising task holds the Process until the child is reaped and its group is gone, even when
// everybody else has let go of it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "base/mailbox.h"
#include "base/task.h"
#include "core/deps.h"
#include "downstream/launcher.h"

namespace switchyard::downstream {

struct ExitStatus {
  int status = 0;  // exit status when `signal` is 0
  int signal = 0;
};
std::string ToString(ExitStatus status);  // "exited with status 1", "killed by signal 9 (Killed)"

class Process : public std::enable_shared_from_this<Process> {
 public:
  // How long Close() waits after the end of input, and after TERM. Other members of the group get
  // the last of these between TERM and KILL once their leader has gone.
  static constexpr Duration kInputGrace = std::chrono::seconds(2);
  static constexpr Duration kTermGrace = std::chrono::seconds(2);
  static constexpr Duration kGroupGrace = std::chrono::milliseconds(500);
  static constexpr Duration kKillGrace = std::chrono::seconds(1);  // the kernel may be slow

  // `launcher` outlives the child.
  static Result<std::shared_ptr<Process>> Start(Launcher& launcher, const ProgramSpec& spec,
                                                const Deps& deps);
  Process(const Process&) = delete;

  pid_t pid() const { return pid_; }
  Fd TakeInput() { return std::move(input_); }  // of the child: to be written to
  Fd TakeOutput() { return std::move(output_); }
  Fd TakeErrors() { return std::move(errors_); }

  bool exited() const { return exited_; }
  ExitStatus status() const { return status_; }  // once exited

  // Called once, on the worker's thread, when the child itself has exited; the rest of its group
  // may take a moment longer. Dropped unused when null is set.
  void OnExit(std::function<void(ExitStatus)> handler) { on_exit_ = std::move(handler); }

  // The caller has closed the child's input. Waits, then TERM, then KILL to the whole group;
  // returns when the child is reaped and its group ended, or refuses to die. At most one Close() at
  // a time.
  Task<void> Close();
  // At once, to the whole group. The supervising task does the rest.
  void Kill();

 private:
  Process(Launcher& launcher, const Deps& deps, Launched launched, Fd pidfd);

  Task<void> Supervise(std::shared_ptr<Process> self);
  Task<void> EndGroup();
  void Reap();
  Task<void> News(Duration at_most);
  void SignalGroup(int signal) const;

  Launcher& launcher_;
  Deps deps_;
  const pid_t pid_;
  net::posix::basic_stream_descriptor<Executor> pidfd_;
  Fd input_;
  Fd output_;
  Fd errors_;
  std::function<void(ExitStatus)> on_exit_;
  ExitStatus status_;
  bool exited_ = false;
  bool ended_ = false;                // the group, too
  Mailbox<bool>* waiting_ = nullptr;  // of a Close() in progress
};

}  // namespace switchyard::downstream
