// What policies leave behind of a call for its record in the audit log: who decided it, what it
// cost, who approved it; and what they leave to one another. Made by the first policy that has
// something to leave; shared by the call and by those that are made of it (alternatives), all on
// one thread: no lock.
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
  std::string approval = {};          // the id of the approval that it went by, or waits for
  std::string approver = {};          // who decided that
  // What a rule of authorize says besides that it is allowed: a person has to approve it.
  std::string approval_rule = {};    // its name; "" = none does
  std::string approval_policy = {};  // its digest
  std::string trace = {};  // of the record and of the line of the log: 32 hexadecimal digits
};

}  // namespace switchyard
