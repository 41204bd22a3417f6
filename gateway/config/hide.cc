#include "config/hide.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/ascii.h"
#include "config/text_check.h"

namespace switchyard::config {
namespace {

constexpr std::size_t kShort = 4;  // shorter ones could be anything
constexpr std::size_t kLong = 8;   // longer ones are no word of a sentence
constexpr std::string_view kCut = "...";
constexpr std::string_view kGot = "got ";
constexpr std::string_view kAfterGot = " ;,";  // follows what was got

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool IsNumber(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool StandsAlone(std::string_view text, std::size_t at, std::size_t length) {
  const bool before = at > 0 && IsWordByte(text[at - 1]);
  const bool after = at + length < text.size() && IsWordByte(text[at + length]);
  return !before && !after;
}

struct Needle {
  std::string text;  // in lower case: messages may change that
  std::string_view shown;
};

std::vector<Needle> NeedlesOf(const std::vector<Expansion>& expansions) {
  std::vector<Needle> needles;
  for (const Expansion& expansion : expansions) {
    if (expansion.value.empty()) continue;
    std::string plain = LowerAscii(expansion.value);
    std::string printed =
        LowerAscii(Printable(expansion.value, std::numeric_limits<std::size_t>::max()));
    if (printed != plain) needles.push_back({std::move(printed), expansion.shown});
    needles.push_back({std::move(plain), expansion.shown});
  }
  std::ranges::sort(needles, std::ranges::greater(),
                    [](const Needle& needle) { return needle.text.size(); });
  return needles;
}

// One pass over one text.
class Pass {
 public:
  Pass(std::string_view text, const std::vector<Expansion>& expansions, Text kind)
      : text_(text), lower_(LowerAscii(text)), needles_(NeedlesOf(expansions)), kind_(kind) {}

  std::string Run() {
    if (needles_.empty()) return std::string(text_);
    std::string out;
    while (at_ < text_.size()) {
      if (const std::size_t length = AsWritten(); length > 0) {
        out += text_.substr(at_, length);
        at_ += length;
      } else if (const auto hidden = Found()) {
        out += hidden->shown;
        at_ += hidden->length;
      } else {
        if (text_[at_] == '"') quoted_ = !quoted_;
        out += text_[at_++];
        const std::string_view before = text_.substr(0, at_);
        if (before.ends_with(kGot)) got_ = true;
        if (before.ends_with("; ")) got_ = quoted_ && got_;
      }
    }
    return out;
  }

 private:
  struct Hidden {
    std::size_t length = 0;
    std::string_view shown;
  };

  // ${...}, which is fine as it is.
  std::size_t AsWritten() const {
    if (!text_.substr(at_).starts_with("${")) return 0;
    const std::size_t end = text_.find('}', at_);
    return end == std::string_view::npos ? 0 : end + 1 - at_;
  }

  bool InValue() const { return kind_ == Text::kValue || quoted_ || got_; }

  std::optional<Hidden> Found() const {
    for (const Needle& needle : needles_) {
      const std::size_t length = Matches(needle.text);
      if (length > 0) return Hidden{.length = length, .shown = needle.shown};
    }
    return std::nullopt;
  }

  // How many bytes from here on are of the value.
  std::size_t Matches(std::string_view value) const {
    const std::string_view here = std::string_view(lower_).substr(at_);
    const std::size_t same =
        static_cast<std::size_t>(std::ranges::mismatch(here, value).in1 - here.begin());
    if (same == value.size() && Counts(same)) return same;
    if (same >= kShort && here.substr(same).starts_with(kCut) && Counts(same)) return same;
    return PartOf(value, here);
  }

  // Shorter ones are words of sentences, and parts of values that came from elsewhere.
  bool Counts(std::size_t length) const {
    if (length >= kLong) return true;
    if (length < kShort) return IsAllOfAValue(length);
    return InValue() || HasUnit(length);
  }

  bool IsAllOfAValue(std::size_t length) const {
    const std::string_view before = text_.substr(0, at_), after = text_.substr(at_ + length);
    if (kind_ == Text::kValue) return before.empty() && after.empty();
    if (before.ends_with('"')) return quoted_ && after.starts_with('"');
    return before.ends_with(kGot) && (after.empty() || kAfterGot.contains(after.front()));
  }

  // A number to which a message added one.
  bool HasUnit(std::size_t length) const {
    const std::string_view after = std::string_view(lower_).substr(at_ + length);
    const bool unit = !after.empty() && after.front() >= 'a' && after.front() <= 'z';
    const bool begins = at_ == 0 || !IsWordByte(lower_[at_ - 1]);
    return unit && begins && IsNumber(std::string_view(lower_).substr(at_, length));
  }

  // What is in quotes here, if it is words of the value: readers quote the part that they mind.
  std::size_t PartOf(std::string_view value, std::string_view here) const {
    if (!quoted_ || text_[at_ - 1] != '"') return 0;
    const std::string_view part = here.substr(0, here.find('"'));
    if (part.size() < kShort) return 0;
    const std::size_t at = value.find(part);
    return at != std::string_view::npos && StandsAlone(value, at, part.size()) ? part.size() : 0;
  }

  const std::string_view text_;
  const std::string lower_;
  const std::vector<Needle> needles_;
  const Text kind_;
  std::size_t at_ = 0;
  bool quoted_ = false;
  bool got_ = false;
};

}  // namespace

std::string Hide(std::string_view text, const std::vector<Expansion>& expansions, Text kind) {
  return Pass(text, expansions, kind).Run();
}

}  // namespace switchyard::config
