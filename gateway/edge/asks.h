// The loop by which a legacy client is asked what a server wants to know in the middle of a call.
//
// Inside the gateway a server that needs input ends its answer with `input_required`, and the call
// is made again with the answers (MRTR = basic/patterns/mrtr). A legacy client expects requests on
// the stream of its own open call instead: this sends them, waits for what the client POSTs back,
// to whichever worker, and makes the call's retry. protocol.md 6.5-C and E.
//
// One a call, in the frame of whoever serves it; costs nothing until a server asks. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "edge/answer.h"
#include "edge/sessions.h"

namespace switchyard::edge {

class Asks {
 public:
  // Rounds in which the client is asked, and repeats without a question, at most so many each.
  static constexpr int kMaxRounds = 10;

  // `endpoint` gives who is told when an open question is dropped; null = it is gone. All outlives
  // this, and so does the call.
  using Endpoint = std::function<std::shared_ptr<Service>()>;
  Asks(const std::shared_ptr<Session>& session, Sessions& sessions, const Endpoint& endpoint);
  Asks(const Asks&) = delete;
  ~Asks();

  static bool IsWanted(const mcp::Message& response) {
    return response.Get(mcp::Key::kResultType) == R"("input_required")";
  }

  // Has the client answer what `input_required` asks for and makes `call` the retry: nullopt. A
  // message is the end of it, ready for the client: what was asked for cannot be had.
  Task<std::optional<mcp::Message>> Round(Call& call, mcp::Message input_required, Sink& sink);

  // A retry may count its progress from the beginning; the client's must rise (PROG). False: hold
  // it back.
  bool Rises(const mcp::Message& progress);

  // The client says no more: what it was asked has no answer, and it is asked nothing any more.
  void NoMoreAnswers();

  // For a call that was cancelled: what tells the client to forget its open questions.
  std::vector<mcp::Message> Withdraw(std::string_view reason);
  // For a call that ends well: nothing waits for it any more, and elicitations by URL that were
  // agreed to are complete now.
  std::vector<mcp::Message> Completions();

 private:
  struct Rounds;

  void Forsake();
  Task<std::optional<mcp::Message>> AskAll(Call& call, Sink& sink);
  Task<void> Pause();
  mcp::Message GiveUp(const Call& call, const Error& error) const;
  Error NoAnswer() const;

  const std::shared_ptr<Session>& session_;
  Sessions& sessions_;
  const Endpoint& endpoint_;
  double progress_ = 0;  // the last value that the client saw
  bool any_progress_ = false;
  bool no_more_answers_ = false;
  std::unique_ptr<Rounds> rounds_;  // from the first question on
};

}  // namespace switchyard::edge
