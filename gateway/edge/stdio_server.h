// The gateway as a stdio server: one client over a pair of file descriptors, newline-delimited
// JSON, both eras on the same pipe. `initialize` opens a legacy session; modern requests are served
// statelessly next to it. One thread: the executor's.
#pragma once

#include <string>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "edge/channel_server.h"

namespace switchyard::edge {

class StdioServer {
 public:
  // Takes both descriptors. `service` and `sessions` outlive Run(). The process ignores SIGPIPE.
  StdioServer(Executor executor, int in, int out, Service& service, Sessions& sessions,
              std::size_t max_line);

  // Until end of input, and until what was read has been answered; streams that would last end
  // there. Awaited once and to its end: nothing that this started runs after it.
  Task<void> Run();

  // As if the input had ended: Run() answers what was asked and ends.
  void EndInput();
  // Run() ends as soon as everything is unwound, answered or not.
  void Abort();

 private:
  using Descriptor = net::posix::basic_stream_descriptor<Executor>;

  void ReceiveLines(std::string& buffer, std::size_t searched, bool& skipping);
  void Receive(std::string line);
  Task<void> WriteLoop();

  Executor executor_;
  Descriptor in_, out_;
  ChannelServer channel_;
  const std::size_t max_line_;
  TaskHandle writer_;
};

}  // namespace switchyard::edge
