// A call that a person has to approve, as it is kept and shown: what it is bound to, what became of
// it, and its text in the file. Pure; values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/result.h"

namespace switchyard::approvals {

using WallTime = std::chrono::system_clock::time_point;

// What a call must be to be the one that was approved, and what a person reads of it.
struct Request {
  std::string issuer = {}, subject = {}, client = {};  // who calls, as far as it is proved
  std::string endpoint = {};                           // "/mcp", "/mcp/team"
  std::string server = {}, tool = {};                  // the tool by its server's name for it; of
                                                       // a group all members: "a, b"
  std::string digest = {};                             // SHA-256 of the canonical arguments
  std::string definition = {};                         // SHA-256 of the tool's definitions
  std::string policy = {};                             // SHA-256 of the rule that asks
  // For people, and bound by the above.
  std::string rule = {};       // its name
  std::string exposed = {};    // the tool as clients call it
  std::string arguments = {};  // JSON over several lines, without secrets, all of it visible
  bool by_client = true;       // its client's user may decide
  bool by_operator = true;     // who runs the gateway may

  // Callers of one name are one caller.
  std::string CallerKey() const;
  // The same text for identical calls of one caller: all but definition and policy.
  std::string CallKey() const;
};

enum class State : std::uint8_t { kPending, kApproved, kDenied };
std::string_view ToString(State state);

struct Approval {
  std::string id;  // 32 hexadecimal digits that nobody can guess
  Request request = {};
  State state = State::kPending;
  WallTime created = {}, expires = {};
  // Once it is decided.
  WallTime decided = {};
  std::string by = {};      // "client ada", "operator", "operator ada"
  std::string reason = {};  // of a person; "" = none was given
};

// 2026-01-31T23:59:59Z
std::string TimeText(WallTime time);

// Of one line, at most so many bytes; what could not be seen, or would turn what stands beside it,
// stands there as \u{202E}.
std::string Readable(std::string_view text, std::size_t longest = 200);

// For the file. The error says what is wrong with a text that is none.
std::string ToText(const Approval& approval);
Result<Approval> FromText(std::string_view text);

// For people and programs: what the admin API says of one.
boost::json::object ToJson(const Approval& approval, std::size_t waiting);

}  // namespace switchyard::approvals
