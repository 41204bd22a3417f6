#include "downstream/dialogue.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "downstream/questions.h"
#include "mcp/error_map.h"

namespace switchyard::downstream {
namespace {

// nullopt: it cannot be read.
std::optional<boost::json::object> ObjectOf(std::string_view raw) {
  if (raw.empty()) return boost::json::object();
  std::optional<boost::json::value> value = ParseDeep(raw);
  if (!value || !value->is_object()) return std::nullopt;
  return std::move(value->as_object());
}

bool HasText(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string();
}

// For a call whose URLs the user would not visit.
mcp::Message NotVisited(mcp::Method method) {
  const std::string text = "the user did not open the page that the server asked for";
  if (method != mcp::Method::kToolsCall) {
    return mcp::Message::MakeError("0", mcp::kInternalError, text);
  }
  return mcp::Message::FromResult(
      "0", R"({"content":[{"type":"text","text":)" + mcp::Quote(text) + R"(}],"isError":true})");
}

}  // namespace

Dialogue::Dialogue(std::shared_ptr<Face> face, std::shared_ptr<Dialogues> session)
    : face_(std::move(face)), session_(std::move(session)) {
  session_->open_.insert(this);
}

Dialogue::~Dialogue() { session_->open_.erase(this); }

Channel& Dialogue::channel() const { return session_->channel(); }

void Dialogue::Wake() {
  if (wake_.empty()) wake_.Put(true);
}

// -- the client's side

void Dialogue::Begin(const Call& call) {
  Attach(call);
  Send(call);
}

void Dialogue::Attach(const Call& call) {
  call_ = &call;
  askable_ = Askable::Of(call);
  deadline_ = channel().deps().timers.At(call.deadline.at(), [this] {
    Fail({.code = Code::kDeadline,
          .origin = Origin::kServer,
          .message = "server " + channel().server() + ": no answer in time"});
  });
}

void Dialogue::Detach() {
  call_ = nullptr;
  deadline_.Cancel();
  notes_.clear();
  if (room_.empty()) room_.Put(true);
}

Result<void> Dialogue::Check(const boost::json::object& answers) const {
  for (const Question& question : questions_) {
    const boost::json::value* answer = answers.if_contains(question.key);
    if (answer == nullptr || IsAnswer(question.method, *answer)) continue;
    return Failure(Error{.code = Code::kInvalid,
                         .origin = Origin::kClient,
                         .message = "params.inputResponses." + question.key + " is no result of " +
                                    std::string(mcp::Info(question.method).name),
                         .rpc_code = mcp::kInvalidParams});
  }
  return {};
}

void Dialogue::Resume(const Call& call, const boost::json::object& answers) {
  Attach(call);
  if (outcome_) return;
  TakeAnswers(answers);
  if (!questions_.empty()) {
    ask_due_ = true;
  } else if (repeats_) {
    repeats_ = false;
    Send(call);
  }
}

void Dialogue::TakeAnswers(const boost::json::object& answers) {
  bool declined = false;
  for (Question& question : std::exchange(questions_, {})) {
    const boost::json::value* answer = answers.if_contains(question.key);
    if (answer == nullptr && askable_.Missing(question.method, question.params).empty()) {
      questions_.push_back(std::move(question));
    } else if (!question.id.empty()) {
      Deliver(answer != nullptr
                  ? mcp::Message::FromResult(question.id, boost::json::serialize(*answer))
                  : NotOffered(question.id, question.method));
    } else if (answer == nullptr || answer->at("action").as_string() != "accept") {
      declined = true;
    }
  }
  if (!declined) return;
  questions_.clear();
  repeats_ = false;
  Finish(NotVisited(call_->message.method()));
}

Task<Dialogue::Start> Dialogue::Started() {
  while (!ready()) co_await wake_.Take();
  if (stale_) co_return Start::kStale;
  co_return outcome_ && !*outcome_ ? Start::kFailed : Start::kFine;
}

Error Dialogue::TakeError() {
  Error error = std::move(outcome_->error());
  Close();
  return error;
}

Task<Result<std::optional<mcp::Message>>> Dialogue::Next() {
  for (;;) {
    if (!notes_.empty()) {
      std::optional<mcp::Message> note = std::move(notes_.front());
      notes_.pop_front();
      if (room_.empty()) room_.Put(true);
      co_return note;
    }
    if (outcome_) co_return Conclude();
    if (ask_due_) co_return Ask();
    co_await wake_.Take();
  }
}

Result<std::optional<mcp::Message>> Dialogue::Conclude() {
  Result<mcp::Message> outcome = std::move(*outcome_);
  outcome_.reset();
  if (!outcome) {
    Close();
    return Failure(std::move(outcome.error()));
  }
  if (outcome->error_code() == mcp::kUrlElicitationRequired && AskToVisit(*outcome)) return Ask();
  const Call& call = *call_;
  Result<mcp::Message> converted = face_->Convert(call, std::move(*outcome));
  Close();
  if (!converted) return Failure(std::move(converted.error()));
  converted->SetId(std::string(call.message.id()));
  return std::optional<mcp::Message>(std::move(*converted));
}

// 6.5-D: an error that lists URLs to visit before the call is sent again.
bool Dialogue::AskToVisit(const mcp::Message& error) {
  if (!askable_.url) return false;
  boost::system::error_code none;
  const boost::json::value whole(ObjectOf(error.error()).value_or(boost::json::object()));
  const boost::json::value* list = whole.find_pointer("/data/elicitations", none);
  if (list == nullptr || !list->is_array()) return false;
  questions_.clear();
  for (const boost::json::value& item : list->as_array()) {
    if (!item.is_object() || !HasText(item.as_object(), "url")) continue;
    if (questions_.size() == kMaxQuestions) break;
    boost::json::object params = item.as_object();
    params["mode"] = "url";
    questions_.push_back({.key = "q" + std::to_string(++asked_),
                          .id = {},
                          .method = mcp::Method::kElicitation,
                          .params = std::move(params)});
  }
  repeats_ = !questions_.empty();
  return repeats_;
}

Result<std::optional<mcp::Message>> Dialogue::Ask() {
  const Call& call = *call_;
  ask_due_ = false;
  Result<std::string> state = session_->parks().Park(shared_from_this(), call);
  if (!state) {
    StopWork();
    Close();
    return Failure(std::move(state.error()));
  }
  const Asker asker{.server = channel().server(), .verbatim = call.target.transparent};
  std::string entries;
  for (const Question& question : questions_) {
    entries += entries.empty() ? "" : ",";
    entries += mcp::Quote(question.key) + ":" +
               InputRequest(question.method,
                            ParamsForClient(question.method, question.params, asker, true));
  }
  mcp::Message answer = mcp::Message::FromResult(
      call.message.id(), R"({"resultType":"input_required","inputRequests":{)" + entries +
                             R"(},"requestState":)" + mcp::Quote(*state) + "}");
  Detach();
  return std::optional<mcp::Message>(std::move(answer));
}

void Dialogue::Abandon() {
  if (over_) return;
  StopWork();
  Close();
}

// The end of it for all sides.
void Dialogue::Close() {
  over_ = true;
  working_ = false;
  gather_.Cancel();
  Detach();
  questions_.clear();
  turn_ = Turnstile::Turn();
  session_->open_.erase(this);
}

// The work is cancelled first: an answer might set it going again. Then what the server asked ends.
void Dialogue::StopWork() {
  std::vector<mcp::Message> farewell;
  if (std::exchange(working_, false)) farewell.push_back(Channel::Cancellation(id_));
  for (const Question& question : questions_) {
    if (!question.id.empty()) farewell.push_back(NoAnswer(question.id, question.method));
  }
  questions_.clear();
  pump_.Cancel();
  if (farewell.empty()) return;
  channel().InBackground("cancel at " + channel().server(),
                         RunFarewell(session_, std::move(farewell), headers_, std::move(turn_)));
}

// On a shared channel the next dialogue comes when the server has surely read the farewell: what
// it asked before that must not look like a question of the next.
Task<void> Dialogue::RunFarewell(std::shared_ptr<Dialogues> session,
                                 std::vector<mcp::Message> messages, std::string headers,
                                 Turnstile::Turn turn) {
  const std::shared_ptr<Channel> channel = session->shared_channel();
  for (mcp::Message& message : messages) {
    Result<void> sent = co_await Channel::Put(channel, std::move(message), headers);
    if (!sent) co_return;
  }
  if (!session->takes_turns()) co_return;
  // The call's own reply is dropped first, so that the ping is seen to come after it.
  co_await net::post(channel->deps().executor(), use_task);
  Result<mcp::Message> read =
      co_await channel->Ask({.method = mcp::Info(mcp::Method::kPing).name,
                             .headers = headers,
                             .deadline = Deadline::In(channel->deps().clock, kFarewell)});
  turn = Turnstile::Turn();
}

void Dialogue::Fail(Error error) {
  if (over_ || outcome_) return;
  StopWork();
  Finish(Failure(std::move(error)));
}

// -- the server's side

void Dialogue::Send(const Call& call) {
  Composed composed = ComposeLegacy(call, channel().NextId(), face_->link());
  mcp::Pieces pieces;
  composed.AppendTo(call, pieces);
  text_ = mcp::Join(pieces);
  id_ = std::move(composed.id);
  headers_ = std::move(composed.headers);
  send_by_ = call.deadline;
  pump_ = TaskHandle(channel().deps().executor(), "call to " + channel().server(),
                     Run(shared_from_this()));
}

Task<void> Dialogue::Run([[maybe_unused]] std::shared_ptr<Dialogue> self) {
  Result<Turnstile::Turn> turn = co_await session_->Enter(send_by_);
  if (!turn) {
    Finish(Failure(std::move(turn.error())));
    co_return;
  }
  turn_ = std::move(*turn);
  working_ = true;
  const mcp::Pieces body{std::string_view(text_)};
  HttpFacts facts;
  // Without a deadline: people take their time. The client that is attached has one, and Parks.
  Outgoing out{.body = body,
               .id = id_,
               .headers = headers_,
               .deadline = Deadline(),
               .facts = &facts,
               .resumable = true};
  Result<ReplyPtr> reply = co_await channel().transport().Request(out);
  stale_ = co_await face_->IsStale(facts, reply);
  if (stale_) {
    Close();
    Wake();
    co_return;
  }
  text_.clear();
  while (reply && !outcome_) {
    Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
    if (!next) {
      Finish(Failure(std::move(next.error())));
    } else if (!*next) {
      Finish(face_->Broken("ended without a response"));
    } else {
      Take(std::move(**next));
    }
    while (call_ != nullptr && notes_.size() >= kMaxNotes) co_await room_.Take();
  }
  if (!reply) Finish(Failure(std::move(reply.error())));
}

void Dialogue::Take(mcp::Message message) {
  if (message.is_response()) return Finish(std::move(message));
  if (message.kind() == mcp::Kind::kRequest) return Asked(message);
  if (message.method() == mcp::Method::kCancelled) {
    Withdrawn(message.Get(mcp::Key::kRequestId));
  } else if (call_ == nullptr) {
    face_->Unsolicited(std::move(message));
  } else if (face_->Passes(*call_, message)) {
    notes_.push_back(std::move(message));
    Wake();
  }
}

void Dialogue::Finish(Result<mcp::Message> outcome) {
  if (over_ || outcome_) return;
  working_ = false;
  turn_ = Turnstile::Turn();
  gather_.Cancel();
  ask_due_ = false;
  outcome_ = std::move(outcome);
  Wake();
}

void Dialogue::Asked(const mcp::Message& request) {
  const mcp::Method method = request.method();
  const std::string id(request.id());
  const auto same = [&id](const Question& question) { return question.id == id; };
  if (std::ranges::any_of(questions_, same)) return;  // asked twice, answered once
  std::optional<boost::json::object> read = ObjectOf(request.params());
  if (!read) return Deliver(mcp::Message::MakeError(id, mcp::kInvalidParams, "unreadable params"));
  boost::json::object params = std::move(*read);
  if (method == mcp::Method::kPing || !session_->declared().Missing(method, params).empty()) {
    return Channel::Answer(session_->shared_channel(), request, headers_);
  }
  if (over_ || outcome_) return Deliver(NotAttributable(id));
  if (!askable_.Missing(method, params).empty()) return Deliver(NotOffered(id, method));
  if (questions_.size() >= kMaxQuestions || request.size() > kMaxQuestionBytes) {
    return Deliver(mcp::Message::MakeError(id, mcp::kInternalError, "too much is asked at once"));
  }
  questions_.push_back({.key = "q" + std::to_string(++asked_),
                        .id = id,
                        .method = method,
                        .params = std::move(params)});
  if (call_ == nullptr || gather_.armed()) return;
  gather_ = channel().deps().timers.In(kGather, [this] {
    ask_due_ = !questions_.empty();
    Wake();
  });
}

bool Dialogue::Withdrawn(std::string_view raw_id) {
  const auto named = [raw_id](const Question& question) {
    return !question.id.empty() && question.id == raw_id;
  };
  if (std::erase_if(questions_, named) == 0) return false;
  if (questions_.empty()) {
    gather_.Cancel();
    ask_due_ = false;
  }
  return true;
}

void Dialogue::Deliver(mcp::Message answer) {
  channel().InBackground("answer to " + channel().server(),
                         RunDelivery(shared_from_this(), std::move(answer)));
}

// A server that never hears the answer would never come to an end.
Task<void> Dialogue::RunDelivery(std::shared_ptr<Dialogue> self, mcp::Message answer) {
  Result<void> sent =
      co_await Channel::Put(self->session_->shared_channel(), std::move(answer), self->headers_);
  if (!sent) self->Fail(std::move(sent.error()));
}

Task<Result<std::optional<mcp::Message>>> DialogueReply::Next() {
  if (dialogue_ == nullptr) co_return std::nullopt;
  Result<std::optional<mcp::Message>> next = co_await dialogue_->Next();
  if (!next || !*next || (*next)->is_response()) dialogue_ = nullptr;
  co_return next;
}

}  // namespace switchyard::downstream
