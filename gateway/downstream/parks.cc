#include "downstream/parks.h"

#include <utility>

#include <boost/json.hpp>
#include <spdlog/spdlog.h>

#include "downstream/dialogue.h"
#include "downstream/face.h"
#include "downstream/questions.h"
#include "downstream/request_state.h"
#include "mcp/error_map.h"

namespace switchyard::downstream {
namespace {

Result<boost::json::object> AnswersIn(const Call& call) {
  const std::string_view raw = call.message.Get(mcp::Key::kInputResponses);
  if (raw.empty()) return boost::json::object();
  std::optional<boost::json::value> value = ParseDeep(raw);
  if (!value || !value->is_object()) {
    return Failure(Error{.code = Code::kInvalid,
                         .origin = Origin::kClient,
                         .message = "params.inputResponses must be an object",
                         .rpc_code = mcp::kInvalidParams});
  }
  return std::move(value->as_object());
}

}  // namespace

Parks::Parks(std::string server, const Deps& deps, Parking& parking)
    : server_(std::move(server)), deps_(deps), parking_(parking) {}

Parks::~Parks() { Clear(); }

void Parks::Clear() {
  for (auto& [ticket, parked] : std::exchange(parked_, {})) parked.dialogue->Abandon();
}

Result<std::string> Parks::Park(std::shared_ptr<Dialogue> dialogue, const Call& call) {
  Result<Parking::Permit> permit = parking_.Enter(*call.caller);
  if (!permit) return Failure(std::move(permit.error()));
  const Duration expiry = parking_.expiry();
  const std::string ticket = NewTicket();
  const auto until = deps_.clock.WallNow() + std::chrono::duration_cast<WallTime::duration>(expiry);
  std::string state = SealState(parking_.sealer(), call, server_,
                                {.kind = RequestState::Kind::kParked, .text = ticket}, until);
  parked_[ticket] = {.dialogue = std::move(dialogue),
                     .permit = std::move(*permit),
                     .expiry = deps_.timers.In(expiry, [this, ticket] { Expire(ticket); })};
  return state;
}

Result<Parks::Found> Parks::Find(const Call& call) {
  Result<RequestState> state = OpenState(parking_.sealer(), call, server_, deps_.clock.WallNow());
  if (!state) return Failure(std::move(state.error()));
  const Found found =
      state->kind == RequestState::Kind::kParked ? parked_.find(state->text) : parked_.end();
  if (found == parked_.end()) return Failure(BadState());
  return found;
}

Result<ReplyPtr> Parks::Forsake(const Call& call) {
  Result<Found> found = Find(call);
  if (!found) return Failure(std::move(found.error()));
  parked_.extract(*found).mapped().dialogue->Abandon();
  return EmptyReply();
}

Result<ReplyPtr> Parks::Resume(const Call& call) {
  Result<boost::json::object> answers = AnswersIn(call);
  if (!answers) return Failure(std::move(answers.error()));
  Result<Found> found = Find(call);
  if (!found) return Failure(std::move(found.error()));
  // A slip of the client's costs nothing: the state is used up by what can be used.
  if (Result<void> fit = (*found)->second.dialogue->Check(*answers); !fit) {
    return Failure(std::move(fit.error()));
  }
  const std::shared_ptr<Dialogue> dialogue = std::move((*found)->second.dialogue);
  parked_.erase(*found);
  auto reply = std::make_unique<DialogueReply>(dialogue);
  dialogue->Resume(call, *answers);
  return reply;
}

void Parks::Expire(const std::string& ticket) {
  auto node = parked_.extract(ticket);
  if (node.empty()) return;
  spdlog::debug("server {}: the client of a call that waited for its answer did not come back",
                server_);
  node.mapped().dialogue->Abandon();
}

}  // namespace switchyard::downstream
