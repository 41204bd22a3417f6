#include "policies/lib/guardrail_finder.h"

#include <algorithm>
#include <optional>
#include <re2/re2.h>
#include <re2/set.h>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "policies/lib/guardrail_matchers.h"
#include "policies/lib/guardrail_values.h"

namespace switchyard::policies::guardrail {
namespace {

constexpr std::size_t kMaxPattern = 1024;
constexpr std::int64_t kMaxMemory = 1 << 20;     // of one pattern
constexpr std::int64_t kMaxSetMemory = 8 << 20;  // of all of them

using enum Detector;
using enum Rest;
constexpr Shape kShapes[] = {
#define SHAPE(detector, begin, set, least, most, rest) {detector, begin, set, least, most, rest},
#include "policies/lib/guardrail_shapes.def"
#undef SHAPE
};

constexpr std::size_t PairOf(char first, char second) {
  return (static_cast<std::size_t>(static_cast<unsigned char>(first)) << 8) |
         static_cast<unsigned char>(second);
}

re2::StringPiece PieceOf(std::string_view text) { return {text.data(), text.size()}; }

re2::RE2::Options OptionsWith(std::int64_t memory) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(memory);
  return options;
}

bool IsOwnKeyAt(std::string_view text, std::size_t at, bool (*is_own_key)(std::string_view),
                Range& range) {
  if (is_own_key == nullptr || !BeginsAt(text, at)) return false;
  const std::size_t end = RunEnd(text, at, kWordByte, 128);
  range = {at, end};
  return is_own_key(text.substr(at, end - at));
}

using Shapes = std::array<std::vector<const Shape*>, 256>;

// What the pass over one text has found and knows.
class Pass {
 public:
  Pass(std::string_view text, const Wanted& wanted, const Shapes& shapes)
      : text_(text), wanted_(wanted), shapes_(shapes) {}

  // Something may begin at `at`. Where to go on.
  std::size_t Look(std::size_t at) {
    const char c = text_[at];
    if (Is(c, kDigit)) return Try(kCard, MatchCard(text_, at), at);
    switch (c) {
      case '-': return Wants(kPrivateKey) ? Try(kPrivateKey, pem_(text_, at), at) : at + 1;
      case '@': return Try(kEmail, MatchEmail(text_, at), at);
      case '=': Guess(kAssignment, &MatchAssignment, at); return at + 1;
      case ':':
        Guess(kConnectionString, &MatchConnection, at);
        Guess(kAssignment, &MatchAssignment, at);
        return at + 1;
      default: return LookAtWord(at);
    }
  }

  std::vector<Finding> Take() && { return std::move(found_); }

 private:
  bool Wants(Detector detector) const {
    return wanted_.detectors[static_cast<std::size_t>(detector)];
  }

  std::size_t Try(Detector detector, const Match& match, std::size_t at) {
    if (!match || !Wants(detector)) return at + 1;
    found_.push_back({match->begin, match->end, IdOf(detector)});
    return std::max(at + 1, match->end);
  }
  // What is found there may be found to be something better known, too.
  void Guess(Detector detector, Match (*match)(std::string_view, std::size_t), std::size_t at) {
    if (Wants(detector)) Try(detector, match(text_, at), at);
  }

  std::size_t LookAtWord(std::size_t at) {
    if (!BeginsAt(text_, at)) return at + 1;
    for (const Shape* shape : shapes_[static_cast<unsigned char>(text_[at])]) {
      if (const Match match = MatchShape(text_, at, *shape)) return Try(shape->detector, match, at);
    }
    switch (text_[at]) {
      case 'e':
        if (const Match jwt = MatchJwt(text_, at)) return Try(kJwt, jwt, at);
        break;
      case 's': {
        Range range;
        const bool own = Wants(kSwitchyardKey) && text_.substr(at).starts_with("swy_") &&
                         IsOwnKeyAt(text_, at, wanted_.is_own_key, range);
        if (own) return Try(kSwitchyardKey, range, at);
        break;
      }
      case 'b':
      case 'B': Guess(kAuthHeader, &MatchAuthHeader, at); break;
      case 'a':
      case 'A':
        if (const Match key = MatchAzure(text_, at)) return Try(kAzureKey, key, at);
        break;
      default: break;
    }
    if (Wants(kIban) && Is(text_[at], kUpper)) return Try(kIban, MatchIban(text_, at), at);
    return at + 1;
  }

  const std::string_view text_;
  const Wanted& wanted_;
  const Shapes& shapes_;
  PemMatcher pem_;
  std::vector<Finding> found_;
};

}  // namespace

std::expected<Pattern, std::string> CompilePattern(std::string name, std::string text) {
  if (text.size() > kMaxPattern) {
    return std::unexpected(fmt::format("has more than {} bytes", kMaxPattern));
  }
  auto regex = std::make_shared<const re2::RE2>(text, OptionsWith(kMaxMemory));
  if (!regex->ok()) {
    return std::unexpected("is no regular expression of RE2: " + regex->error());
  }
  if (re2::RE2::FullMatch("", *regex)) return std::unexpected("fits the empty text, so everything");
  return Pattern{.name = std::move(name), .text = std::move(text), .regex = std::move(regex)};
}

// All patterns in one automaton, which says which of them are worth a look.
class Finder::Patterns {
 public:
  explicit Patterns(const Wanted& wanted)
      : wanted_(wanted), set_(OptionsWith(kMaxSetMemory), re2::RE2::UNANCHORED) {
    for (std::size_t i = 0; i < wanted.patterns.size(); ++i) {
      if (wanted.patterns[i] == nullptr) continue;
      if (set_.Add(PieceOf(wanted.patterns[i]->text), nullptr) >= 0) ids_.push_back(i);
    }
    together_ = set_.Compile();
  }

  void Find(std::string_view text, std::vector<Finding>& found) const {
    std::vector<int> which;
    re2::RE2::Set::ErrorInfo problem{};
    if (together_ && !set_.Match(PieceOf(text), &which, &problem)) {
      if (problem.kind == re2::RE2::Set::kNoError) return;
      which.clear();
    }
    if (!which.empty()) {
      for (const int i : which) FindEach(text, ids_[static_cast<std::size_t>(i)], found);
      return;
    }
    for (const std::size_t id : ids_) FindEach(text, id, found);  // it took too much memory
  }

 private:
  // Within a window that moves on, so that no search reads far for a match that is near.
  void FindEach(std::string_view text, std::size_t id, std::vector<Finding>& found) const {
    const re2::RE2& regex = *wanted_.patterns[id]->regex;
    const auto detector = static_cast<DetectorId>(kBuiltIn + id);
    std::size_t at = 0;
    for (std::size_t count = 0; at < text.size();) {
      if (count == kMostMatches) {
        found.push_back({at, text.size(), detector});
        return;
      }
      const std::size_t last = std::min(text.size(), at + 2 * kLongestMatch);
      re2::StringPiece match;
      if (!regex.Match(PieceOf(text), at, last, re2::RE2::UNANCHORED, &match, 1)) {
        at = last == text.size() ? last : last - kLongestMatch;
        continue;
      }
      const auto begin = static_cast<std::size_t>(match.data() - text.data());
      const std::size_t end = begin + match.size();
      if (match.empty()) {  // between two bytes, as \b is
        at = begin + 1;
        continue;
      }
      ++count;
      found.push_back({begin, end, detector});
      at = end;
    }
  }

  const Wanted& wanted_;
  re2::RE2::Set set_;
  std::vector<std::size_t> ids_;
  bool together_ = false;
};

Finder::Finder(Wanted wanted)
    : wanted_(std::move(wanted)),
      patterns_(
          std::ranges::any_of(wanted_.patterns, [](const auto& one) { return one != nullptr; })
              ? std::make_unique<const Patterns>(wanted_)
              : nullptr) {
  const auto wants = [this](Detector detector) {
    return wanted_.detectors[static_cast<std::size_t>(detector)];
  };
  const auto any_after = [this](char first) {
    for (int second = 0; second < 256; ++second) {
      begins_.set(PairOf(first, static_cast<char>(second)));
    }
  };
  for (const Shape& shape : kShapes) {
    if (!wants(shape.detector)) continue;
    begins_.set(PairOf(shape.begin[0], shape.begin[1]));
    shapes_[static_cast<unsigned char>(shape.begin[0])].push_back(&shape);
  }
  if (wants(kPrivateKey)) begins_.set(PairOf('-', '-'));
  if (wants(kSwitchyardKey)) begins_.set(PairOf('s', 'w'));
  if (wants(kJwt)) begins_.set(PairOf('e', 'y'));
  if (wants(kConnectionString)) begins_.set(PairOf(':', '/'));
  if (wants(kAuthHeader)) {
    for (const char* pair : {"Be", "be", "BE", "Ba", "ba", "BA"}) {
      begins_.set(PairOf(pair[0], pair[1]));
    }
  }
  if (wants(kAzureKey)) {
    for (const char* pair : {"Ac", "ac", "AC"}) begins_.set(PairOf(pair[0], pair[1]));
  }
  if (wants(kAssignment)) {
    any_after('=');
    any_after(':');
  }
  if (wants(kEmail)) any_after('@');
  if (wants(kCard)) {
    for (char first = '2'; first <= '6'; ++first) {
      for (char second = '0'; second <= '9'; ++second) begins_.set(PairOf(first, second));
    }
  }
  if (wants(kIban)) {
    for (char first = 'A'; first <= 'Z'; ++first) {
      for (char second = 'A'; second <= 'Z'; ++second) begins_.set(PairOf(first, second));
    }
  }
}

Finder::~Finder() = default;

std::vector<Finding> Finder::Find(std::string_view text) const {
  Pass pass(text, wanted_, shapes_);
  const std::size_t last = text.empty() ? 0 : text.size() - 1;  // nothing is one byte long
  for (std::size_t at = 0; at < last;) {
    at = begins_[PairOf(text[at], text[at + 1])] ? pass.Look(at) : at + 1;
  }
  std::vector<Finding> found = std::move(pass).Take();
  if (patterns_ != nullptr) patterns_->Find(text, found);
  std::ranges::sort(
      found, {}, [](const Finding& one) { return std::tuple(one.begin, one.detector, one.end); });
  return found;
}

bool Finder::IsSecretField(std::string_view name, std::string_view value) const {
  return wanted_.detectors[IdOf(kSecretField)] && IsSecretName(name) && LooksSecret(value);
}

}  // namespace switchyard::policies::guardrail
