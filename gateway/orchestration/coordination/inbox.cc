#include "orchestration/coordination/inbox.h"

#include <utility>

namespace switchyard::orchestration {

Result<Inbox> FindInbox(Records& records, std::string_view agent) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT box, unread FROM inbox WHERE agent = $1", {agent});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return Inbox();
  return Inbox{.box = rows->front().Number(0), .unread = rows->front().Number(1)};
}

Result<Inbox> InboxOf(Records& records, std::string_view agent) {
  Result<Inbox> known = FindInbox(records, agent);
  if (!known || known->box != 0) return known;
  Result<std::int64_t> box = Next(records, "inbox");
  if (!box) return Failure(std::move(box.error()));
  Result<void> made = records.sql.Execute(
      "INSERT INTO inbox (agent, box, unread) VALUES ($1, $2, 0)", {agent, *box});
  if (!made) return Failure(std::move(made.error()));
  return Inbox{.box = *box};
}

Result<void> AddUnread(Records& records, std::int64_t box, std::int64_t by) {
  return records.sql.Execute("UPDATE inbox SET unread = unread + $1 WHERE box = $2", {by, box});
}

Result<bool> Lives(Records& records, std::int64_t box) {
  Result<Database::Rows> rows = records.sql.Query("SELECT agent FROM inbox WHERE box = $1", {box});
  if (!rows) return Failure(std::move(rows.error()));
  return !rows->empty();
}

Result<std::vector<SentTo>> SentToOf(Records& records, std::int64_t message, std::int64_t limit) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT inbox.agent, delivery.read_at FROM delivery, inbox WHERE delivery.message = $1 AND "
      "inbox.box = delivery.box ORDER BY delivery.box LIMIT $2",
      {message, limit});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<SentTo> all;
  all.reserve(rows->size());
  for (const Database::Row& row : *rows) {
    all.push_back({.agent = row.Text(0), .read = row.Number(1) != 0});
  }
  return all;
}

Result<void> DropInbox(Records& records, std::string_view agent) {
  Result<void> done = records.sql.Execute(
      "DELETE FROM rating WHERE box IN (SELECT box FROM inbox WHERE agent = $1)", {agent});
  if (done) {
    done = records.sql.Execute(
        "UPDATE message SET awaited = awaited - 1 WHERE id IN (SELECT message FROM delivery WHERE "
        "box = (SELECT box FROM inbox WHERE agent = $1) AND read_at = 0)",
        {agent});
  }
  if (done) done = records.sql.Execute("DELETE FROM inbox WHERE agent = $1", {agent});
  return done;
}

}  // namespace switchyard::orchestration
