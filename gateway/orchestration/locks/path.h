// Names of files as locks know them: one file, one name, however an agent spells it. Pure; files
// are never looked at.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace switchyard::orchestration {

inline constexpr std::size_t kMaxPath = 1024;  // bytes

// "./src//a/../b.cc/" -> "src/b.cc". All paths are below one root, which agents share: a leading
// slash means nothing. A backslash is a slash, for agents on Windows. Case is kept, and letters are
// not composed: what differs in bytes differs. kInvalid: it leads above the root, names no file
// ("", "/", "."), has control characters, or is longer than kMaxPath.
Result<std::string> NormalPath(std::string_view path);

}  // namespace switchyard::orchestration
