#include "edge/asks.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>

#include "base/backoff.h"
#include "base/mailbox.h"
#include "base/random.h"
#include "base/token.h"
#include "edge/client_words.h"
#include "edge/questions.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

namespace json = boost::json;

constexpr Backoff::Config kPauses{.initial = std::chrono::milliseconds(100),
                                  .cap = std::chrono::seconds(5)};

Error TooManyRounds() {
  return Error{.code = Code::kProtocol,
               .origin = Origin::kServer,
               .message = "the server asked for input " + std::to_string(Asks::kMaxRounds) +
                          " times and did not answer"};
}

std::optional<double> NumberOf(std::string_view raw) {
  double value = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error != std::errc() || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

bool IsAccepted(const std::string& answer) {
  boost::system::error_code error;
  const json::value value = json::parse(answer, error);
  if (error || !value.is_object()) return false;
  const json::value* action = value.get_object().if_contains("action");
  return action != nullptr && *action == "accept";
}

// The message as the server's first request had it, with what belongs to this retry alone.
Result<mcp::Message> RetryOf(const mcp::Message& message, const std::string& answers,
                             std::string_view state) {
  mcp::Edits edits;
  for (const mcp::Key key : {mcp::Key::kInputResponses, mcp::Key::kRequestState}) {
    if (message.Has(key)) edits.RemoveMember(message.bytes(), message.member(key));
  }
  const std::string text = edits.Apply(message.bytes());
  Result<mcp::Message> bare = mcp::Message::Parse(text, mcp::Check::kEnvelope);
  if (!bare) return bare;
  std::string members = answers.empty() ? "" : R"("inputResponses":)" + answers;
  if (!state.empty()) {
    members.append(members.empty() ? "" : ",").append(R"("requestState":)").append(state);
  }
  if (members.empty()) return bare;
  const std::string_view params = bare->params();
  const bool empty = params.find_first_not_of(" \t\r\n", 1) == params.size() - 1;
  if (!empty) members += ',';
  bare->edits().Insert(bare->params_span().begin + 1, std::move(members));
  return mcp::Message::Parse(bare->ToText(), mcp::Check::kEnvelope);
}

struct Parting {
  std::shared_ptr<Service> endpoint;
  std::string endpoint_name;
  Call call;
};

Task<void> Part(std::shared_ptr<Parting> parting) {
  const Result<ReplyPtr> nothing = co_await parting->endpoint->Handle(parting->call);
  static_cast<void>(nothing);
}

}  // namespace

// What lasts from the first question to the call's end.
struct Asks::Rounds {
  struct Arrived {
    std::size_t question = 0;
    mcp::Message response;  // empty: the time is over, or the client's input
  };
  // An elicitation by URL that the client agreed to; the server asks again until it is through.
  struct Agreed {
    std::string url, elicitation_id;
  };

  explicit Rounds(Executor executor_in) : executor(executor_in) {}

  const Executor executor;
  const Call* call = nullptr;
  std::string state;  // raw, what a server may wait under for this round's answers; "" = for none
  int asked = 0, repeated = 0;
  std::map<std::string, Agreed> agreed;  // by key
  std::vector<Question> questions;       // of this round
  std::vector<std::string> answers;      // one a question, "" = open
  std::vector<std::string> ids;          // of the request to the client, "" = none is open
  Deadline until;                        // of repeats on behalf of what was agreed to
  Backoff backoff{kPauses};
  Mailbox<Arrived> arrived;
};

Asks::Asks(const std::shared_ptr<Session>& session, Sessions& sessions, const Endpoint& endpoint)
    : session_(session), sessions_(sessions), endpoint_(endpoint) {}

Asks::~Asks() {
  if (rounds_ == nullptr) return;
  Withdraw("");
  if (!rounds_->state.empty()) Forsake();
}

// The call was cancelled, or ended otherwise than by its answers.
void Asks::Forsake() {
  auto parting = std::make_shared<Parting>();
  parting->endpoint = endpoint_();
  const Call& call = *rounds_->call;
  Result<mcp::Message> retry = RetryOf(call.message, "", rounds_->state);
  if (parting->endpoint == nullptr || !retry) return;
  parting->endpoint_name = call.endpoint;
  parting->call.message = std::move(*retry);
  parting->call.client = call.client;
  parting->call.endpoint = parting->endpoint_name;
  parting->call.caller = call.caller;
  parting->call.forsaken = true;
  Spawn(rounds_->executor, "forsaken call", Part(std::move(parting)));
}

Task<std::optional<mcp::Message>> Asks::Round(Call& call, mcp::Message input_required, Sink& sink) {
  const auto executor = co_await net::this_coro::executor;
  if (rounds_ == nullptr) rounds_ = std::make_unique<Rounds>(executor);
  Rounds& rounds = *rounds_;
  rounds.call = &call;
  rounds.state = input_required.Get(mcp::Key::kRequestState);
  Result<std::vector<Question>> questions =
      QuestionsOf(input_required, Askable::Of(session_->client->capabilities),
                  session_->client->version, RandomToken);
  if (!questions) co_return GiveUp(call, questions.error());
  rounds.questions = std::move(*questions);
  rounds.answers.assign(rounds.questions.size(), "");
  rounds.ids.assign(rounds.questions.size(), "");
  bool any = false;
  for (std::size_t i = 0; i < rounds.questions.size(); ++i) {
    const Question& question = rounds.questions[i];
    rounds.answers[i] = question.answer;
    const auto agreed = rounds.agreed.find(question.key);
    // Agreed to and not through yet: the same answer again, and the client hears nothing of it.
    if (agreed != rounds.agreed.end() && agreed->second.url == question.url) {
      rounds.answers[i] = R"({"action":"accept"})";
    }
    any = any || rounds.answers[i].empty();
  }
  const int round = any ? ++rounds.asked : ++rounds.repeated;
  // Who agreed to an elicitation by URL may take his time with it.
  const bool waits = !any && !rounds.agreed.empty();
  if (no_more_answers_ && (any || waits)) co_return GiveUp(call, NoAnswer());
  if (waits ? sessions_.HasPassed(rounds.until) : round > kMaxRounds) {
    co_return GiveUp(call, TooManyRounds());
  }
  if (any) {
    std::optional<mcp::Message> end = co_await AskAll(call, sink);
    if (end) co_return end;
  } else {
    co_await Pause();
  }
  std::string answers;
  for (std::size_t i = 0; i < rounds.questions.size(); ++i) {
    answers.append(answers.empty() ? "{" : ",").append(mcp::Quote(rounds.questions[i].key));
    answers.append(":").append(rounds.answers[i]);
  }
  if (!answers.empty()) answers += '}';
  Result<mcp::Message> retry = RetryOf(call.message, answers, rounds.state);
  if (!retry) co_return GiveUp(call, retry.error());
  // The state stays: a retry may be refused, and what waits for it is given up then.
  call.message = std::move(*retry);
  co_return std::nullopt;
}

// Sends the questions that are open and waits until each is answered.
Task<std::optional<mcp::Message>> Asks::AskAll(Call& call, Sink& sink) {
  Rounds& rounds = *rounds_;
  // The end of the last round's time may have come together with its last answer.
  while (!rounds.arrived.empty()) co_await rounds.arrived.Take();
  std::size_t open = 0;
  for (std::size_t i = 0; i < rounds.questions.size(); ++i) {
    if (!rounds.answers[i].empty()) continue;
    const Question& question = rounds.questions[i];
    rounds.ids[i] = sessions_.Ask(*session_, [&rounds, i](mcp::Message response) {
      rounds.ids[i].clear();
      rounds.arrived.Put({.question = i, .response = std::move(response)});
    });
    ++open;
    mcp::Message request = mcp::Message::Make(rounds.ids[i], question.method, question.params);
    // The server's words, which may make no request that can be read.
    if (request.kind() != mcp::Kind::kRequest) {
      for (mcp::Message& gone : Withdraw("the call failed")) co_await sink.Notify(std::move(gone));
      co_return GiveUp(call, Error{.code = Code::kProtocol,
                                   .origin = Origin::kServer,
                                   .message = "the server's input request cannot be read"});
    }
    const bool sent = co_await sink.Ask(std::move(request));
    if (sent) continue;
    co_return GiveUp(call, Error{.code = Code::kInvalid,
                                 .origin = Origin::kClient,
                                 .message = "the server asks for " + question.method +
                                            ", and this client takes no event stream"});
  }
  const Timers::Handle timeout = sessions_.WhenUnanswered([&rounds] { rounds.arrived.Put({}); });
  while (open > 0) {
    Rounds::Arrived arrived = co_await rounds.arrived.Take();
    if (!arrived.response.is_response()) {
      for (mcp::Message& gone : Withdraw("no answer in time")) {
        co_await sink.Notify(std::move(gone));
      }
      co_return GiveUp(call, NoAnswer());
    }
    Result<std::string> answer = AnswerOf(rounds.questions[arrived.question], arrived.response);
    if (!answer) {
      for (mcp::Message& gone : Withdraw("the call failed")) co_await sink.Notify(std::move(gone));
      co_return GiveUp(call, answer.error());
    }
    const Question& question = rounds.questions[arrived.question];
    if (!question.url.empty() && IsAccepted(*answer)) {
      rounds.agreed[question.key] = {question.url, question.elicitation_id};
      rounds.until = sessions_.InputDeadline();
    }
    rounds.answers[arrived.question] = std::move(*answer);
    --open;
  }
  co_return std::nullopt;
}

Task<void> Asks::Pause() {
  const Duration pause = rounds_->backoff.Next(ThreadRandom().NextUnit());
  Task<void> wait = sessions_.Sleep(pause);
  co_await std::move(wait);
}

// A model can read what went wrong with its tool; the other methods have only errors.
mcp::Message Asks::GiveUp(const Call& call, const Error& error) const {
  if (call.message.method() == mcp::Method::kToolsCall) {
    return mcp::Message::FromResult(call.message.id(), ToolError(error.message));
  }
  return mcp::ErrorMessage(call.message.id(), error);
}

Error Asks::NoAnswer() const {
  return Error{.code = Code::kDeadline,
               .origin = Origin::kClient,
               .message = no_more_answers_
                              ? "the server asked for input and the client's own input has ended"
                              : "the server asked for input and the client gave no answer in time"};
}

void Asks::NoMoreAnswers() {
  no_more_answers_ = true;
  if (rounds_ != nullptr) rounds_->arrived.Put({});
}

bool Asks::Rises(const mcp::Message& progress) {
  const std::optional<double> value = NumberOf(progress.Get(mcp::Key::kProgress));
  if (!value) return true;
  if (any_progress_ && *value <= progress_) return rounds_ == nullptr;
  any_progress_ = true;
  progress_ = *value;
  return true;
}

std::vector<mcp::Message> Asks::Withdraw(std::string_view reason) {
  std::vector<mcp::Message> messages;
  if (rounds_ == nullptr) return messages;
  for (std::string& id : rounds_->ids) {
    if (id.empty()) continue;
    sessions_.Unask(id);
    messages.push_back(
        mcp::Message::Make("", "notifications/cancelled",
                           R"({"requestId":)" + id + R"(,"reason":)" + mcp::Quote(reason) + "}"));
    id.clear();
  }
  return messages;
}

std::vector<mcp::Message> Asks::Completions() {
  std::vector<mcp::Message> messages;
  if (rounds_ == nullptr) return messages;
  rounds_->state.clear();
  for (const auto& [key, agreed] : std::exchange(rounds_->agreed, {})) {
    messages.push_back(mcp::Message::Make("", "notifications/elicitation/complete",
                                          R"({"elicitationId":")" + agreed.elicitation_id + "\"}"));
  }
  return messages;
}

}  // namespace switchyard::edge
