// The MCP server that comes with the gateway: `switchyard example-server`. It makes the minimal
// configuration show something real with no network, and it is small enough to be read as an
// example of both protocol eras on stdio. Newline-delimited JSON, one process, one client, nothing
// stored.
//
// Tools: time, echo, add (structured output), count (progress, can be cancelled). One prompt with a
// completed argument, one resource, one resource template.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace switchyard {

// The server without its file descriptors: lines in, lines out. Never blocks and never throws on
// input; whatever the line says, the answer is a JSON-RPC message or, where the protocol wants
// none, nothing. One thread. The clock must outlive it.
class ExampleServer {
 public:
  static constexpr std::size_t kMaxLine = 4u << 20;  // longer lines are refused unread

  explicit ExampleServer(const Clock& clock);
  ~ExampleServer();
  ExampleServer(const ExampleServer&) = delete;

  // One message (or, in a 2025-03-26 session, one batch), without its line end.
  void Receive(std::string_view line);
  // The reader met a line over kMaxLine and skipped it.
  void RefuseLongLine();
  // Takes every running count that is due one step further.
  void Tick();
  // How long until Tick() has something to do; nullopt while no count runs.
  std::optional<Duration> UntilNextStep() const;
  // The lines written since the last call, each with its line end.
  std::string TakeOutput();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Serves until in_fd ends (0) or a descriptor fails (1). Borrows both descriptors, ignores SIGPIPE
// for the whole process.
int RunExampleServer(int in_fd, int out_fd, const Clock& clock = Clock::Real());

}  // namespace switchyard
