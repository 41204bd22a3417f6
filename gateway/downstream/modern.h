// The face of a modern server: every call goes out with its own metadata and, over HTTP, with the
// headers that mirror it.
#pragma once

#include <optional>

#include "downstream/face.h"
#include "downstream/parking.h"

namespace switchyard::downstream {

class Modern final : public Face {
 public:
  // `parking` null: what the server asks passes as it is. Else it outlives this.
  Modern(std::shared_ptr<Channel> channel, LinkPtr link, Parking* parking = nullptr)
      : Face(std::move(channel), std::move(link)), parking_(parking) {}

  Task<Outcome> Handle(Call& call) override;
  void Unsolicited(mcp::Message message) override;

 private:
  Task<Outcome> Retry(Call& call);
  bool Passes(const Call& call, mcp::Message& message) override;
  Result<mcp::Message> Convert(const Call& call, mcp::Message response) override;
  bool cancels_by_notification() const override {
    return !channel().transport().cancels_by_closing();
  }
  Task<bool> IsStale(const HttpFacts& facts, Result<ReplyPtr>& reply) override;

  Task<std::optional<Definition>> FreshTool(Call& call);

  bool MayBeTask(const Call& call) const;
  bool Asks(const mcp::Message& task) const;
  Result<mcp::Message> PassTask(const Call& call, mcp::Message& task) const;
  // Listen traffic bears the id of the client's request, not of ours. False: it bears none.
  bool Retag(const Call& call, mcp::Message& message) const;
  bool http() const { return channel().transport().wants_headers(); }

  Parking* const parking_;
};

}  // namespace switchyard::downstream
