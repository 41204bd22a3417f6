#include "orchestration/decomposition/split.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "orchestration/decomposition/clauses.h"
#include "orchestration/records.h"

namespace switchyard::orchestration {
namespace {

// What stands before an item, and how wide the line is indented.
struct Mark {
  std::size_t indent = 0;
  std::size_t size = 0;  // of blanks and mark
  bool numbered = false;
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool FollowedByBlank(std::string_view text, std::size_t at) {
  return at < text.size() && (text[at] == ' ' || text[at] == '\t');
}

// "1." "1)" "(1)" "a)" "Step 1:", at the front of `text`: how long; 0 = it is none.
std::size_t NumberAt(std::string_view text) {
  constexpr std::size_t kMostDigits = 4;
  std::size_t at = 0;
  const bool step = text.starts_with("Step ") || text.starts_with("step ");
  if (step) at = 5;
  const bool open = at < text.size() && text[at] == '(';
  if (open) ++at;
  const std::size_t begin = at;
  while (at < text.size() && at - begin < kMostDigits && IsDigit(text[at])) ++at;
  const bool letter = at == begin && !step && at < text.size() && IsLetter(text[at]);
  if (letter) ++at;
  if (at == begin || at >= text.size()) return 0;
  const char end = text[at];
  const bool ends = end == ')' || (!open && !letter && end == '.') || (step && end == ':');
  return ends && FollowedByBlank(text, at + 1) ? at + 1 : 0;
}

std::size_t BulletAt(std::string_view text) {
  for (const std::string_view bullet : {"- [ ]", "* [ ]", "-", "*", "+", "\xe2\x80\xa2"}) {
    if (text.starts_with(bullet) && FollowedByBlank(text, bullet.size())) return bullet.size();
  }
  return 0;
}

std::optional<Mark> MarkOf(std::string_view line) {
  constexpr std::size_t kTab = 4;
  Mark mark;
  std::size_t at = 0;
  for (; at < line.size() && (line[at] == ' ' || line[at] == '\t'); ++at) {
    mark.indent += line[at] == '\t' ? kTab : 1;
  }
  const std::size_t number = NumberAt(line.substr(at));
  const std::size_t size = number != 0 ? number : BulletAt(line.substr(at));
  if (size == 0) return std::nullopt;
  mark.size = at + size;
  mark.numbered = number != 0;
  return mark;
}

struct Item {
  std::string text = {};
  std::size_t level = 0;
  bool numbered = false;
};

// The items of all lists in a text, one after the other, with their levels. What stands before the
// first one is no item; a line without a mark goes on with the item above it.
std::vector<Item> ItemsOf(std::string_view text, std::size_t depth) {
  std::vector<Item> items;
  std::vector<std::size_t> indents;  // of the levels that are open
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::optional<Mark> mark = MarkOf(line);
    const std::string_view rest = Trimmed(mark ? line.substr(mark->size) : line);
    if (rest.empty()) continue;
    if (mark) {
      while (!indents.empty() && indents.back() > mark->indent) indents.pop_back();
      if (indents.empty() || indents.back() < mark->indent) indents.push_back(mark->indent);
    }
    if (mark && indents.size() <= depth) {
      items.push_back(
          {.text = std::string(rest), .level = indents.size() - 1, .numbered = mark->numbered});
    } else if (!items.empty()) {
      items.back().text.append("\n").append(rest);
    }
  }
  return items;
}

// Writes items as pieces: the parts of one before it, each after what its place in order demands.
class Writer {
 public:
  Writer(const std::vector<Item>& items, Split& split) : items_(items), split_(split) {}

  // The items from `at` on that are of this level, up to one of a lower one. Gives the refs of
  // those that come last.
  std::vector<std::string> Write(std::size_t& at, std::size_t level, const std::string& under,
                                 const std::vector<std::string>& after) {
    std::vector<std::string> last;
    for (int number = 1; at < items_.size() && items_[at].level >= level; ++number) {
      const Item& item = items_[at++];
      std::string ref = under + std::to_string(number);
      std::vector<std::string> needs = item.numbered && !last.empty() ? last : after;
      if (at < items_.size() && items_[at].level > item.level) {
        needs = Write(at, items_[at].level, ref + ".", needs);
      }
      split_.pieces.push_back({.ref = ref, .text = item.text, .needs = std::move(needs)});
      if (item.numbered) last.clear();
      last.push_back(std::move(ref));
    }
    return last;
  }

 private:
  const std::vector<Item>& items_;
  Split& split_;
};

Result<void> Fits(std::size_t pieces, const SplitLimits& limits) {
  if (pieces <= limits.most) return {};
  return Refused("it splits into " + std::to_string(pieces) + " subtasks, expected at most " +
                 std::to_string(limits.most) + "; raise max_subtasks (up to " +
                 std::to_string(kMostPieces) + "), lower max_depth, or give a part of it");
}

}  // namespace

Result<Split> SplitText(std::string_view text, const SplitLimits& limits) {
  Split split;
  const std::vector<Item> items = ItemsOf(text, limits.depth);
  if (items.size() > 1) {
    if (Result<void> fits = Fits(items.size(), limits); !fits) {
      return Failure(std::move(fits.error()));
    }
    split.found = items.front().numbered ? "steps" : "list";
    std::size_t at = 0;
    split.last = Writer(items, split).Write(at, 0, "", {});
    return split;
  }
  const Clauses clauses = ClausesOf(text);
  if (clauses.texts.size() < 2) return split;
  if (Result<void> fits = Fits(clauses.texts.size(), limits); !fits) {
    return Failure(std::move(fits.error()));
  }
  split.found = clauses.by_connectives ? "connectives" : "sentences";
  for (const std::string& clause : clauses.texts) {
    Piece piece{.ref = std::to_string(split.pieces.size() + 1), .text = clause};
    if (clauses.ordered && !split.last.empty()) piece.needs = std::move(split.last);
    if (clauses.ordered) split.last.clear();
    split.last.push_back(piece.ref);
    split.pieces.push_back(std::move(piece));
  }
  return split;
}

}  // namespace switchyard::orchestration
