// One life of a child that speaks MCP on its stdin and stdout: from its start to its exit. Reads
// lines, routes each message to the request it belongs to (exchanges.h), batches what is written.
// Lives on one worker's thread; kept alive by its transport and its read loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "base/mailbox.h"
#include "base/timers.h"
#include "core/deps.h"
#include "downstream/exchanges.h"
#include "downstream/flood_watch.h"
#include "downstream/line_buffer.h"
#include "downstream/process.h"
#include "downstream/rubbish_count.h"
#include "downstream/stderr_log.h"
#include "downstream/transport.h"

namespace switchyard::downstream {

struct StdioLimits {
  std::size_t line = 64 * 1024 * 1024;         // of the server; longer cuts it off
  std::size_t unsent = 64 * 1024 * 1024;       // what may wait for a server that does not read
  std::size_t unread_notes = 1024;             // of one request; more are dropped, lossy by nature
  std::size_t unread_bytes = 4 * 1024 * 1024;  // of those
  unsigned rubbish = 100;                      // useless lines in a row until it is cut off
};

class ChildLink : public std::enable_shared_from_this<ChildLink> {
 public:
  struct Handlers {
    std::function<void(mcp::Message)> unsolicited;
    std::function<void(Error)> down;  // once, unless Close() or Abandon() came first
  };

  ChildLink(std::string server, std::shared_ptr<Process> process, const Deps& deps,
            StdioLimits limits, Handlers handlers);
  ~ChildLink();

  void Open();  // starts reading
  bool up() const { return up_; }
  std::size_t open_calls() const;

  Result<ReplyPtr> Request(const Outgoing& out);
  Result<void> Notify(const Outgoing& out);

  Task<void> Close();
  // Without waiting: the child is killed, nobody is told.
  void Abandon();

 private:
  using Socket = net::basic_stream_socket<net::local::stream_protocol, Executor>;

  Task<void> Run(std::shared_ptr<ChildLink> self);
  Task<void> ReadAll();
  Task<void> AwaitExit();
  void CutOff(std::string reason);
  void GoDown();

  void Take(std::string line);
  void Route(mcp::Message message);
  void Rubbish(std::string_view what);
  void FailAll(const Error& error);

  Result<void> Queue(const mcp::Pieces& body);
  void Flush();
  void NoteDeaf();

  const std::string server_;
  Deps deps_;
  const StdioLimits limits_;
  Handlers handlers_;
  std::shared_ptr<Process> process_;
  Socket input_;   // of the child
  Socket output_;  // of the child
  LineBuffer lines_;
  const std::shared_ptr<Exchanges> exchanges_;
  const std::shared_ptr<StderrLog> errors_;
  TaskHandle errors_task_;

  std::string unsent_;  // gathers while `sending_` is on its way
  std::string sending_;
  std::uint64_t queued_ = 0;  // bytes ever put into unsent_
  std::uint64_t handed_ = 0;  // of those, handed to the kernel or on their way there
  bool flush_due_ = false;    // posted or in flight

  bool up_ = true;
  bool closing_ = false;
  std::string cut_off_;  // why we ended it
  Mailbox<bool> exit_news_;
  Timers::Handle drain_timer_;  // the child has exited, but somebody holds its stdout open
  Timers::Handle deaf_timer_;   // the child has closed its stdin, and not exited yet
  RubbishCount rubbish_;
  FloodWatch flood_;
  FloodEnd flood_end_;
};

}  // namespace switchyard::downstream
