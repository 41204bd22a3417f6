#include "edge/legacy_sse.h"

#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/mailbox.h"
#include "edge/channel_server.h"
#include "edge/http_sink.h"
#include "edge/refusals.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

constexpr std::string_view kChannel = "?channel=";

Task<void> Finish(std::shared_ptr<ChannelServer> channel, std::shared_ptr<Service> /*in use*/) {
  Task<void> finished = channel->Finish();
  co_await std::move(finished);
}

// However the stream ends, its calls are unwound, which may take longer than the stream's own task.
struct Closing {
  Sessions& sessions;
  const std::string& id;
  Executor executor;
  std::shared_ptr<ChannelServer> channel;
  std::shared_ptr<Service> service;
  ~Closing() {
    sessions.CloseChannel(id);
    channel->Break();
    Spawn(executor, "sse end", Finish(std::move(channel), std::move(service)));
  }
};

}  // namespace

Task<void> LegacySseFace::Get(Exchange& exchange, std::string path, std::string endpoint,
                              std::shared_ptr<Service> service) {
  if (!exchange.Accepts(kEventStream)) {
    co_await RespondError(exchange, 406, "", BadRequest("GET needs Accept: text/event-stream"));
    co_return;
  }
  Result<Quota::Permit> permit = sessions_.PermitStream(OwnerOf(*exchange.caller()), endpoint);
  if (!permit) {
    co_await RespondBusy(exchange, permit.error());
    co_return;
  }
  exchange.Lasts();
  const Executor executor = co_await net::this_coro::executor;
  const auto channel =
      std::make_shared<ChannelServer>(executor, *service, sessions_,
                                      ChannelServer::Dialect{.endpoint = endpoint,
                                                             .oldest = mcp::Version::k2024_11_05,
                                                             .both_eras = false,
                                                             .ends_with_changes = true,
                                                             .opened_by = exchange.caller()});
  const std::string id = sessions_.OpenChannel(endpoint, OwnerOf(*exchange.caller()),
                                               [channel](std::string text, const Caller& caller) {
                                                 if (channel->IsFull()) return ChannelAnswer::kFull;
                                                 channel->Receive(std::move(text), caller);
                                                 return ChannelAnswer::kTaken;
                                               });
  const Closing closing{sessions_, id, executor, channel, std::move(service)};
  const bool begun = co_await exchange.BeginStream();
  if (!begun) co_return;
  const std::string uri = path + std::string(kChannel) + id;
  bool sent = co_await exchange.SendEndpoint(uri);
  while (sent) {
    const bool more = co_await channel->WaitForOutgoing();
    if (!more) break;
    mcp::Pieces data;
    data.push_back(channel->outgoing());
    sent = co_await exchange.Send(data);
    channel->Sent();
  }
  if (sent) co_await exchange.EndStream();
}

Task<void> LegacySseFace::Post(Exchange& exchange, std::string endpoint) {
  const std::string_view target = exchange.request().target();
  const std::size_t at = target.find(kChannel);
  const std::string id(at == std::string_view::npos ? "" : target.substr(at + kChannel.size()));
  const auto inbox = std::make_shared<Mailbox<ChannelAnswer>>();
  const Executor executor = co_await net::this_coro::executor;
  sessions_.PostToChannel(id, endpoint, exchange.TakeBody(), exchange.caller(),
                          [executor, inbox](ChannelAnswer answer) {
                            net::post(executor, [inbox, answer] { inbox->Put(answer); });
                          });
  const ChannelAnswer answer = co_await inbox->Take();
  switch (answer) {
    case ChannelAnswer::kTaken: co_await exchange.Respond(202); break;
    case ChannelAnswer::kFull:
      co_await RespondBusy(exchange, Busy(Code::kRateLimited,
                                          "too many calls are running on this stream; wait for "
                                          "an answer before you send more"));
      break;
    case ChannelAnswer::kUnknown:
      co_await RespondError(exchange, 404, "",
                            BadRequest("no such stream; open a new one with GET"));
      break;
  }
}

}  // namespace switchyard::edge
