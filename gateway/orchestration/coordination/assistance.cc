#include "orchestration/coordination/assistance.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "orchestration/coordination/ids.h"
#include "orchestration/coordination/inbox.h"
#include "orchestration/coordination/messages.h"
#include "orchestration/coordination/pace.h"
#include "orchestration/coordination/request_rows.h"
#include "orchestration/coordination/waits.h"
#include "orchestration/lanes.h"
#include "orchestration/routing.h"
#include "orchestration/size.h"

namespace switchyard::orchestration {
namespace {

std::string Named(std::int64_t id) { return ToText(IdOf::kAssistance, id); }

bool Over(const Request& request) { return request.closed_at != 0; }

Wait WaitOf(const Request& request, const std::string& helper) {
  return {.waiter = request.requester,
          .holder = helper,
          .kind = WaitKind::kAssistance,
          .about = Named(request.id),
          .until = request.expires_at};
}

Result<void> MakeRoom(Records& records, const Request& request) {
  if (Result<void> room = RefuseAdding(records); !room) return room;
  Result<Database::Rows> own = records.sql.Query(
      "SELECT count(*) FROM assistance WHERE box = $1 AND closed_at = 0", {request.box});
  if (!own) return Failure(std::move(own.error()));
  if (own->front().Number(0) < kMostRequests) return {};
  return Refused(
      fmt::format("agent {} waits for {} requests already, the most it may; cancel some with "
                  "respond_to_assistance",
                  request.requester, kMostRequests));
}

Result<void> AskTarget(Records& records, Request& request, const NewRequest& wanted) {
  if (wanted.target == request.requester) {
    return Refused("target_agent_id must be another agent than requesting_agent_id");
  }
  Result<Agent> target = FindAgent(records, wanted.target);
  if (!target) return Failure(std::move(target.error()).In("target_agent_id"));
  if (!Covers(target->capabilities, wanted.capabilities)) {
    return Refused("agent " + wanted.target +
                   " does not have all of required_capabilities; leave target_agent_id out to ask "
                   "those that do");
  }
  request.asked.push_back({.agent = wanted.target, .reason = "named by the requester"});
  // From now on, for nobody else can answer.
  return AddWait(records, WaitOf(request, wanted.target));
}

// The best by the rank of routing, without those that wait for the requester themselves.
Result<void> AskTheBest(Records& records, Request& request, const NewRequest& wanted,
                        const std::string& group) {
  Choice choice{.requirements = wanted.capabilities, .excluded = wanted.exclude, .near = group};
  choice.excluded.push_back(request.requester);
  Result<std::vector<Candidate>> ranked = Rank(records, choice, kMostAsked * 2);
  if (!ranked) return Failure(std::move(ranked.error()));
  std::string deadlock;
  for (Candidate& one : *ranked) {
    if (std::cmp_equal(request.asked.size(), wanted.ask)) break;
    Result<std::string> cycle = CycleBy(records, WaitOf(request, one.agent.id));
    if (!cycle) return Failure(std::move(cycle.error()));
    if (cycle->empty()) {
      request.asked.push_back({.agent = std::move(one.agent.id), .reason = std::move(one.why)});
    } else if (deadlock.empty()) {
      deadlock = std::move(*cycle);
    }
  }
  if (request.asked.size() == 1) {
    return AddWait(records, WaitOf(request, request.asked.front().agent));
  }
  if (!request.asked.empty()) return {};
  if (!deadlock.empty()) return Refused("whoever could help waits already: " + deadlock);
  return Refused(
      "no capable agent is available; find_agents shows who there is, and fewer "
      "required_capabilities find more");
}

Result<void> TellAsked(Records& records, const Request& request) {
  NewMessage message{.sender = request.requester,
                     .type = "assistance_request",
                     .content = Named(request.id) + ": " + request.description,
                     .priority = request.urgency};
  for (const Asked& one : request.asked) message.recipients.push_back(one.agent);
  Result<Sent> sent = Send(records, message);
  if (!sent) return Failure(std::move(sent.error()));
  return {};
}

Result<void> TellRequester(Records& records, const Request& request, const std::string& helper,
                           std::string_view type, const std::string& text) {
  Result<bool> lives = Lives(records, request.box);
  if (!lives) return Failure(std::move(lives.error()));
  if (!*lives) return {};
  return Notify(records, {.sender = helper,
                          .recipients = {request.requester},
                          .type = std::string(type),
                          .content = Named(request.id) + ": " + text,
                          .priority = request.urgency});
}

Result<void> End(Records& records, Request& request, Asking how) {
  request.status = how;
  request.closed_at = records.now;
  Result<void> done = EndWait(records, request.requester, Named(request.id));
  if (done) done = CountUp(records, "assistance_open", -1);
  if (done) done = CloseAsked(records, request.id);
  if (done) done = StoreRequest(records, request);
  return done;
}

Asked* AskedOf(Request& request, std::int64_t box) {
  const auto found = std::ranges::find(request.asked, box, &Asked::box);
  return found == request.asked.end() ? nullptr : &*found;
}

std::unexpected<Error> NotNow(const Request& request) {
  std::string state =
      "request " + Named(request.id) + " is " + std::string(ToString(request.status));
  if (request.status == Asking::kAccepted) state += " by agent " + request.helper;
  return Refused(state + (Over(request) ? "; it is over"
                                        : "; only that agent responds, and may decline it again"));
}

Result<void> Accept(Records& records, Request& request, Asked& own) {
  Result<void> done = {};
  if (request.target.empty()) done = AddWait(records, WaitOf(request, own.agent));
  if (!done) return done;
  own.answer = "accepted";
  request.status = Asking::kAccepted;
  request.helper = own.agent;
  request.helper_box = own.box;
  done = StoreAnswer(records, request.id, own);
  if (done) done = StoreRequest(records, request);
  return done;
}

// Nobody else can answer by now. One that waits for the requester itself can: only a word is wanted
// of it, and its own request stands. Nor is one waited for below whom so many wait that a search
// for cycles gives up: others made it so, and nobody is kept from declining, or from leaving, by
// that.
Result<void> WaitForTheLast(Records& records, const Request& request) {
  const auto last = std::ranges::find_if(request.asked,
                                         [](const Asked& one) { return one.answer != "declined"; });
  Result<void> added = AddWait(records, WaitOf(request, last->agent));
  if (!added && added.error().code == Code::kInvalid) return {};
  return added;
}

Result<void> Decline(Records& records, Request& request, Asked& own, const std::string& reason) {
  own.answer = "declined";
  Result<void> done = StoreAnswer(records, request.id, own);
  if (done && request.helper_box == own.box) {
    request.helper.clear();
    request.helper_box = 0;
    request.status = Asking::kOpen;
    if (request.target.empty()) done = EndWait(records, request.requester, Named(request.id));
    if (done) done = StoreRequest(records, request);
  }
  if (!done) return done;
  if (request.status != Asking::kOpen) return {};  // another one is at it
  const auto left = std::ranges::count_if(
      request.asked, [](const Asked& one) { return one.answer != "declined"; });
  if (left > 0) return left == 1 ? WaitForTheLast(records, request) : Result<void>();
  request.response = reason;
  return End(records, request, Asking::kDeclined);
}

Result<void> Respond(Records& records, Request& request, Asked& own, const std::string& text) {
  own.answer = "answered";
  request.helper = own.agent;
  request.helper_box = own.box;
  request.response = text;
  Result<void> done = StoreAnswer(records, request.id, own);
  if (done) done = End(records, request, Asking::kAnswered);
  return done;
}

Result<Request> Cancel(Records& records, Request request, std::int64_t box,
                       const std::string& reason) {
  if (request.box != box) {
    return Forbidden("only agent " + request.requester +
                     ", which asked, cancels the request; decline it instead");
  }
  if (Over(request)) return NotNow(request);
  request.response = reason;
  if (Result<void> done = End(records, request, Asking::kCancelled); !done) {
    return Failure(std::move(done.error()));
  }
  return request;
}

constexpr std::array<std::string_view, 4> kTypes = {"assistance_accepted", "assistance_declined",
                                                    "assistance_response", ""};

}  // namespace

std::string_view ToString(Asking status) {
  constexpr std::array<std::string_view, 6> kWords = {"open",     "accepted", "answered",
                                                      "declined", "expired",  "cancelled"};
  return kWords[static_cast<std::size_t>(status)];
}

Result<Request> Ask(Records& records, const NewRequest& wanted) {
  Result<Agent> requester = ActAs(records, wanted.requester);
  if (!requester) return Failure(std::move(requester.error()).In("requesting_agent_id"));
  Result<Inbox> inbox = InboxOf(records, requester->id);
  if (!inbox) return Failure(std::move(inbox.error()));
  Request request{.requester = requester->id,
                  .box = inbox->box,
                  .description = wanted.description,
                  .target = wanted.target,
                  .capabilities = wanted.capabilities,
                  .urgency = wanted.urgency,
                  .task = wanted.task,
                  .created_at = records.now,
                  .expires_at = records.now + wanted.expires_in_ms};
  Result<void> done = MakeRoom(records, request);
  if (!done) return Failure(std::move(done.error()));
  Result<std::int64_t> id = Next(records, "assistance");
  if (!id) return Failure(std::move(id.error()));
  request.id = *id;
  if (wanted.task != 0) {
    Result<Task> task = Find(records, wanted.task);
    if (!task) return Failure(std::move(task.error()).In("task_id"));
  }
  done = wanted.target.empty() ? AskTheBest(records, request, wanted, requester->group)
                               : AskTarget(records, request, wanted);
  if (done) done = InsertRequest(records, request);
  if (done) done = CountUp(records, "assistance_open");
  if (done) done = TellAsked(records, request);
  if (!done) return Failure(std::move(done.error()));
  return request;
}

Result<Request> React(Records& records, std::int64_t id, const std::string& agent,
                      Reaction reaction, const std::string& text) {
  Result<Request> request = FindRequest(records, id, agent);
  if (!request) return request;
  Result<Inbox> inbox = InboxOf(records, agent);
  if (!inbox) return Failure(std::move(inbox.error()));
  // Its time may be over before the next look at the clock.
  if (!Over(*request) && request->expires_at <= records.now) request->status = Asking::kExpired;
  if (request->status == Asking::kExpired && !Over(*request)) request->closed_at = records.now;
  if (reaction == Reaction::kCancel) {
    return Cancel(records, std::move(*request), inbox->box, text);
  }
  Asked* const own = AskedOf(*request, inbox->box);
  if (own == nullptr) {
    return Forbidden("agent " + agent + " asked this itself; it may cancel the request");
  }
  // The other side is told, so that a flood of changes of mind is a flood of messages.
  Result<void> may = MaySend(records, agent);
  if (may) may = RefuseBulk(records, text.size());
  if (!may) return Failure(std::move(may.error()));
  const bool others = request->status == Asking::kAccepted && request->helper_box != own->box;
  if (Over(*request) || (others && reaction != Reaction::kDecline)) return NotNow(*request);
  Result<void> done = reaction == Reaction::kAccept    ? Accept(records, *request, *own)
                      : reaction == Reaction::kDecline ? Decline(records, *request, *own, text)
                                                       : Respond(records, *request, *own, text);
  if (done) {
    done = TellRequester(records, *request, agent, kTypes[static_cast<std::size_t>(reaction)],
                         text.empty() ? own->answer : text);
  }
  if (!done) return Failure(std::move(done.error()));
  return request;
}

Result<void> LeaveRequests(Records& records, const std::string& agent) {
  Result<Inbox> inbox = FindInbox(records, agent);
  if (!inbox) return Failure(std::move(inbox.error()));
  if (inbox->box == 0) return {};
  const std::string reason = "agent " + agent + " left";
  Result<std::vector<Request>> own = OpenRequestsOf(records, inbox->box, kMostRequests);
  if (!own) return Failure(std::move(own.error()));
  Result<void> done = {};
  for (Request& request : *own) {
    request.response = reason;
    if (done) done = End(records, request, Asking::kCancelled);
  }
  Result<std::vector<Request>> asked = OpenRequestsTo(records, inbox->box, kMostRequests);
  if (!asked) return Failure(std::move(asked.error()));
  for (Request& request : *asked) {
    Asked* const answer = AskedOf(request, inbox->box);
    if (!done || answer == nullptr) break;
    done = Decline(records, request, *answer, reason);
    if (done && Over(request)) {
      done = TellRequester(records, request, agent, "assistance_declined", reason);
    }
  }
  return done;
}

Result<bool> SweepAssistance(Records& records, std::int64_t limit) {
  Result<std::vector<Request>> late = ExpiredRequests(records, limit);
  if (!late) return Failure(std::move(late.error()));
  for (Request& request : *late) {
    if (Result<void> done = End(records, request, Asking::kExpired); !done) {
      return Failure(std::move(done.error()));
    }
  }
  Result<bool> forgot = ForgetRequests(records, limit);
  if (!forgot) return forgot;
  return *forgot || std::cmp_equal(late->size(), limit);
}

}  // namespace switchyard::orchestration
