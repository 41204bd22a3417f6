#include "mcp/splice.h"

#include <algorithm>
#include <utility>

namespace switchyard::mcp {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The first byte at or after `at` that is no whitespace; bytes.size() when there is none.
std::uint32_t SkipSpace(std::string_view bytes, std::uint32_t at) {
  while (at < bytes.size() && IsSpace(bytes[at])) ++at;
  return at;
}

// The position behind the last byte before `at` that is no whitespace; 0 when there is none.
std::uint32_t SkipSpaceBack(std::string_view bytes, std::uint32_t at) {
  while (at > 0 && IsSpace(bytes[at - 1])) --at;
  return at;
}

bool Contains(Span outer, Span inner) {
  return outer.begin <= inner.begin && inner.end <= outer.end;
}

// Strictly inside, for inserts: at an edge they are neighbours.
bool Swallows(Span outer, Span inner) {
  if (outer.begin == outer.end) return false;
  if (inner.begin == inner.end) return outer.begin < inner.begin && inner.end < outer.end;
  return Contains(outer, inner);
}

}  // namespace

Edits::List::iterator Edits::FirstTouching(std::uint32_t at) {
  // Ends ascend as begins do, for edits do not overlap.
  return std::lower_bound(edits_.begin(), edits_.end(), at,
                          [](const Edit& edit, std::uint32_t end) { return edit.span.end < end; });
}

void Edits::Replace(Span span, std::string text) {
  auto it = FirstTouching(span.begin);
  while (it != edits_.end() && it->span.begin <= span.end) {
    if (it->span == span) {
      it->text = std::move(text);
      return;
    }
    if (Swallows(it->span, span)) return;
    it = Swallows(span, it->span) ? edits_.erase(it) : it + 1;
  }
  const auto before = [](const Edit& edit, Span other) {
    return std::pair(edit.span.begin, edit.span.end) < std::pair(other.begin, other.end);
  };
  edits_.insert(std::lower_bound(edits_.begin(), it, span, before), Edit{span, std::move(text)});
}

const Edits::Edit* Edits::FindRemoval(std::uint32_t at, bool ends_there) {
  for (auto it = FirstTouching(at); it != edits_.end() && it->span.begin <= at; ++it) {
    if (!it->text.empty() || !it->span.present()) continue;
    if ((ends_there ? it->span.end : it->span.begin) == at) return &*it;
  }
  return nullptr;
}

void Edits::RemoveMember(std::string_view bytes, const Member& member) {
  Span span = member.whole;
  const std::uint32_t next = SkipSpace(bytes, span.end);
  const bool comma_follows = next < bytes.size() && bytes[next] == ',';
  // The members behind this one may be gone already, that comma with them: then this is the last.
  if (comma_follows && FindRemoval(next, /*ends_there=*/false) == nullptr) {
    span.end = SkipSpace(bytes, next + 1);
    Replace(span, {});
    return;
  }
  // Removed members right before this one left their comma's work to it.
  while (const Edit* const head = FindRemoval(span.begin, /*ends_there=*/true)) {
    span.begin = head->span.begin;
  }
  const std::uint32_t before = SkipSpaceBack(bytes, span.begin);
  if (before > 0 && bytes[before - 1] == ',') span.begin = before - 1;
  Replace(span, {});
}

void Edits::AppendTo(std::string_view bytes, Pieces& out) const {
  std::uint32_t at = 0;
  for (const Edit& edit : edits_) {
    if (edit.span.begin > at) out.push_back(bytes.substr(at, edit.span.begin - at));
    if (!edit.text.empty()) out.push_back(edit.text);
    at = edit.span.end;
  }
  if (at < bytes.size()) out.push_back(bytes.substr(at));
}

std::string Edits::Apply(std::string_view bytes) const {
  Pieces pieces;
  AppendTo(bytes, pieces);
  return Join(pieces);
}

std::size_t TotalSize(const Pieces& pieces) {
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  return size;
}

std::string Join(const Pieces& pieces) {
  std::string text;
  text.reserve(TotalSize(pieces));
  for (const std::string_view piece : pieces) text.append(piece);
  return text;
}

}  // namespace switchyard::mcp
