#include "orchestration/coordination/evaluations.h"

#include <utility>

#include "orchestration/coordination/ids.h"
#include "orchestration/coordination/inbox.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {
namespace {

std::unexpected<Error> NoPart(const Evaluation& evaluation) {
  return Refused("contribution_ref: agent " + evaluation.contributor + " had no part in " +
                 evaluation.contribution);
}

// What is no id of ours is taken on trust.
Result<void> HadPart(Records& records, const Evaluation& evaluation, std::int64_t box) {
  const std::string& ref = evaluation.contribution;
  if (const Result<TaskId> task = TaskIdOf(ref)) {
    Result<Task> found = Find(records, *task);
    if (!found) return Failure(std::move(found.error()).In("contribution_ref"));
    if (found->assigned_to != evaluation.contributor) return NoPart(evaluation);
    return {};
  }
  Result<Database::Rows> rows = Database::Rows();
  if (const auto session = Parse(IdOf::kSession, ref)) {
    rows = records.sql.Query("SELECT box FROM participant WHERE session = $1 AND box = $2",
                             {*session, box});
  } else if (const auto request = Parse(IdOf::kAssistance, ref)) {
    rows = records.sql.Query("SELECT id FROM assistance WHERE id = $1 AND helper_box = $2",
                             {*request, box});
  } else if (const auto message = Parse(IdOf::kMessage, ref)) {
    rows = records.sql.Query("SELECT id FROM message WHERE id = $1 AND sender_box = $2",
                             {*message, box});
  } else {
    return {};
  }
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return NoPart(evaluation);
  return {};
}

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

// What it said of this contribution before, as far as it was a score.
Result<std::optional<std::int64_t>> Earlier(Records& records, const Evaluation& evaluation,
                                            std::int64_t box, std::string_view voter) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT score FROM evaluation WHERE box = $1 AND voter = $2 AND contribution = $3",
      {box, voter, evaluation.contribution});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty() || rows->front().IsNull(0)) return std::nullopt;
  return rows->front().Number(0);
}

Result<void> Count(Records& records, const Evaluation& evaluation, std::int64_t box,
                   std::string_view voter) {
  Result<std::optional<std::int64_t>> earlier = Earlier(records, evaluation, box, voter);
  if (!earlier) return Failure(std::move(earlier.error()));
  Result<Votes> before = VotesOf(records, box, voter);
  if (!before) return Failure(std::move(before.error()));
  Votes after = *before;
  if (*earlier) {
    --after.votes;
    after.total -= **earlier;
  }
  if (evaluation.score) {
    ++after.votes;
    after.total += *evaluation.score;
  }
  Result<void> done = records.sql.Execute(
      "INSERT INTO rating (box, voter, votes, total) VALUES ($1, $2, $3, $4) ON CONFLICT (box, "
      "voter) DO UPDATE SET votes = excluded.votes, total = excluded.total",
      {box, voter, after.votes, after.total});
  if (!done) return done;
  const int more = (after.votes > 0 ? 1 : 0) - (before->votes > 0 ? 1 : 0);
  return records.sql.Execute(
      "UPDATE agent SET raters = raters + $1, ratings = ratings + $2 WHERE id = $3",
      {more, after.mean() - before->mean(), evaluation.contributor});
}

}  // namespace

Result<Agent> Evaluate(Records& records, const Evaluation& evaluation) {
  Result<Agent> evaluator = ActAs(records, evaluation.evaluator);
  if (!evaluator) return evaluator;
  if (evaluation.evaluator == evaluation.contributor) {
    return Refused("an agent does not evaluate itself; contributing_agent_id must be another one");
  }
  Result<Agent> contributor = FindAgent(records, evaluation.contributor);
  if (!contributor) return contributor;
  Result<Inbox> inbox = InboxOf(records, evaluation.contributor);
  if (!inbox) return Failure(std::move(inbox.error()));
  if (Result<void> part = HadPart(records, evaluation, inbox->box); !part) {
    return Failure(std::move(part.error()));
  }
  // Apart from ids of agents, which have no line breaks.
  const std::string voter = evaluator->owner.empty() ? evaluator->id : "\n" + evaluator->owner;
  Result<void> done = Count(records, evaluation, inbox->box, voter);
  if (done) {
    done = records.sql.Execute(
        "INSERT INTO evaluation (box, voter, contribution, evaluator, score, criteria, comments, "
        "evaluated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (box, voter, "
        "contribution) DO UPDATE SET evaluator = excluded.evaluator, score = excluded.score, "
        "criteria = excluded.criteria, comments = excluded.comments, evaluated_at = "
        "excluded.evaluated_at",
        {inbox->box, voter, evaluation.contribution, evaluation.evaluator, evaluation.score,
         evaluation.criteria, evaluation.comments, records.now});
  }
  if (!done) return Failure(std::move(done.error()));
  return FindAgent(records, evaluation.contributor);
}

Result<bool> ForgetEvaluations(Records& records, std::int64_t limit) {
  Result<Database::Rows> old = records.sql.Query(
      "SELECT box, voter, contribution FROM evaluation WHERE evaluated_at <= $1 ORDER BY "
      "evaluated_at LIMIT $2",
      {records.now - records.settings.retain_ms, limit});
  if (!old) return Failure(std::move(old.error()));
  for (const Database::Row& row : *old) {
    Result<void> done = records.sql.Execute(
        "DELETE FROM evaluation WHERE box = $1 AND voter = $2 AND contribution = $3",
        {row.Number(0), row.Text(1), row.Text(2)});
    if (!done) return Failure(std::move(done.error()));
  }
  return std::cmp_equal(old->size(), limit);
}

}  // namespace switchyard::orchestration
