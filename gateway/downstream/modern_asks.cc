#include "downstream/modern_asks.h"

#include <utility>

#include <boost/json.hpp>

#include "core/askable.h"
#include "downstream/questions.h"
#include "mcp/error_map.h"

namespace switchyard::downstream {
namespace {

std::unexpected<Error> Broken(std::string_view server, const Call& call, std::string_view what) {
  return Failure(Code::kProtocol, Origin::kServer,
                 "server " + std::string(server) + ": " + std::string(call.method().name) + ": " +
                     std::string(what));
}

std::unexpected<Error> Lacks(std::string_view server, std::string missing) {
  return Failure(Error{.code = Code::kInvalid,
                       .origin = Origin::kServer,
                       .message = "server " + std::string(server) +
                                  " needs to ask the client something that it does not offer",
                       .rpc_code = mcp::kMissingCapability,
                       .data = R"({"requiredCapabilities":)" + std::move(missing) + "}"});
}

// Changes `entry` in place.
Result<void> PassOne(const Call& call, std::string_view server, boost::json::value& entry) {
  boost::json::object* object = entry.if_object();
  const boost::json::value* name = object != nullptr ? object->if_contains("method") : nullptr;
  if (name == nullptr || !name->is_string()) {
    return Broken(server, call, "inputRequests has an entry without method");
  }
  const mcp::Method method = mcp::FindMethod(name->as_string()).method;
  boost::json::object params;
  boost::json::value* given = object->if_contains("params");
  if (given != nullptr && given->is_object()) params = std::move(given->as_object());
  std::string missing = Askable::Of(call).Missing(method, params);
  if (missing == Askable::kNobody) {
    return Broken(server, call, "asks " + std::string(name->as_string()).substr(0, 60));
  }
  if (!missing.empty()) return Lacks(server, std::move(missing));
  const Asker asker{.server = server, .verbatim = call.target.transparent};
  params = ParamsForClient(method, std::move(params), asker, false);
  if (given != nullptr) *given = std::move(params);
  return {};
}

// Until there is a result, or no more.
class UsingReply final : public Reply {
 public:
  UsingReply(ReplyPtr inner, UsedStates::Use use)
      : inner_(std::move(inner)), use_(std::move(use)) {}
  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (next && next->has_value() && (*next)->kind() == mcp::Kind::kResult) use_.Keep();
    co_return next;
  }

 private:
  ReplyPtr inner_;
  UsedStates::Use use_;
};

}  // namespace

Result<void> PassQuestions(const Call& call, std::string_view server, mcp::Message& message) {
  std::optional<boost::json::value> requests = ParseDeep(message.Get(mcp::Key::kInputRequests));
  if (!requests || !requests->is_object()) {
    return Broken(server, call, "inputRequests is no object");
  }
  for (auto& entry : requests->as_object()) {
    Result<void> passed = PassOne(call, server, entry.value());
    if (!passed) return passed;
  }
  if (!call.target.transparent) {
    message.edits().Replace(message.member(mcp::Key::kInputRequests).value,
                            boost::json::serialize(*requests));
  }
  return {};
}

Result<mcp::Message> PassInputRequired(const Call& call, mcp::Message response,
                                       std::string_view server, const Parking& parking,
                                       WallTime now) {
  const bool asks = response.Has(mcp::Key::kInputRequests);
  const bool has_state = response.Has(mcp::Key::kRequestState);
  if (!asks && !has_state) return Broken(server, call, "wants input and says not which");
  if (asks) {
    Result<void> passed = PassQuestions(call, server, response);
    if (!passed) return Failure(std::move(passed.error()));
  }
  if (has_state) {
    const std::string_view raw = response.Get(mcp::Key::kRequestState);
    if (!raw.starts_with('"')) return Broken(server, call, "requestState is no string");
    const RequestState state{.kind = RequestState::Kind::kWrapped,
                             .text = NewTicket() + std::string(raw)};
    const WallTime until = now + std::chrono::duration_cast<WallTime::duration>(kWrappedExpiry);
    response.edits().Replace(response.member(mcp::Key::kRequestState).value,
                             mcp::Quote(SealState(parking.sealer(), call, server, state, until)));
  }
  // Read anew: whoever asks the client on the way must see what the client would.
  return mcp::Message::Parse(response.ToText(), mcp::Check::kEnvelope);
}

Result<std::optional<UsedStates::Use>> RestoreState(const Call& call, std::string_view server,
                                                    Parking& parking, const Clock& clock,
                                                    Composed& composed) {
  if (!MayAskForInput(call.message.method()) || !call.message.Has(mcp::Key::kRequestState)) {
    return std::nullopt;
  }
  Result<RequestState> state = OpenState(parking.sealer(), call, server, clock.WallNow());
  if (!state) return Failure(std::move(state.error()));
  if (state->kind != RequestState::Kind::kWrapped || state->text.size() < kTicketSize) {
    return Failure(BadState());
  }
  const TimePoint now = clock.Now();
  std::optional<UsedStates::Use> use =
      parking.used().Begin(state->text.substr(0, kTicketSize), now, now + kWrappedExpiry);
  if (!use) return Failure(BadState());
  composed.edits.Replace(call.message.member(mcp::Key::kRequestState).value,
                         state->text.substr(kTicketSize));
  return use;
}

ReplyPtr WithUse(ReplyPtr reply, UsedStates::Use use) {
  if (const mcp::Message* whole = reply->Whole()) {
    if (whole->kind() == mcp::Kind::kResult) use.Keep();
    return reply;
  }
  return std::make_unique<UsingReply>(std::move(reply), std::move(use));
}

}  // namespace switchyard::downstream
