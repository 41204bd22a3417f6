#include "orchestration/records.h"

#include <utility>

namespace switchyard::orchestration {

std::unexpected<Error> Refused(std::string message) {
  return Failure(Code::kInvalid, Origin::kClient, std::move(message));
}
std::unexpected<Error> Unknown(std::string message) {
  return Failure(Code::kNotFound, Origin::kClient, std::move(message));
}
std::unexpected<Error> Forbidden(std::string message) {
  return Failure(Code::kForbidden, Origin::kClient, std::move(message));
}

Result<std::int64_t> Next(Records& records, std::string_view counter) {
  // SQLite keeps what RETURNING gives in a table of its own; to look it up is cheaper.
  if (Result<void> counted = CountUp(records, counter); !counted) {
    return Failure(std::move(counted.error()));
  }
  Result<Database::Rows> rows =
      records.sql.Query("SELECT value FROM counter WHERE name = $1", {counter});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) {
    return Failure(Code::kInternal, Origin::kGateway, "a counter is missing", std::string(counter));
  }
  return rows->front().Number(0);
}

Result<void> CountUp(Records& records, std::string_view counter, std::int64_t by) {
  return records.sql.Execute("UPDATE counter SET value = value + $1 WHERE name = $2",
                             {by, counter});
}

}  // namespace switchyard::orchestration
