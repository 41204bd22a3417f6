#include "downstream/stdio.h"

#include <utility>

#include "config/config.h"
#include "downstream/transports.h"

namespace switchyard::downstream {

StdioTransport::StdioTransport(ProgramSpec spec, Launcher& launcher, const Deps& deps,
                               StdioLimits limits)
    : spec_(std::move(spec)), launcher_(launcher), deps_(deps), limits_(limits) {}

StdioTransport::~StdioTransport() {
  if (link_ != nullptr) link_->Abandon();
}

Task<Result<void>> StdioTransport::Start() {
  if (link_ != nullptr && link_->up()) co_return Result<void>();
  Result<std::shared_ptr<Process>> process = Process::Start(launcher_, spec_, deps_);
  if (!process) co_return Failure(std::move(process.error()));
  process_ = std::move(*process);
  // A link outlives us only after Abandon(), which drops its handlers.
  ChildLink::Handlers handlers{.unsolicited =
                                   [this](mcp::Message message) {
                                     if (unsolicited_) unsolicited_(std::move(message));
                                   },
                               .down =
                                   [this](Error error) {
                                     if (on_down_) on_down_(std::move(error));
                                   }};
  link_ = std::make_shared<ChildLink>(spec_.server, process_, deps_, limits_, std::move(handlers));
  link_->Open();
  co_return Result<void>();
}

std::unexpected<Error> StdioTransport::Down() const {
  return Failure(Error{.code = Code::kUnavailable,
                       .origin = Origin::kServer,
                       .retryable = true,
                       .message = "server " + spec_.server + ": down"});
}

Task<Result<ReplyPtr>> StdioTransport::Request(Outgoing out) {
  if (link_ == nullptr) co_return Down();
  co_return link_->Request(out);
}

Task<Result<void>> StdioTransport::Notify(Outgoing out) {
  if (link_ == nullptr) co_return Down();
  co_return link_->Notify(out);
}

Task<void> StdioTransport::Close() {
  // Stays ours until it is over: the destructor must still find it when this task is cancelled.
  const std::shared_ptr<ChildLink> link = link_;
  if (link != nullptr && link->up()) co_await link->Close();
  // A child that was cut off or went down by itself may not be reaped yet.
  if (const std::shared_ptr<Process> process = process_) co_await process->Close();
  if (link_ == link) link_ = nullptr;
}

namespace transports::stdio {

std::unique_ptr<Transport> Make(const config::Server& server, const Deps& deps,
                                const Surroundings& surroundings) {
  ProgramSpec spec{.server = server.name,
                   .command = server.command.Reveal(),
                   .arguments = {},
                   .environment = {},
                   .cwd = server.cwd};
  for (const config::Secret& argument : server.args) spec.arguments.push_back(argument.Reveal());
  for (const auto& [name, value] : server.env) spec.environment.emplace(name, value.Reveal());
  return std::make_unique<StdioTransport>(std::move(spec), *surroundings.launcher, deps);
}

}  // namespace transports::stdio

}  // namespace switchyard::downstream
