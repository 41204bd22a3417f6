// The client at the gateway's own stdin and stdout (serve --stdio), served by one worker. Its
// methods wait for that worker; any other thread.
#pragma once

#include <future>
#include <memory>

#include "base/mailbox.h"
#include "edge/stdio_server.h"
#include "worker.h"

namespace switchyard {

class Readiness;

class StdioFace {
 public:
  // Clients that start their servers themselves ask once, at their start, what there is: nothing is
  // answered before every server is up or was found down, or this long.
  static constexpr Duration kPatience = std::chrono::seconds(5);

  // Open when this returns. What it gives is ready when the client has left, or after End() or
  // Abort(): to wait for, not to get. Takes both descriptors.
  std::future<void> Serve(Worker& worker, Readiness& readiness, int in, int out);

  // Where nobody is served: closes both, and is over.
  static std::future<void> Refuse(int in, int out);

  // As if its input had ended: what was asked is answered.
  void End(Worker& worker);
  void Abort(Worker& worker);
  bool IsOpen(Worker& worker);

 private:
  using Ready = Mailbox<bool>;
  Task<void> Run(std::shared_ptr<Ready> ready, Timers& timers);

  // Of the worker's thread.
  std::shared_ptr<edge::StdioServer> server_;
  std::weak_ptr<Ready> ready_;  // what is waited for
};

}  // namespace switchyard
