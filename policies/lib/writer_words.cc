#include "policies/lib/writer_words.h"

#include <algorithm>
#include <array>
#include <string>

namespace switchyard::policies {
namespace {

constexpr std::array<std::string_view, 58> kWords = {
    "add",      "append",   "approve",   "archive",  "assign",    "buy",    "cancel",  "clear",
    "create",   "delete",   "deploy",    "destroy",  "disable",   "drop",   "edit",    "enable",
    "exec",     "execute",  "grant",     "insert",   "install",   "invite", "kill",    "modify",
    "move",     "mutate",   "overwrite", "patch",    "pay",       "post",   "publish", "purchase",
    "purge",    "push",     "put",       "reject",   "remove",    "rename", "replace", "reset",
    "restart",  "revoke",   "run",       "save",     "send",      "set",    "start",   "stop",
    "submit",   "transfer", "trigger",   "truncate", "uninstall", "update", "upload",  "upsert",
    "withdraw", "write"};
static_assert(std::ranges::is_sorted(kWords));

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
// Wildcards, too: a word that they touch is not known. So are bytes beyond ASCII.
bool IsOfWord(char c) {
  return IsUpper(c) || IsLower(c) || c == '*' || c == '?' || static_cast<unsigned char>(c) >= 0x80;
}

// Where the word that begins at `begin` ends.
std::size_t EndOfWord(std::string_view name, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < name.size() && IsOfWord(name[end])) {
    const bool hump = IsLower(name[end - 1]) && IsUpper(name[end]);
    // HTTPPost: the last capital belongs to what follows.
    const bool after_capitals = IsUpper(name[end - 1]) && IsUpper(name[end]) &&
                                end + 1 < name.size() && IsLower(name[end + 1]);
    if (hump || after_capitals) break;
    ++end;
  }
  return end;
}

}  // namespace

std::string_view WriterWordIn(std::string_view name) {
  std::string word;
  for (std::size_t at = 0; at < name.size();) {
    if (!IsOfWord(name[at])) {
      ++at;
      continue;
    }
    const std::size_t end = EndOfWord(name, at);
    word.assign(name.substr(at, end - at));
    for (char& c : word) c = IsUpper(c) ? static_cast<char>(c | 0x20) : c;
    const auto found = std::ranges::lower_bound(kWords, word);
    if (found != kWords.end() && *found == word) return *found;
    at = end;
  }
  return {};
}

}  // namespace switchyard::policies
