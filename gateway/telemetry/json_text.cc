#include "telemetry/json_text.h"

#include <algorithm>
#include <cstdint>

#include <fmt/compile.h>

namespace switchyard::telemetry {
namespace {

// How many bytes the UTF-8 character at the begin of `text` has; 0 = it is none.
std::size_t CharacterSize(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!follows(1) || !follows(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (first == 0xED && byte(1) > 0x9F) return 0;  // a surrogate
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

// What may stand in a JSON string as it is.
bool IsPlainCharacter(char c) { return c >= ' ' && c != 0x7F && c != '"' && c != '\\'; }

// Nearly all that is logged is. Without a branch in the loop: the compiler makes vectors of it.
bool IsAllPlain(std::string_view text) {
  std::uint8_t bad = 0;
  for (const char c : text) {
    bad |= static_cast<std::uint8_t>((c < ' ') | (c == 0x7F) | (c == '"') | (c == '\\'));
  }
  return bad == 0;
}

// `width` decimal digits. General formatting of a time costs more than all the rest of a line.
void AppendDigits(Line& line, unsigned value, int width) {
  char digits[8];
  for (int i = width - 1; i >= 0; --i, value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  line.append(digits, digits + width);
}

// 2026-01-31T23:59:59
void AppendSecond(Line& line, std::chrono::sys_seconds time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  AppendDigits(line, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  line.push_back('-');
  AppendDigits(line, static_cast<unsigned>(date.month()), 2);
  line.push_back('-');
  AppendDigits(line, static_cast<unsigned>(date.day()), 2);
  line.push_back('T');
  AppendDigits(line, static_cast<unsigned>(clock.hours().count()), 2);
  line.push_back(':');
  AppendDigits(line, static_cast<unsigned>(clock.minutes().count()), 2);
  line.push_back(':');
  AppendDigits(line, static_cast<unsigned>(clock.seconds().count()), 2);
}

void AppendEscaped(Line& line, char c) {
  switch (c) {
    case '"': return Append(line, "\\\"");
    case '\\': return Append(line, "\\\\");
    case '\n': return Append(line, "\\n");
    case '\t': return Append(line, "\\t");
    default:
      fmt::format_to(fmt::appender(line), FMT_COMPILE("\\u{:04x}"), static_cast<unsigned char>(c));
  }
}

}  // namespace

void Append(Line& line, std::string_view text) {
  line.append(text.data(), text.data() + text.size());
}

void AppendQuoted(Line& line, std::string_view text, std::size_t limit) {
  const bool cut = text.size() > limit;
  text = text.substr(0, limit);
  if (!cut && IsAllPlain(text)) {
    const std::size_t at = line.size();
    line.resize(at + text.size() + 2);
    line[at] = '"';
    std::ranges::copy(text, line.data() + at + 1);
    line[line.size() - 1] = '"';
    return;
  }
  line.push_back('"');
  while (!text.empty()) {
    const auto plain =
        static_cast<std::size_t>(std::ranges::find_if_not(text, IsPlainCharacter) - text.begin());
    Append(line, text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t size = CharacterSize(text);
    if (size > 1) {
      Append(line, text.substr(0, size));
    } else if (size == 1) {
      AppendEscaped(line, text[0]);
    } else {
      Append(line, "\xEF\xBF\xBD");
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  if (cut) Append(line, "...");
  line.push_back('"');
}

void AppendTime(Line& line, std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  // The second of the line before this one is most often the second of this one, too.
  thread_local sys_seconds second{seconds::min()};
  thread_local Line text;
  if (const auto now = floor<seconds>(time); now != second) {
    second = now;
    text.clear();
    AppendSecond(text, now);
  }
  Append(line, {text.data(), text.size()});
  line.push_back('.');
  const auto part = floor<milliseconds>(time) - second;
  AppendDigits(line, static_cast<unsigned>(part.count()), 3);
  line.push_back('Z');
}

void AppendMilliseconds(Line& line, Duration duration) {
  const auto microseconds = std::max<std::int64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count(), 0);
  fmt::format_to(fmt::appender(line), FMT_COMPILE("{}"), microseconds / 1000);
  line.push_back('.');
  AppendDigits(line, static_cast<unsigned>(microseconds % 1000), 3);
}

}  // namespace switchyard::telemetry
