#include "orchestration/coordination/ids.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "orchestration/records.h"

namespace switchyard::orchestration {
namespace {

struct Words {
  std::string_view prefix, noun, source;
};
constexpr std::array<Words, 3> kWords = {{
    {"message_", "a message", "send_message"},
    {"session_", "a session", "create_collaboration_session"},
    {"assistance_", "a request for assistance", "request_assistance"},
}};
const Words& Of(IdOf kind) { return kWords[static_cast<std::size_t>(kind)]; }

constexpr std::size_t kMostDigits = 18;

// The whole of it.
bool ReadNumber(std::string_view digits, std::int64_t& into) {
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
  return fault == std::errc() && end == digits.data() + digits.size() && into >= 0 &&
         digits.size() <= kMostDigits && !digits.starts_with('-');
}

}  // namespace

std::string ToText(IdOf kind, std::int64_t id) {
  return fmt::format("{}{:08}", Of(kind).prefix, id);
}

Result<std::int64_t> Parse(IdOf kind, std::string_view text) {
  const Words& words = Of(kind);
  std::int64_t id = 0;
  if (text.starts_with(words.prefix) && ReadNumber(text.substr(words.prefix.size()), id) &&
      id > 0) {
    return id;
  }
  return Refused(fmt::format("an id of {} reads like {}, as {} gave it, got \"{}\"", words.noun,
                             ToText(kind, 12), words.source, text.substr(0, kMaxId)));
}

std::int64_t IdIn(Arguments& arguments, IdOf kind, std::string_view names, Arguments::Need need) {
  const std::optional<std::string> text = arguments.Word(names, kMaxId, need);
  if (!text) return 0;
  const Result<std::int64_t> id = Parse(kind, *text);
  if (id) return *id;
  arguments.Wrong(std::string(names.substr(0, names.find('|'))) + ": " + id.error().message);
  return 0;
}

std::vector<std::string> WordsIn(Arguments& arguments, std::string_view names) {
  std::vector<std::string> words = arguments.Words(names);
  const auto twice = std::ranges::unique(words);
  words.erase(twice.begin(), twice.end());
  return words;
}

std::string CursorText(char phase, std::int64_t first, std::int64_t second) {
  return fmt::format("{}-{}-{}", phase, first, second);
}

Result<Cursor> CursorOf(std::string_view text, std::string_view phases) {
  if (text.empty()) return Cursor();
  Cursor cursor;
  const std::size_t dash = text.size() > 2 ? text.find('-', 2) : text.npos;
  const bool reads = dash != text.npos && text[1] == '-' && phases.contains(text[0]) &&
                     ReadNumber(text.substr(2, dash - 2), cursor.first) &&
                     ReadNumber(text.substr(dash + 1), cursor.second);
  if (!reads) return Refused("cursor must be a next_cursor of the same list");
  cursor.phase = text[0];
  return cursor;
}

}  // namespace switchyard::orchestration
