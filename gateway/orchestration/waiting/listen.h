// subscriptions/listen at the service: resources (orchestration://...) and tasks that are followed.
// First what of it there is, then what changes, until who listens goes away.
//
// Updates are told after their commit, whatever worker it was made by; several of one thing at once
// are one, and between two rounds of them there is a pause.
#pragma once

#include <memory>

#include "base/result.h"
#include "core/call.h"
#include "core/deps.h"
#include "core/reply.h"
#include "orchestration/desk.h"

namespace switchyard::orchestration {

// Bounds of one listen; more is refused with kInvalid.
inline constexpr std::size_t kMaxListened = 1000;
inline constexpr Duration kPauseOfUpdates = std::chrono::milliseconds(100);

// `call` outlives the reply; the reply lives on the thread of `deps`.
Result<ReplyPtr> OpenListen(std::shared_ptr<Desk> desk, const Call& call, const Deps& deps);

}  // namespace switchyard::orchestration
