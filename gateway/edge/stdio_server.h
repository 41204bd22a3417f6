// The gateway as a stdio server: one client over a pair of file descriptors, newline-delimited
// JSON, both eras on the same pipe. `initialize` opens a legacy session; modern requests are served
// statelessly next to it. One thread: the executor's.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "base/mailbox.h"
#include "core/service.h"
#include "edge/sessions.h"

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
  using Room = Mailbox<bool>;
  class LineSink;
  struct Live;
  struct Running {
    TaskHandle task;
    std::shared_ptr<bool> over;  // the task is through and needs no cancelling
    bool lasting = false;        // a stream: ends with the input
    bool cancellable = true;
  };
  enum class Span { kCall, kLasting, kUncancellable };

  void ReceiveLines(std::string& buffer, std::size_t searched, bool& skipping);
  void Receive(std::string line);
  void ReceiveLegacy(mcp::Message message);
  // False: refused, a request with this id is being served.
  bool Admit(const std::string& raw_id);
  void StartCall(Call call, std::shared_ptr<Session> session);
  void Start(std::string raw_id, Span span, std::shared_ptr<bool> over, Task<void> task);
  Task<void> ServeInitialize(mcp::Message message, std::shared_ptr<bool> over);
  // `session` is pinned, for the call has views into it.
  Task<void> ServeCall(Call call, std::shared_ptr<Session> session, std::shared_ptr<bool> over);
  std::shared_ptr<Service> SharedService() const;
  Task<void> ServeChanges(std::shared_ptr<Session> session);
  Task<void> WriteLoop();

  void Cancel(const std::string& raw_id);
  void Refuse(std::string_view raw_id, const Error& error);
  void Send(const mcp::Message& message);
  Task<void> WaitForRoom();
  void Break();
  void Reap();
  void Wake();

  Executor executor_;
  Descriptor in_, out_;
  Service& service_;
  Sessions& sessions_;
  const std::size_t max_line_;
  std::shared_ptr<Session> session_;
  std::map<std::string, Running> running_;  // by raw id
  TaskHandle changes_, writer_;
  std::deque<std::string> outgoing_;
  std::size_t outgoing_bytes_ = 0;
  std::set<Room*> waiting_;  // tasks that wait for the client to read
  Mailbox<bool> wake_writer_;
  Mailbox<bool> woken_;   // something ended, was written or broke
  std::size_t live_ = 0;  // tasks that were not unwound yet
  bool broken_ = false;
};

}  // namespace switchyard::edge
