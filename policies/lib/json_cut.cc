#include "policies/lib/json_cut.h"

#include <algorithm>
#include <utility>

#include "mcp/json_string.h"
#include "mcp/json_tokens.h"

namespace switchyard {
namespace {

using mcp::JsonTokens;

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxUncut = 256;    // keys and numbers
constexpr std::size_t kMaxPointer = 200;  // it is for a sentence
constexpr std::size_t kShortKey = 48;
constexpr std::size_t kLeastOfString = 16;  // less of one is not worth a cut

bool IsSurrogate(std::string_view escape, char first, char last) {
  return escape.size() >= 6 && escape.starts_with("\\u") &&
         (escape[2] == 'd' || escape[2] == 'D') && (escape[3] | 0x20) >= first &&
         (escape[3] | 0x20) <= last;
}

// Of one character of a raw string: an escape, a pair of them, or UTF-8.
std::size_t CharacterLength(std::string_view raw) {
  if (raw.front() == '\\') {
    if (raw.size() < 2 || raw[1] != 'u') return 2;
    const bool pair = (IsSurrogate(raw, '8', '9') || IsSurrogate(raw, 'a', 'b')) &&
                      IsSurrogate(raw.substr(6), 'c', 'f');
    return pair ? 12 : 6;
  }
  return std::max<std::size_t>(1, mcp::Utf8Length(raw));
}

// A raw string, cut to `most` bytes and a mark.
std::string Shortened(std::string_view raw, std::size_t most) {
  if (raw.size() <= most) return std::string(raw);
  std::size_t at = 1;
  for (;;) {
    const std::size_t length = CharacterLength(raw.substr(at));
    if (at + length > most) break;
    at += length;
  }
  return std::string(raw.substr(0, at)) + "\u2026\"";
}

}  // namespace

std::optional<JsonCutter> JsonCutter::For(std::string_view text) {
  const auto tokens = JsonTokens::Find(text);
  if (!tokens || tokens->size() == 0) return std::nullopt;
  if (tokens->at(0) != '{' && tokens->at(0) != '[') return std::nullopt;
  bool too_deep = false;
  if (tokens->FindFault(kMaxDepth, too_deep) != JsonTokens::kNoFault) return std::nullopt;
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    const char c = tokens->at(i);
    const bool bracket = c == '{' || c == '}' || c == '[' || c == ']' || c == ':' || c == ',';
    const bool value = c == '"' && tokens->at(i + 1) != ':';
    if (bracket || value) continue;
    if (tokens->EndBefore(i + 1) - tokens->begin(i) > kMaxUncut) return std::nullopt;
  }
  JsonCutter cutter(text);
  cutter.at_ = tokens->begin(0);
  return cutter;
}

std::size_t JsonCutter::SkipBetween(std::size_t at) const {
  while (at < text_.size() && (JsonTokens::IsSpace(text_[at]) || text_[at] == ',')) ++at;
  return at;
}

// From within a string to behind its end; kFar when that is beyond `limit`.
std::size_t JsonCutter::StringEnd(std::size_t at, std::size_t limit) const {
  const std::size_t last = std::min(limit, text_.size());
  while (at < last && text_[at] != '"') at += text_[at] == '\\' ? 2 : 1;
  return at < last ? at + 1 : kFar;
}

JsonCutter::Element JsonCutter::ElementAt(std::size_t at, const Scan& scan) const {
  Element element{
      .start = at, .value = at, .end = 0, .key = {}, .container = false, .string = false};
  if (!stack_.empty() && stack_.back().object) {
    const std::size_t end = StringEnd(at + 1, text_.size());
    element.key = text_.substr(at, end - at);
    element.value = end;
    while (JsonTokens::IsSpace(text_[element.value]) || text_[element.value] == ':') {
      ++element.value;
    }
  }
  const char first = text_[element.value];
  element.container = first == '{' || first == '[';
  element.string = first == '"';
  if (element.string) {
    element.end = StringEnd(element.value + 1, std::max(scan.stop, element.value + scan.page));
  } else if (!element.container) {
    element.end = std::min(text_.find_first_of(",]} \t\r\n", element.value), text_.size());
  }
  return element;
}

// What is open, with the keys under way; of keys that are too much together only a beginning.
std::string JsonCutter::Opener(std::size_t most) const {
  for (std::size_t longest = kMaxUncut;; longest = kShortKey) {
    std::string out;
    for (std::size_t i = 0; i < stack_.size(); ++i) {
      const Level& level = stack_[i];
      out += level.object ? '{' : '[';
      const bool inner = i + 1 < stack_.size() || in_string_;
      if (level.object && inner) out.append(Shortened(level.key, longest)).append(":");
    }
    if (in_string_) out += '"';
    if (out.size() <= most || longest == kShortKey) return out;
  }
}

std::string JsonCutter::Closers() const {
  std::string out(in_string_ ? "\"" : "");
  for (std::size_t i = stack_.size(); i > 0; --i) out += stack_[i - 1].object ? '}' : ']';
  return out;
}

std::string JsonCutter::Pointer() const {
  std::string out;
  for (std::size_t i = 0; i < stack_.size(); ++i) {
    const Level& level = stack_[i];
    out += '/';
    if (!level.object) {
      out += std::to_string(level.index);
      continue;
    }
    std::string_view raw = level.key;
    if (i + 1 == stack_.size() && !in_string_) {
      raw = text_.substr(at_, StringEnd(at_ + 1, text_.size()) - at_);
    }
    for (const char c : mcp::Unquote(raw).value_or(std::string(raw))) {
      if (c == '~') out += "~0";
      if (c == '/') out += "~1";
      if (c != '~' && c != '/') out += c;
    }
  }
  if (out.size() <= kMaxPointer) return out;
  return out.substr(0, CutText(out, kMaxPointer)) + "\u2026";
}

// An element has been shown whole.
void JsonCutter::Count(Scan& scan, std::size_t end) {
  if (scan.shown == 0) scan.shown = end;
  if (stack_.empty()) return;
  stack_.back().last = end;
  ++stack_.back().index;
}

JsonPiece JsonCutter::Next(const PageSize& size, const Room& room, bool fresh) {
  const std::vector<Level> before = stack_;
  const std::size_t begin = at_;
  const bool in_string = in_string_;
  Scan scan{.piece = {.begin = at_,
                      .end = at_,
                      .before = Opener(std::min(room.bytes, room.tokens) / 2),
                      .after = {},
                      .at = stack_.empty() ? std::string() : Pointer()},
            .stop = 0,
            .page = size.Fit(text_.substr(at_), size.whole()),
            .fresh = fresh};
  // The path has its share, but half of the room is for what is shown.
  Room left = room;
  size.Charge(scan.piece.before, left);
  left = {.bytes = std::max(left.bytes, room.bytes / 2),
          .tokens = std::max(left.tokens, room.tokens / 2)};
  scan.stop = at_ + size.Fit(text_.substr(at_), left);
  for (Level& level : stack_) {
    level.here = false;
    level.last = at_;
  }
  std::size_t at = at_;
  while (Step(scan, at)) {
  }
  if (scan.piece.empty()) {
    stack_ = before;
    at_ = begin;
    in_string_ = in_string;
  }
  return std::move(scan.piece);
}

// One element, bracket or the rest of a string; false = the piece is made.
bool JsonCutter::Step(Scan& scan, std::size_t& at) {
  if (in_string_) {
    const std::size_t end = StringEnd(at, std::max(scan.stop, at + scan.page));
    if (end > scan.stop) {
      if (!Split(scan, at, scan.fresh)) scan.piece.end = scan.piece.begin;
      return false;
    }
    in_string_ = false;
    Count(scan, end);
    at = end;
    return true;
  }
  at = SkipBetween(at);
  const char c = text_[at];
  if (c == ']' || c == '}') {
    stack_.pop_back();
    Count(scan, ++at);
    done_ = stack_.empty();
    if (!done_) return true;
    scan.piece.end = at;
    return false;
  }
  const Element element = ElementAt(at, scan);
  const std::size_t needed = element.container ? element.value + 1 : element.end;
  const bool root = stack_.empty();
  if (needed > scan.stop && !root) return Overflow(scan, element, at);
  at = needed;
  if (!element.container) {
    Count(scan, at);
    return true;
  }
  if (!root) stack_.back().key = element.key;
  stack_.push_back(
      {.object = text_[element.value] == '{', .start = element.start, .last = at, .here = true});
  return true;
}

// There is no room for this element. True: it is shown all the same, at least its beginning.
bool JsonCutter::Overflow(Scan& scan, const Element& element, std::size_t& at) {
  if (CutBeforeContainer(scan, element)) return false;
  const bool must = scan.fresh && scan.shown == 0;
  const bool too_large = element.end == kFar || element.end - element.value > scan.page;
  if (element.string && (too_large || must)) {
    const std::string_view key = std::exchange(stack_.back().key, element.key);
    if (Split(scan, element.value + 1, must)) return false;
    stack_.back().key = key;
  }
  if (scan.shown != 0) {
    CutBefore(scan, element.start);
    return false;
  }
  if (!must) {  // another page will do better
    scan.piece.end = scan.piece.begin;
    return false;
  }
  scan.stop = element.container ? element.value + 1 : element.end;
  at = element.start;
  return true;
}

// An object or array that began on this page and would go whole on one of its own is not begun.
bool JsonCutter::CutBeforeContainer(Scan& scan, const Element& element) {
  if (scan.shown == 0) return false;
  const auto starts_late = [&](const Level& level) {
    return level.here && level.start >= scan.shown;
  };
  const auto outermost = std::ranges::find_if(stack_, starts_late);
  if (outermost == stack_.end()) return false;
  FindEnds(element.start, outermost->start + scan.page);
  const auto fits = [&](const Level& level) {
    return level.whole_end != 0 && level.whole_end - level.start <= scan.page;
  };
  const auto found = std::find_if(outermost, stack_.end(), fits);
  if (found == stack_.end()) return false;
  const std::size_t next = found->start;
  stack_.erase(found, stack_.end());
  CutBefore(scan, next);
  return true;
}

// Where what is open ends, as far as `limit`.
void JsonCutter::FindEnds(std::size_t at, std::size_t limit) {
  std::size_t open = stack_.size(), inner = 0;
  for (Level& level : stack_) level.whole_end = 0;
  const std::size_t last = std::min(limit, text_.size());
  while (at < last && open > 0) {
    const char c = text_[at++];
    if (c == '"') at = std::min(StringEnd(at, limit), last);
    if (c == '{' || c == '[') ++inner;
    if (c != '}' && c != ']') continue;
    if (inner > 0) {
      --inner;
    } else {
      stack_[--open].whole_end = at;
    }
  }
}

// Shows as much of a string as there is room for, from within it. False: that is too little.
bool JsonCutter::Split(Scan& scan, std::size_t from, bool force) {
  std::size_t at = from;
  while (at < text_.size() && text_[at] != '"') {
    const std::size_t next = at + CharacterLength(text_.substr(at));
    if (next >= scan.stop && !(force && at == from)) break;
    at = next;
  }
  if (at - from < kLeastOfString && !force) return false;
  in_string_ = true;
  CutBefore(scan, at);
  scan.piece.end = at;
  return true;
}

void JsonCutter::CutBefore(Scan& scan, std::size_t next) {
  at_ = next;
  scan.piece.end = stack_.back().last;
  scan.piece.after = Closers();
}

}  // namespace switchyard
