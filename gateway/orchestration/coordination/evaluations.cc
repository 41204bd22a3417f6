#include "orchestration/coordination/evaluations.h"

#include <algorithm>
#include <utility>

#include "orchestration/coordination/ids.h"
#include "orchestration/coordination/inbox.h"
#include "orchestration/size.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {
namespace {

std::unexpected<Error> NoPart(const Evaluation& evaluation) {
  return Refused("contribution_ref: agent " + evaluation.contributor + " had no part in " +
                 evaluation.contribution);
}

// What it wrote itself: not what the service tells of it.
#define SWITCHYARD_OWN_WORDS                                           \
  " AND message.type NOT IN ('session_invitation', 'session_closed', " \
  "'assistance_accepted', 'assistance_declined')"

Result<bool> Any(const Result<Database::Rows>& rows) {
  if (!rows) return Failure(Error(rows.error()));
  return !rows->empty();
}

// Whether the contributor had anything to do with who evaluates, of its own accord: it opened a
// session with it, or wrote to it. Into a session of others it comes without being asked.
Result<bool> Met(Records& records, std::int64_t evaluator, std::int64_t contributor) {
  Result<bool> opened = Any(records.sql.Query(
      "SELECT own.session FROM participant AS theirs, participant AS own, collaboration WHERE "
      "theirs.box = $1 AND own.session = theirs.session AND own.box = $2 AND collaboration.id = "
      "own.session AND collaboration.box = $1 LIMIT 1",
      {contributor, evaluator}));
  if (!opened || *opened) return opened;
  return Any(records.sql.Query(
      "SELECT message.id FROM (SELECT message FROM delivery WHERE box = $1 ORDER BY message DESC "
      "LIMIT 1000) AS recent, message WHERE message.id = recent.message AND message.sender_box = "
      "$2" SWITCHYARD_OWN_WORDS " LIMIT 1",
      {evaluator, contributor}));
}

// Whether it was done for who evaluates: its caller created it, or it has what this is a part of,
// or one of its newest thousand tasks waits, or waited, for it.
Result<bool> WasFor(Records& records, const Evaluation& evaluation, const Task& task) {
  if (task.creator == records.caller) return true;
  if (task.parent != 0) {
    Result<bool> part =
        Any(records.sql.Query("SELECT id FROM task WHERE id = $1 AND assigned_to = $2",
                              {task.parent, evaluation.evaluator}));
    if (!part || *part) return part;
  }
  return Any(records.sql.Query(
      "SELECT own.id FROM (SELECT id FROM task WHERE assigned_to = $1 ORDER BY id DESC LIMIT 1000) "
      "AS own WHERE EXISTS (SELECT 1 FROM dependency WHERE task = own.id AND needs = $2) OR EXISTS "
      "(SELECT 1 FROM needed WHERE task = own.id AND needs = $2) LIMIT 1",
      {evaluation.evaluator, task.id}));
}

// Whether that is known, and was done for who evaluates; what is no id of ours is not. kInvalid: it
// had none.
Result<bool> HadPart(Records& records, const Evaluation& evaluation, const Agent& contributor,
                     std::int64_t evaluator_box, std::int64_t box) {
  const std::string& ref = evaluation.contribution;
  if (const Result<TaskId> task = TaskIdOf(ref)) {
    Result<Task> found = Find(records, *task);
    if (!found) return Failure(std::move(found.error()).In("contribution_ref"));
    // Whoever had the id before it was registered anew is not this agent.
    const bool its = found->assigned_to == evaluation.contributor &&
                     found->assigned_at >= contributor.registered_at;
    if (!its) return NoPart(evaluation);
    return WasFor(records, evaluation, *found);
  }
  // The second column: whether it was for who evaluates. Of a session that is seen by what was
  // said.
  Result<Database::Rows> rows = Database::Rows();
  if (const auto session = Parse(IdOf::kSession, ref)) {
    rows = records.sql.Query("SELECT box, 0 FROM participant WHERE session = $1 AND box = $2",
                             {*session, box});
  } else if (const auto request = Parse(IdOf::kAssistance, ref)) {
    rows = records.sql.Query(
        "SELECT id, CASE WHEN box = $1 THEN 1 ELSE 0 END FROM assistance WHERE id = $2 AND "
        "helper_box = $3",
        {evaluator_box, *request, box});
  } else if (const auto message = Parse(IdOf::kMessage, ref)) {
    rows = records.sql.Query(
        "SELECT message.id, (SELECT count(*) FROM delivery WHERE delivery.box = $1 AND "
        "delivery.message = message.id" SWITCHYARD_OWN_WORDS
        ") FROM message WHERE message.id = $2 AND message.sender_box = $3",
        {evaluator_box, *message, box});
  } else {
    return false;
  }
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return NoPart(evaluation);
  return rows->front().Number(1) > 0;
}
#undef SWITCHYARD_OWN_WORDS

struct Votes {
  std::int64_t votes = 0, total = 0;
  std::int64_t mean() const { return votes == 0 ? 0 : total / votes; }
};

Result<Votes> VotesOf(Records& records, std::int64_t box, std::string_view voter) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT votes, total FROM rating WHERE box = $1 AND voter = $2", {box, voter});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return Votes();
  return Votes{.votes = rows->front().Number(0), .total = rows->front().Number(1)};
}

struct Said {
  bool known = false;
  std::optional<std::int64_t> score = {};
};

// What it said of this contribution before.
Result<Said> Earlier(Records& records, const Evaluation& evaluation, std::int64_t box,
                     std::string_view voter) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT score FROM evaluation WHERE box = $1 AND voter = $2 AND contribution = $3",
      {box, voter, evaluation.contribution});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return Said();
  Said said{.known = true};
  if (!rows->front().IsNull(0)) said.score = rows->front().Number(0);
  return said;
}

Result<void> StoreVotes(Records& records, std::int64_t box, std::string_view voter,
                        const Votes& votes) {
  if (votes.votes == 0) {
    return records.sql.Execute("DELETE FROM rating WHERE box = $1 AND voter = $2", {box, voter});
  }
  return records.sql.Execute(
      "INSERT INTO rating (box, voter, votes, total) VALUES ($1, $2, $3, $4) ON CONFLICT (box, "
      "voter) DO UPDATE SET votes = excluded.votes, total = excluded.total",
      {box, voter, votes.votes, votes.total});
}

// A score takes the place of another one, or of none, or goes; and with it the vote of its voter.
Result<void> Count(Records& records, std::int64_t box, std::string_view voter,
                   std::optional<std::int64_t> earlier, std::optional<std::int64_t> now) {
  if (!earlier && !now) return {};
  Result<Votes> before = VotesOf(records, box, voter);
  if (!before) return Failure(std::move(before.error()));
  Votes after = *before;
  if (earlier) {
    if (before->votes == 0) return {};  // of an agent that is gone, and its votes with it
    --after.votes;
    after.total -= *earlier;
  }
  if (now) {
    ++after.votes;
    after.total += *now;
  }
  if (Result<void> done = StoreVotes(records, box, voter, after); !done) return done;
  const int more = (after.votes > 0 ? 1 : 0) - (before->votes > 0 ? 1 : 0);
  Result<Database::Rows> changed = records.sql.Query(
      "UPDATE agent SET raters = raters + $1, ratings = ratings + $2 WHERE id = (SELECT agent FROM "
      "inbox WHERE box = $3) RETURNING id",
      {more, after.mean() - before->mean(), box});
  if (!changed) return Failure(std::move(changed.error()));
  for (const Database::Row& row : *changed) records.effects.agents.push_back(row.Text(0));
  return {};
}

// With what they added. Columns: box, voter, contribution, score.
Result<void> Forget(Records& records, const Database::Rows& evaluations) {
  for (const Database::Row& row : evaluations) {
    const std::optional<std::int64_t> score =
        row.IsNull(3) ? std::nullopt : std::optional(row.Number(3));
    Result<void> done = records.sql.Execute(
        "DELETE FROM evaluation WHERE box = $1 AND voter = $2 AND contribution = $3",
        {row.Number(0), row.Text(1), row.Text(2)});
    if (done) done = Count(records, row.Number(0), row.Text(1), score, std::nullopt);
    if (!done) return done;
  }
  return CountUp(records, "evaluations", -static_cast<std::int64_t>(evaluations.size()));
}

// There are no more than so many: the oldest go.
Result<void> MakeRoom(Records& records) {
  constexpr std::int64_t kForgottenAtOnce = 10;
  Result<Database::Rows> kept =
      records.sql.Query("SELECT value FROM counter WHERE name = 'evaluations'");
  if (!kept) return Failure(std::move(kept.error()));
  if (kept->front().Number(0) < kMostEvaluations) return {};
  Result<Database::Rows> old = records.sql.Query(
      "SELECT box, voter, contribution, score FROM evaluation WHERE evaluated_at > 0 ORDER BY "
      "evaluated_at LIMIT $1",
      {kForgottenAtOnce});
  if (!old) return Failure(std::move(old.error()));
  return Forget(records, *old);
}

Result<void> Keep(Records& records, const Evaluation& evaluation, std::int64_t box,
                  std::string_view voter) {
  Result<Said> earlier = Earlier(records, evaluation, box, voter);
  if (!earlier) return Failure(std::move(earlier.error()));
  Result<void> done = RefuseAdding(records);
  if (done && !earlier->known) done = MakeRoom(records);
  if (done && !earlier->known) done = CountUp(records, "evaluations");
  if (done) done = Count(records, box, voter, earlier->score, evaluation.score);
  if (!done) return done;
  return records.sql.Execute(
      "INSERT INTO evaluation (box, voter, contribution, evaluator, score, criteria, comments, "
      "evaluated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (box, voter, "
      "contribution) DO UPDATE SET evaluator = excluded.evaluator, score = excluded.score, "
      "criteria = excluded.criteria, comments = excluded.comments, evaluated_at = "
      "excluded.evaluated_at",
      {box, voter, evaluation.contribution, evaluation.evaluator, evaluation.score,
       evaluation.criteria, evaluation.comments, records.now});
}

}  // namespace

Result<Evaluated> Evaluate(Records& records, const Evaluation& evaluation) {
  Result<Agent> evaluator = ActAs(records, evaluation.evaluator);
  if (!evaluator) return Failure(std::move(evaluator.error()));
  if (evaluation.evaluator == evaluation.contributor) {
    return Refused("an agent does not evaluate itself; contributing_agent_id must be another one");
  }
  Result<Agent> contributor = FindAgent(records, evaluation.contributor);
  if (!contributor) return Failure(std::move(contributor.error()));
  Result<Inbox> inbox = InboxOf(records, evaluation.contributor);
  if (!inbox) return Failure(std::move(inbox.error()));
  Result<Inbox> own = InboxOf(records, evaluation.evaluator);
  if (!own) return Failure(std::move(own.error()));
  Result<bool> counts = HadPart(records, evaluation, *contributor, own->box, inbox->box);
  if (counts && !*counts) counts = Met(records, own->box, inbox->box);
  if (!counts) return Failure(std::move(counts.error()));
  Evaluation kept = evaluation;
  if (!*counts) kept.score = std::nullopt;
  // Apart from ids of agents, which have no line breaks.
  const std::string voter = evaluator->owner.empty() ? evaluator->id : "\n" + evaluator->owner;
  if (Result<void> done = Keep(records, kept, inbox->box, voter); !done) {
    return Failure(std::move(done.error()));
  }
  contributor = FindAgent(records, evaluation.contributor);
  if (!contributor) return Failure(std::move(contributor.error()));
  return Evaluated{.contributor = std::move(*contributor), .strangers = !*counts};
}

Result<void> LeaveEvaluations(Records& records, const std::string& voter) {
  constexpr std::int64_t kForgottenAtOnce = 100;
  Result<Database::Rows> votes = records.sql.Query(
      "SELECT box, voter, contribution, score FROM evaluation WHERE voter = $1 ORDER BY box LIMIT "
      "$2",
      {voter, kForgottenAtOnce});
  if (!votes) return Failure(std::move(votes.error()));
  return votes->empty() ? Result<void>() : Forget(records, *votes);
}

Result<bool> ForgetEvaluations(Records& records, std::int64_t limit) {
  constexpr std::int64_t kDayMs = 24 * 3'600'000;
  Result<Database::Rows> old = records.sql.Query(
      "SELECT box, voter, contribution, score FROM evaluation WHERE evaluated_at <= $1 ORDER BY "
      "evaluated_at LIMIT $2",
      {records.now - std::max(records.settings.retain_ms, kDayMs), limit});
  if (!old) return Failure(std::move(old.error()));
  if (old->empty()) return false;
  if (Result<void> gone = Forget(records, *old); !gone) return Failure(std::move(gone.error()));
  return std::cmp_equal(old->size(), limit);
}

}  // namespace switchyard::orchestration
