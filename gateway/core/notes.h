// What policies leave behind of a call for its record in the audit log: who decided it, what it
// cost, who approved it. Made by the policy that writes the record, if any; shared by the call and
// by those that are made of it (alternatives), all on one thread: no lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard {

struct CallNotes {
  // Of the policy that had the last word on who may do what.
  std::string_view decided_by = {};  // its name; static
  std::string_view decision = {};    // allowed, denied, hidden; static
  std::string rule = {};
  // What budgets settled for it; absent = no budget counts that.
  struct Cost {
    std::optional<std::int64_t> calls = {}, bytes = {}, tokens = {};
    std::optional<std::int64_t> money = {};         // in millionths
    std::optional<std::int64_t> milliseconds = {};  // of the server's time
  } cost = {};
  std::string_view answered_by = {};  // cache, if not a server; static
  std::string approval = {};          // the id of the approval that it went by
  std::string trace = {};  // of the record and of the line of the log: 32 hexadecimal digits
};

}  // namespace switchyard
