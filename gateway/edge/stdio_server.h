// The gateway as a stdio server: one client over a pair of file descriptors, newline-delimited JSON,
// both eras on the same pipe. `initialize` opens a legacy session; modern requests are served
// statelessly next to it. One thread: the executor's.
#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/mailbox.h"
#include "core/service.h"
#include "edge/sessions.h"

namespace switchyard::edge {

class StdioServer {
 public:
  // Takes both descriptors. `service` and `sessions` outlive this.
  StdioServer(Executor executor, int in, int out, Service& service, Sessions& sessions,
              std::size_t max_line);

  // Until end of input, and until what was read has been answered or `Close`d.
  Task<void> Run();

 private:
  using Descriptor = net::posix::basic_stream_descriptor<Executor>;
  class LineSink;

  void Receive(std::string line);
  void ReceiveLegacy(mcp::Message message);
  void Start(std::string raw_id, Task<void> task);
  Task<void> ServeInitialize(mcp::Message message);
  Task<void> ServeCall(Call call, std::string raw_id);
  Task<void> ServeChanges();
  void Cancel(const std::string& raw_id);
  void Refuse(std::string_view raw_id, const Error& error);
  void Send(const mcp::Message& message);
  Task<void> WriteLoop();

  Executor executor_;
  Descriptor in_, out_;
  Service& service_;
  Sessions& sessions_;
  const std::size_t max_line_;
  std::shared_ptr<Session> session_;
  std::map<std::string, TaskHandle> running_;  // by raw id
  TaskHandle changes_;
  std::deque<std::string> outgoing_;
  Mailbox<bool> wake_writer_;
  Mailbox<bool> finished_;  // one entry a call that ended
  bool broken_ = false;
};

}  // namespace switchyard::edge
