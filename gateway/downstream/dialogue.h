// One call of a client that its legacy server may interrupt with questions. protocol: 6.5-A, B, D.
//
// The server's side stays as it is from the request to its response: a task of its own pulls what
// comes. The client's side comes and goes: a question ends the client's request with
// `input_required`, the call is parked (parks.h), and the client's next request brings the answers
// and is attached in its place. Without a client nothing is read ahead but questions and the
// outcome, which is kept for whoever comes back.
//
// Lives on the server's home worker. Kept alive by the reply that is attached, or by Parks.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/mailbox.h"
#include "base/timers.h"
#include "core/askable.h"
#include "core/reply.h"
#include "downstream/dialogues.h"
#include "downstream/face.h"
#include "downstream/turnstile.h"

namespace switchyard::downstream {

class Dialogue : public std::enable_shared_from_this<Dialogue> {
 public:
  // How long siblings of a first question are waited for, so that they go out together.
  static constexpr Duration kGather = std::chrono::milliseconds(30);
  // How long a server may take to show that it has read a cancellation.
  static constexpr Duration kFarewell = std::chrono::seconds(1);
  static constexpr std::size_t kMaxQuestions = 16;
  static constexpr std::size_t kMaxQuestionBytes = 4 * 1024 * 1024;
  static constexpr std::size_t kMaxNotes = 64;  // then the server is read no further

  Dialogue(std::shared_ptr<Face> face, std::shared_ptr<Dialogues> session);
  Dialogue(const Dialogue&) = delete;
  ~Dialogue();

  // -- the client's side; `call` is borrowed until the next response or Abandon()

  // Attaches the first call and sends it.
  void Begin(const Call& call);
  // Whether `answers` (by key) are of the right types; an Error says which is not.
  Result<void> Check(const boost::json::object& answers) const;
  // Attaches a call that brings answers. What is still open is asked again.
  void Resume(const Call& call, const boost::json::object& answers);

  enum class Start : std::uint8_t { kFine, kStale, kFailed };
  // Waits until there is something to read.
  Task<Start> Started();
  Error TakeError();  // once, after kFailed

  // The next message for the client that is attached.
  Task<Result<std::optional<mcp::Message>>> Next();

  // Nobody waits for it any more: the server's questions are closed and its work is cancelled.
  void Abandon();

  // -- the server's side

  void Asked(const mcp::Message& request);
  // False: that was no question of this call.
  bool Withdrawn(std::string_view raw_id);
  bool working() const { return working_; }
  std::size_t open_questions() const { return questions_.size(); }

 private:
  struct Question {
    std::string key;
    std::string id;  // the server's, raw; "" = from an error that lists URLs to visit
    mcp::Method method;
    boost::json::object params;
  };

  void Send(const Call& call);
  Task<void> Run(std::shared_ptr<Dialogue> self);
  void Take(mcp::Message message);
  void Finish(Result<mcp::Message> outcome);
  void Attach(const Call& call);
  void Detach();
  void StopWork();
  static Task<void> RunFarewell(std::shared_ptr<Dialogues> session,
                                std::vector<mcp::Message> messages, std::string headers,
                                Turnstile::Turn turn);
  void Fail(Error error);
  void Close();
  void Deliver(mcp::Message answer);
  static Task<void> RunDelivery(std::shared_ptr<Dialogue> self, mcp::Message answer);

  Result<std::optional<mcp::Message>> Conclude();
  Result<std::optional<mcp::Message>> Ask();
  bool AskToVisit(const mcp::Message& error);
  void TakeAnswers(const boost::json::object& answers);
  bool ready() const { return stale_ || outcome_ || ask_due_ || !notes_.empty(); }
  void Wake();
  Channel& channel() const;

  const std::shared_ptr<Face> face_;
  const std::shared_ptr<Dialogues> session_;
  Turnstile::Turn turn_;  // while the server works on it
  Deadline send_by_;

  std::string id_;  // of the request at the server
  std::string headers_;
  std::string text_;  // of the request, until it is sent
  TaskHandle pump_;
  bool working_ = false;  // the server has the request and has not answered it
  bool over_ = false;
  bool stale_ = false;
  bool repeats_ = false;  // the questions are URLs to visit; then the call is sent once more
  std::optional<Result<mcp::Message>> outcome_;

  std::vector<Question> questions_;
  unsigned asked_ = 0;  // ever
  bool ask_due_ = false;
  Timers::Handle gather_;

  const Call* call_ = nullptr;  // attached; null: parked or over
  Askable askable_;             // of the call attached last
  Timers::Handle deadline_;
  std::deque<mcp::Message> notes_;
  Mailbox<bool> wake_;
  Mailbox<bool> room_;
};

// What a client that is attached pulls. Dropping it before its end abandons the dialogue.
class DialogueReply final : public Reply {
 public:
  explicit DialogueReply(std::shared_ptr<Dialogue> dialogue) : dialogue_(std::move(dialogue)) {}
  ~DialogueReply() override {
    if (dialogue_ != nullptr) dialogue_->Abandon();
  }
  Task<Result<std::optional<mcp::Message>>> Next() override;

 private:
  std::shared_ptr<Dialogue> dialogue_;  // null: over
};

}  // namespace switchyard::downstream
