// What the faces of one server share on one worker: the transport, the ids of this hop, and the
// small exchanges that are not calls of a client. Lives on its worker's thread; kept alive by the
// downstream and by replies that outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/deps.h"
#include "downstream/server_requests.h"
#include "downstream/transport.h"

namespace switchyard::downstream {

class Channel {
 public:
  Channel(std::string server, std::unique_ptr<Transport> transport, const Deps& deps);
  Channel(const Channel&) = delete;

  const std::string& server() const { return server_; }
  const Deps& deps() const { return deps_; }
  Transport& transport() { return *transport_; }

  // Request ids, also used as progress tokens. Never given twice in the gateway's life, by no
  // worker: a legacy session is shared by all of them.
  std::string NextId();

  struct Question {
    std::string_view method;
    std::string_view params = {};  // JSON or empty
    std::string_view headers = {};
    Deadline deadline = {};
    HttpFacts* facts = nullptr;
  };
  // One request of ours and its response: one that may be sent twice (a handshake, a level, a
  // subscription). Notifications on the way are of no interest; requests of
  // the server are answered. Everything is borrowed until the awaited call returns.
  Task<Result<mcp::Message>> Ask(Question question);

  // A notification of ours.
  Task<Result<void>> Tell(std::string_view method, std::string_view params,
                          std::string_view headers, Deadline deadline, HttpFacts* facts = nullptr);

  // Runs something that nobody waits for and that ends by itself soon. It should hold the channel.
  void InBackground(std::string_view name, Task<void> task);
  // Cuts short what runs in the background.
  void EndBackground() { background_.clear(); }

  // In the background, for a reply nobody waits for any more: notifications/cancelled.
  static void Cancel(const std::shared_ptr<Channel>& channel, std::string id, std::string headers);
  static mcp::Message Cancellation(std::string_view id);

  // In the background: messages of ours that get no response, one after the other.
  static void Post(const std::shared_ptr<Channel>& channel, std::string_view name,
                   std::vector<mcp::Message> messages, std::string headers);
  // The same for one message, and how it went.
  static Task<Result<void>> Put(std::shared_ptr<Channel> channel, mcp::Message message,
                                std::string headers);
  // A call was cancelled a moment ago: what the server asks now may still belong to it.
  bool JustCancelled() const;

  // What the server was told that clients offer; nothing at first.
  void Declare(Askable askable) { server_requests_ = ServerRequests(askable); }

  // In the background: the answer to a request of the server.
  static void Respond(const std::shared_ptr<Channel>& channel, mcp::Message answer,
                      std::string headers);

  // In the background: what a request of the server gets that nobody answers.
  static void Answer(const std::shared_ptr<Channel>& channel, const mcp::Message& request,
                     std::string headers);

 private:
  const std::string server_;
  const Deps deps_;
  const std::unique_ptr<Transport> transport_;
  ServerRequests server_requests_;
  std::uint64_t next_id_;
  std::vector<TaskHandle> background_;
  std::optional<TimePoint> cancelled_at_;  // the last time
};

// How the gateway names itself to servers, raw JSON Implementation.
std::string_view GatewayInfo();

// "MCP-Protocol-Version: ...\r\n"
std::string VersionHeader(mcp::Version version);

}  // namespace switchyard::downstream
