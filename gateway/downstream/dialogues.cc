#include "downstream/dialogues.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "downstream/dialogue.h"
#include "downstream/questions.h"
#include "mcp/tasks.h"

namespace switchyard::downstream {
Dialogues::Dialogues(std::shared_ptr<Channel> channel, std::string headers, Askable declared,
                     std::shared_ptr<Parks> parks, std::shared_ptr<Turnstile> turns)
    : channel_(std::move(channel)),
      headers_(std::move(headers)),
      declared_(declared),
      parks_(std::move(parks)),
      turnstile_(std::move(turns)) {}

Task<Result<Turnstile::Turn>> Dialogues::Enter(Deadline deadline) {
  if (turnstile_ == nullptr) co_return Turnstile::Turn();
  const std::shared_ptr<Turnstile> turnstile = turnstile_;
  Result<Turnstile::Turn> turn = co_await turnstile->Enter(deadline);
  co_return turn;
}

Dialogue* Dialogues::OwnerOf(const mcp::Message& request, std::size_t others) const {
  Dialogue* only = nullptr;
  for (Dialogue* one : open_) {
    if (!one->working()) continue;
    if (only != nullptr) return nullptr;
    only = one;
  }
  const bool sure =
      mcp::RelatedTaskOf(request).empty() && others == 0 && !channel_->JustCancelled();
  return sure ? only : nullptr;
}

void Dialogues::Asked(const mcp::Message& request) {
  const auto working = static_cast<std::size_t>(
      std::ranges::count_if(open_, [](const Dialogue* one) { return one->working(); }));
  const std::size_t all = std::max(working, channel_->transport().open_calls());
  if (request.method() == mcp::Method::kPing) {
    return Channel::Answer(channel_, request, headers_);
  }
  if (Dialogue* owner = OwnerOf(request, all - working)) return owner->Asked(request);
  if (all == 0) {
    // Servers ask for roots right after the handshake: nobody's are shown to it then.
    return Channel::Answer(channel_, request, headers_);
  }
  if (working == 0) {
    return Refuse(request, NotOffered(request.id(), request.method()),
                  "which no call under way offers");
  }
  Refuse(request, NotAttributable(request.id()),
         "which may belong to any of " + std::to_string(all) + " calls");
}

void Dialogues::Refuse(const mcp::Message& request, mcp::Message answer, std::string_view why) {
  ++refused_;
  if (refusals_.Due(channel_->deps().clock.Now())) {
    spdlog::warn("server {}: asks {}, {}: refused ({} so far)", channel_->server(),
                 request.method_name().substr(0, 100), why, refused_);
  }
  std::vector<mcp::Message> answers;
  answers.push_back(std::move(answer));
  Channel::Post(channel_, "answer to " + channel_->server(), std::move(answers), headers_);
}

void Dialogues::Withdrawn(const mcp::Message& cancelled) {
  const std::string_view id = cancelled.Get(mcp::Key::kRequestId);
  for (Dialogue* one : open_) {
    if (one->Withdrawn(id)) return;
  }
}

}  // namespace switchyard::downstream
