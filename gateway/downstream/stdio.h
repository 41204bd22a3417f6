// Transport over the stdin and stdout of a child process. Restartable: Start() gives it a new child
// after the old one went down. Lives on its home worker's thread.
#pragma once

#include <memory>
#include <string>

#include "core/deps.h"
#include "downstream/child_link.h"
#include "downstream/launcher.h"
#include "downstream/transport.h"

namespace switchyard::downstream {

class StdioTransport final : public Transport {
 public:
  // `launcher` outlives this and every child.
  StdioTransport(ProgramSpec spec, Launcher& launcher, const Deps& deps, StdioLimits limits = {});
  ~StdioTransport() override;  // without a Close() before: the child is killed

  Task<Result<void>> Start() override;
  Task<Result<ReplyPtr>> Request(Outgoing out) override;
  Task<Result<void>> Notify(Outgoing out) override;
  void OnUnsolicited(Unsolicited handler) override { unsolicited_ = std::move(handler); }
  void OnDown(std::function<void(Error)> handler) override { on_down_ = std::move(handler); }
  bool cancels_by_closing() const override { return false; }
  std::size_t open_calls() const override { return link_ == nullptr ? 0 : link_->open_calls(); }
  Task<void> Close() override;

  pid_t pid() const { return process_ == nullptr ? -1 : process_->pid(); }  // for tests

 private:
  std::unexpected<Error> Down() const;

  const ProgramSpec spec_;
  Launcher& launcher_;
  Deps deps_;
  const StdioLimits limits_;
  Unsolicited unsolicited_;
  std::function<void(Error)> on_down_;
  std::shared_ptr<Process> process_;
  std::shared_ptr<ChildLink> link_;  // null = never started or closed
};

}  // namespace switchyard::downstream
