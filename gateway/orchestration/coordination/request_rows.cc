#include "orchestration/coordination/request_rows.h"

#include <utility>

#include "orchestration/coordination/ids.h"
#include "orchestration/coordination/inbox.h"
#include "orchestration/lanes.h"

namespace switchyard::orchestration {
namespace {

#define SWITCHYARD_REQUEST_COLUMNS                                                         \
  "r.id, r.requester, r.box, r.description, r.target, r.capabilities, r.urgency, r.task, " \
  "r.status, r.helper, r.helper_box, r.response, r.created_at, r.expires_at, r.closed_at"

Request ReadRequest(const Database::Row& row) {
  return {.id = row.Number(0),
          .requester = row.Text(1),
          .box = row.Number(2),
          .description = row.Text(3),
          .target = row.Text(4),
          .capabilities = WordsOf(row.Text(5)),
          .urgency = static_cast<Priority>(row.Number(6)),
          .task = row.Number(7),
          .status = static_cast<Asking>(row.Number(8)),
          .helper = row.Text(9),
          .helper_box = row.Number(10),
          .response = row.Text(11),
          .created_at = row.Number(12),
          .expires_at = row.Number(13),
          .closed_at = row.Number(14)};
}

std::vector<Request> ReadRequests(const Database::Rows& rows) {
  std::vector<Request> requests;
  requests.reserve(rows.size());
  for (const Database::Row& row : rows) requests.push_back(ReadRequest(row));
  return requests;
}

Result<void> ReadAsked(Records& records, Request& request) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT agent, reason, answer, box, place FROM asked WHERE request = $1", {request.id});
  if (!rows) return Failure(std::move(rows.error()));
  // Ten at most, by their places.
  request.asked.resize(rows->size());
  for (const Database::Row& row : *rows) {
    request.asked[static_cast<std::size_t>(row.Number(4)) % rows->size()] = {
        .agent = row.Text(0), .reason = row.Text(1), .answer = row.Text(2), .box = row.Number(3)};
  }
  return {};
}

}  // namespace

Result<void> InsertRequest(Records& records, Request& request) {
  Result<void> done = records.sql.Execute(
      "INSERT INTO assistance (id, requester, box, description, target, capabilities, urgency, "
      "task, status, helper, helper_box, response, created_at, expires_at, closed_at) VALUES ($1, "
      "$2, $3, $4, $5, $6, $7, $8, $9, '', 0, '', $10, $11, 0)",
      {request.id, request.requester, request.box, request.description, request.target,
       ToJson(request.capabilities), static_cast<int>(request.urgency), request.task,
       static_cast<int>(request.status), request.created_at, request.expires_at});
  std::int64_t place = 0;
  for (Asked& one : request.asked) {
    if (!done) return done;
    Result<Inbox> inbox = InboxOf(records, one.agent);
    if (!inbox) return Failure(std::move(inbox.error()));
    one.box = inbox->box;
    done = records.sql.Execute(
        "INSERT INTO asked (request, box, agent, place, reason, answer, open) VALUES ($1, $2, $3, "
        "$4, $5, $6, 1)",
        {request.id, one.box, one.agent, place++, one.reason, one.answer});
  }
  return done;
}

Result<void> StoreRequest(Records& records, const Request& request) {
  return records.sql.Execute(
      "UPDATE assistance SET status = $1, helper = $2, helper_box = $3, response = $4, closed_at = "
      "$5 WHERE id = $6",
      {static_cast<int>(request.status), request.helper, request.helper_box, request.response,
       request.closed_at, request.id});
}

Result<void> StoreAnswer(Records& records, std::int64_t id, const Asked& asked) {
  return records.sql.Execute(
      "UPDATE asked SET answer = $1, open = $2 WHERE request = $3 AND box = $4",
      {asked.answer, asked.answer == "declined" ? 0 : 1, id, asked.box});
}

Result<void> CloseAsked(Records& records, std::int64_t id) {
  return records.sql.Execute("UPDATE asked SET open = 0 WHERE request = $1", {id});
}

Result<Request> FindRequest(Records& records, std::int64_t id, const std::string& agent) {
  const auto none = [id] {
    return Unknown("there is no request " + ToText(IdOf::kAssistance, id) +
                   " of yours or to you; list_assistance shows those there are");
  };
  Result<Agent> acting = ActAs(records, agent);
  if (!acting) return Failure(std::move(acting.error()));
  Result<Inbox> inbox = FindInbox(records, agent);
  if (!inbox) return Failure(std::move(inbox.error()));
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT " SWITCHYARD_REQUEST_COLUMNS " FROM assistance AS r WHERE r.id = $1", {id});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return none();
  Request request = ReadRequest(rows->front());
  if (Result<void> read = ReadAsked(records, request); !read) {
    return Failure(std::move(read.error()));
  }
  bool concerned = request.box == inbox->box;
  for (const Asked& one : request.asked) concerned = concerned || one.box == inbox->box;
  if (!concerned) return none();
  return request;
}

Result<RequestPage> ListRequests(Records& records, const std::string& agent, bool own,
                                 std::int64_t before, std::int64_t limit) {
  Result<Agent> acting = ActAs(records, agent);
  if (!acting) return Failure(std::move(acting.error()));
  Result<Inbox> inbox = FindInbox(records, agent);
  if (!inbox) return Failure(std::move(inbox.error()));
  const std::int64_t from = before == 0 ? INT64_MAX : before;
  Result<Database::Rows> rows =
      own ? records.sql.Query("SELECT " SWITCHYARD_REQUEST_COLUMNS
                              " FROM assistance AS r WHERE r.box = $1 AND r.id < $2 ORDER BY r.id "
                              "DESC LIMIT $3",
                              {inbox->box, from, limit + 1})
          : records.sql.Query("SELECT " SWITCHYARD_REQUEST_COLUMNS
                              " FROM asked AS a JOIN assistance AS r ON r.id = a.request WHERE "
                              "a.box = $1 AND a.open = 1 AND a.request < $2 ORDER BY a.request "
                              "DESC LIMIT $3",
                              {inbox->box, from, limit + 1});
  if (!rows) return Failure(std::move(rows.error()));
  RequestPage page{.requests = ReadRequests(*rows)};
  if (std::cmp_greater(page.requests.size(), limit)) {
    page.requests.pop_back();
    page.next = page.requests.back().id;
  }
  return page;
}

Result<std::vector<Request>> OpenRequestsOf(Records& records, std::int64_t box,
                                            std::int64_t limit) {
  Result<Database::Rows> rows =
      records.sql.Query("SELECT " SWITCHYARD_REQUEST_COLUMNS
                        " FROM assistance AS r WHERE r.box = $1 AND r.closed_at = 0 LIMIT $2",
                        {box, limit});
  if (!rows) return Failure(std::move(rows.error()));
  return ReadRequests(*rows);
}

Result<std::vector<Request>> OpenRequestsTo(Records& records, std::int64_t box,
                                            std::int64_t limit) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT " SWITCHYARD_REQUEST_COLUMNS
      " FROM asked AS a JOIN assistance AS r ON r.id = a.request WHERE a.box = $1 AND a.open = 1 "
      "ORDER BY a.request LIMIT $2",
      {box, limit});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<Request> requests = ReadRequests(*rows);
  for (Request& request : requests) {
    if (Result<void> read = ReadAsked(records, request); !read) {
      return Failure(std::move(read.error()));
    }
  }
  return requests;
}

Result<std::vector<Request>> ExpiredRequests(Records& records, std::int64_t limit) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT " SWITCHYARD_REQUEST_COLUMNS
      " FROM assistance AS r WHERE r.closed_at = 0 AND r.expires_at <= $1 ORDER BY r.expires_at "
      "LIMIT $2",
      {records.now, limit});
  if (!rows) return Failure(std::move(rows.error()));
  return ReadRequests(*rows);
}

Result<bool> ForgetRequests(Records& records, std::int64_t limit) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT id FROM assistance WHERE closed_at > 0 AND closed_at <= $1 ORDER BY closed_at LIMIT "
      "$2",
      {records.now - records.settings.retain_ms, limit});
  if (!rows) return Failure(std::move(rows.error()));
  for (const Database::Row& row : *rows) {
    const std::int64_t id = row.Number(0);
    Result<void> done = records.sql.Execute("DELETE FROM asked WHERE request = $1", {id});
    if (done) done = records.sql.Execute("DELETE FROM assistance WHERE id = $1", {id});
    if (!done) return Failure(std::move(done.error()));
  }
  return std::cmp_equal(rows->size(), limit);
}

}  // namespace switchyard::orchestration
