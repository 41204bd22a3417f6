// The face of a modern server: every call goes out with its own metadata and, over HTTP, with the
// headers that mirror it.
#pragma once

#include "downstream/face.h"

namespace switchyard::downstream {

class Modern final : public Face {
 public:
  using Face::Face;

  Task<Outcome> Handle(Call& call) override;
  void Unsolicited(mcp::Message message) override;

 private:
  bool Passes(const Call& call, mcp::Message& message) override;
  Result<mcp::Message> Convert(const Call& call, mcp::Message response) override;
  bool cancels_by_notification() const override {
    return !channel().transport().cancels_by_closing();
  }
  Task<bool> IsStale(const HttpFacts& facts, Result<ReplyPtr>& reply) override;

  bool MayBeTask(const Call& call) const;
  // Listen traffic bears the id of the client's request, not of ours. False: it bears none.
  bool Retag(const Call& call, mcp::Message& message) const;
  bool http() const { return channel().transport().wants_headers(); }
};

}  // namespace switchyard::downstream
