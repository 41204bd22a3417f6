#include "support/questions.h"

#include "support/surface.h"

namespace switchyard::tests {
namespace {

void AskModern(Turn& turn) {
  const std::string state = "state of " + json::serialize(turn.argument("params"));
  const json::value answers = turn.param("inputResponses");
  if (answers.is_null()) {
    turn.Finish(R"({"jsonrpc":"2.0","id":)" + turn.id() +
                    R"(,"result":{"resultType":"input_required","inputRequests":{"k":{"method":)" +
                    json::serialize(turn.argument("method")) + R"(,"params":)" +
                    json::serialize(turn.argument("params")) + R"(}},"requestState":)" +
                    Quote(state) + "}}",
                0);
  } else if (turn.param("requestState") != json::value(state)) {
    turn.Error(-32602, "that is not my state");
  } else {
    turn.Text(json::serialize(At(answers, "/k")));
  }
}

void Ask(Turn& turn) {
  if (turn.modern()) return AskModern(turn);
  const json::value times = turn.argument("times");
  std::string text;
  for (int i = times.is_int64() ? static_cast<int>(times.as_int64()) : 1; i > 0; --i) {
    const json::value answer = turn.surface().questions().Ask(
        turn, turn.argument("method").as_string(), turn.argument("params"));
    if (answer.is_null()) {
      turn.surface().Named("cancelled").Set();
      return;
    }
    const json::value error = At(answer, "/error/code");
    text = error.is_null() ? json::serialize(At(answer, "/result"))
                           : "error " + json::serialize(error);
  }
  turn.Text(text);
}

}  // namespace

json::value Questions::Ask(Turn& turn, std::string_view method, const json::value& params) {
  const std::string id = "ask-" + std::to_string(++asked_);
  const auto waiting = std::make_shared<Waiting>();
  {
    const std::scoped_lock lock(mutex_);
    waiting_[id] = waiting;
  }
  turn.Send(R"({"jsonrpc":"2.0","id":)" + Quote(id) + R"(,"method":)" + Quote(method) +
            R"(,"params":)" + json::serialize(params.is_null() ? json::object() : params) + "}");
  // Whoever was cancelled goes by that; an answer may come all the same, to nobody's surprise.
  if (!turn.Wait(waiting->there) || turn.cancelled()) return {};
  const std::scoped_lock lock(mutex_);
  waiting_.erase(id);
  return waiting->message;
}

bool Questions::Take(const json::value& message) {
  const std::scoped_lock lock(mutex_);
  const auto found = waiting_.find(TextAt(message, "/id"));
  if (found == waiting_.end() || found->second->there.IsSet()) return false;
  found->second->message = message;
  found->second->there.Set();
  return true;
}

void AddAskingTools(Surface& surface) {
  surface.AddTool("ask_and_hold", [](Turn& turn) {
    turn.surface().questions().Ask(turn, "roots/list", {});
    turn.surface().Named("started:" + turn.label()).Set();
    turn.NeverAnswer();
    turn.surface().Named("cancelled:" + turn.label()).Set();
  });
  surface.AddTool("ask_and_die", [](Turn& turn) {
    turn.Send(R"({"jsonrpc":"2.0","id":"last words","method":"roots/list"})");
    if (turn.Wait(turn.surface().Named("release:" + turn.label()))) turn.Drop();
  });
  surface.AddTool("ask", Ask);
  surface.AddTool("told", [](Turn& turn) { turn.Text(turn.surface().TellsOf(turn.scope())); });
}

}  // namespace switchyard::tests
