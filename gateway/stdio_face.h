// The client at the gateway's own stdin and stdout (serve --stdio), served by one worker. Its
// methods wait for that worker; any other thread.
#pragma once

#include <memory>

#include "edge/stdio_server.h"
#include "worker.h"

namespace switchyard {

class StdioFace {
 public:
  // Returns when the client has left, or after End() or Abort(). Takes both descriptors.
  void Serve(Worker& worker, int in, int out);

  // As if its input had ended: what was asked is answered.
  void End(Worker& worker);
  void Abort(Worker& worker);
  bool IsOpen(Worker& worker);

 private:
  std::shared_ptr<edge::StdioServer> server_;  // of the worker's thread
};

}  // namespace switchyard
