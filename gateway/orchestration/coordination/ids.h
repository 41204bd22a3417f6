// Ids of what agents share: "session_00000003". Numbers count from 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "orchestration/arguments.h"

namespace switchyard::orchestration {

enum class IdOf : std::uint8_t { kMessage, kSession, kAssistance };

std::string ToText(IdOf kind, std::int64_t id);
Result<std::int64_t> Parse(IdOf kind, std::string_view text);  // kInvalid
// Of an argument; 0 = not given.
std::int64_t IdIn(Arguments& arguments, IdOf kind, std::string_view names,
                  Arguments::Need need = Arguments::Need::kOptional);

// Each once.
std::vector<std::string> WordsIn(Arguments& arguments, std::string_view names);

// Two whole numbers behind a word, as lists are continued with: "u-1-17".
std::string CursorText(char phase, std::int64_t first, std::int64_t second);
struct Cursor {
  char phase = 0;  // 0 = from the beginning
  std::int64_t first = 0, second = 0;
};
Result<Cursor> CursorOf(std::string_view text, std::string_view phases);  // kInvalid

}  // namespace switchyard::orchestration
