// One client over one channel that carries everything: stdio, and the event stream of HTTP+SSE
// (2024-11-05). Calls run next to each other; what they and the gateway say goes out in one queue.
// `initialize` opens a legacy session; modern requests are served statelessly next to it where both
// eras may speak. Whoever owns it moves the bytes. One thread: the executor's.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/mailbox.h"
#include "core/service.h"
#include "edge/sessions.h"

namespace switchyard::edge {

class Asks;

class ChannelServer {
 public:
  struct Dialect {
    std::string endpoint = {};
    mcp::Version oldest = mcp::Version::k2025_03_26;
    bool both_eras = true;
    bool ends_with_changes = false;  // the gateway ends the channel as it ends a GET stream
    Caller opened_by = Nobody();
  };

  // `service` and `sessions` outlive the last task: see Finish().
  ChannelServer(Executor executor, Service& service, Sessions& sessions, Dialect dialect);
  ChannelServer(const ChannelServer&) = delete;

  // One message of the client, and by whom it is, if that was proved.
  void Receive(std::string text, const Caller& caller = Nobody());
  // So many calls are running that the client should wait before it sends more.
  bool IsFull();
  Task<void> WaitUntilNotFull();
  // A message that is no message.
  void Refuse(std::string_view raw_id, const Error& error);

  // What is to be sent, in order. False: there will be nothing more.
  Task<bool> WaitForOutgoing();
  const std::string& outgoing() const { return outgoing_.front(); }
  void Sent();

  // The client says no more: streams that would last end, questions to it have no answer, what was
  // asked is answered and sent.
  Task<void> Drain();
  // Nothing can be sent any more.
  void Break();
  bool broken() const { return broken_; }
  // Unwinds what is left, and ends the session. Awaited once; no task runs after it.
  Task<void> Finish();

  // In the frame of each task of the channel, however it ends: Finish() waits until the last one is
  // gone.
  class Live {
   public:
    explicit Live(ChannelServer& server, std::shared_ptr<bool> over = nullptr);
    Live(const Live&) = delete;
    ~Live();

   private:
    ChannelServer& server_;
    const std::shared_ptr<bool> over_;
  };

 private:
  using Room = Mailbox<bool>;
  class ChannelSink;
  struct Withdrawal;
  struct Running {
    TaskHandle task;
    std::shared_ptr<bool> over;  // the task is through and needs no cancelling
    bool lasting = false;        // a stream: ends with the input
    bool cancellable = true;
  };
  enum class Span { kCall, kLasting, kUncancellable };

  void ReceiveLegacy(mcp::Message message, const Caller& caller);
  // False: refused, a request with this id is being served.
  bool Admit(const std::string& raw_id);
  void StartCall(Call call, std::shared_ptr<Session> session);
  void Start(std::string raw_id, Span span, std::shared_ptr<bool> over, Task<void> task);
  Task<void> ServeInitialize(mcp::Message message, Caller caller, std::shared_ptr<bool> over);
  // `session` is pinned, for the call has views into it.
  Task<void> ServeCall(Call call, std::shared_ptr<Session> session, std::shared_ptr<bool> over);
  Task<void> ServeChanges(std::shared_ptr<Session> session);
  std::shared_ptr<Service> SharedService() const;

  void Cancel(const std::string& raw_id);
  void Send(const mcp::Message& message);
  Task<void> WaitForRoom();
  void Reap();
  void Wake();
  bool IsOver();

  Executor executor_;
  Service& service_;
  Sessions& sessions_;
  const Dialect dialect_;
  std::shared_ptr<Session> session_;
  std::map<std::string, Running> running_;  // by raw id
  std::set<Asks*> asks_;                    // of the calls that are running
  TaskHandle changes_;
  std::deque<std::string> outgoing_;
  std::size_t outgoing_bytes_ = 0;
  std::set<Room*> waiting_;  // tasks that wait for the client to read
  Mailbox<bool> wake_writer_;
  Mailbox<bool> woken_;   // something ended, was written or broke
  std::size_t live_ = 0;  // tasks that were not unwound yet
  bool broken_ = false, changes_over_ = false;
};

}  // namespace switchyard::edge
