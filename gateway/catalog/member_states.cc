#include "catalog/member_states.h"

#include <utility>

#include "mcp/json_string.h"

namespace switchyard::catalog {
namespace {

using Pulled = Result<std::optional<mcp::Message>>;
using mcp::Key;

}  // namespace

class MemberStates::Wrapped final : public Reply {
 public:
  Wrapped(const MemberStates& states, ReplyPtr inner, const Call& call)
      : states_(states), call_(call), inner_(std::move(inner)) {}

  Task<Pulled> Next() override {
    Pulled next = co_await inner_->Next();
    if (next && *next) states_.Change(**next, call_);
    co_return next;
  }

 private:
  const MemberStates& states_;
  const Call& call_;
  ReplyPtr inner_;
};

bool MemberStates::Concerns(const Call& call) {
  return call.message.Has(Key::kRequestState) || call.message.Has(Key::kInputResponses);
}

std::optional<TaskIds::Named> MemberStates::Read(const Call& call, std::string_view state) const {
  return ids_.Open(TaskIds::Use::kMember, call, state);
}

bool MemberStates::TakeOff(Call& call, const std::string& within) {
  const mcp::Member member = call.message.member(Key::kRequestState);
  if (within.empty()) {
    call.message.edits().RemoveMember(call.message.bytes(), member);
  } else {
    call.message.edits().Replace(member.value, mcp::Quote(within));
  }
  // Read anew: whoever opens the state within must see it.
  Result<mcp::Message> read = mcp::Message::Parse(call.message.ToText());
  if (read) call.message = std::move(*read);
  return read.has_value();
}

ReplyPtr MemberStates::Wrap(ReplyPtr reply, const Call& call) const {
  if (mcp::Message* whole = reply->Whole()) {
    Change(*whole, call);
    return reply;
  }
  return std::make_unique<Wrapped>(*this, std::move(reply), call);
}

void MemberStates::Change(mcp::Message& message, const Call& call) const {
  if (message.kind() != mcp::Kind::kResult ||
      message.Get(Key::kResultType) != R"("input_required")") {
    return;
  }
  const std::string sealed = mcp::Quote(ids_.Seal(
      TaskIds::Use::kMember, call,
      {.server = std::string(call.target.server), .id = message.GetString(Key::kRequestState)}));
  const mcp::Member state = message.member(Key::kRequestState);
  if (state.present()) {
    message.edits().Replace(state.value, sealed);
  } else {
    message.edits().Insert(message.result_span().end - 1, R"(,"requestState":)" + sealed);
  }
  Result<mcp::Message> read = mcp::Message::Parse(message.ToText(), mcp::Check::kEnvelope);
  if (read) message = std::move(*read);
}

}  // namespace switchyard::catalog
