#include "policies/lib/guardrail_inspection.h"

#include <algorithm>

#include <fmt/format.h>

#include "mcp/json_string.h"
#include "policies/lib/guardrail_chars.h"

namespace switchyard::policies::guardrail {
namespace {

constexpr std::string_view kTokenBegin = "[redacted:";
constexpr std::string_view kBytes = " bytes";
constexpr int kMostRounds = 4;

// The end of the token of ours that begins at `at`; 0 = none.
std::size_t TokenEnd(std::string_view text, std::size_t at, const Rules& rules) {
  const std::size_t name = at + kTokenBegin.size();
  std::size_t end = RunEnd(text, name, kWordByte | kDash, 64);
  const std::string_view named = text.substr(name, end - name);
  if (std::ranges::find(rules.names, named) == rules.names.end()) return 0;
  if (end < text.size() && text[end] == '#') end = RunEnd(text, end + 1, kDigit, 8);
  if (rules.hides != nullptr && end < text.size() && text[end] == ' ') {
    end = RunEnd(text, end + 1, kDigit, 8);
    if (text.substr(end).starts_with(kBytes)) end += kBytes.size();
  }
  return end < text.size() && text[end] == ']' ? end + 1 : 0;
}

// What of the findings is not within such tokens: those are done with.
std::vector<Finding> OutsideTokens(std::string_view text, std::vector<Finding> found,
                                   const Rules& rules) {
  std::vector<std::pair<std::size_t, std::size_t>> tokens;
  for (std::size_t at = text.find(kTokenBegin); at != std::string_view::npos;) {
    const std::size_t end = TokenEnd(text, at, rules);
    if (end != 0) tokens.emplace_back(at, end);
    at = text.find(kTokenBegin, end == 0 ? at + 1 : end);
  }
  if (tokens.empty()) return found;
  std::vector<Finding> left;
  for (const Finding& one : found) {
    std::size_t begin = one.begin;
    const auto from =
        std::ranges::upper_bound(tokens, begin, {}, [](const auto& t) { return t.second; });
    for (auto it = from; it != tokens.end() && it->first < one.end; ++it) {
      if (it->first > begin) left.push_back({begin, it->first, one.detector});
      begin = it->second;
    }
    if (begin < one.end) left.push_back({begin, one.end, one.detector});
  }
  std::ranges::sort(left, {},
                    [](const Finding& one) { return std::pair(one.begin, one.detector); });
  return left;
}

// Those that overlap become one, by the name of what knows most; so do those of one detector that
// touch.
std::vector<Finding> Merged(std::span<const Finding> found) {
  std::vector<Finding> merged;
  for (const Finding& one : found) {
    Finding* const last = merged.empty() ? nullptr : &merged.back();
    const bool joins =
        last != nullptr &&
        (one.begin < last->end || (one.begin == last->end && one.detector == last->detector));
    if (!joins) {
      merged.push_back(one);
      continue;
    }
    last->end = std::max(last->end, one.end);
    last->detector = std::min(last->detector, one.detector);
  }
  return merged;
}

}  // namespace

std::vector<Finding> Inspection::FindingsIn(std::string_view text, std::string_view member) const {
  std::vector<Finding> found = rules_.finder->Find(text);
  if (!member.empty() && rules_.finder->IsSecretField(member, text)) {
    found.push_back({0, text.size(), IdOf(Detector::kSecretField)});
    std::ranges::sort(found, {},
                      [](const Finding& one) { return std::pair(one.begin, one.detector); });
  }
  if (rules_.hides != nullptr) {
    std::erase_if(found, [&](const Finding& one) {
      return !rules_.hides(one.detector, text.substr(one.begin, one.end - one.begin));
    });
  }
  return found.empty() ? found : OutsideTokens(text, std::move(found), rules_);
}

void Inspection::Count(const Finding& finding, const Place& place) {
  Action action = rules_.actions[finding.detector];
  if (place.fixed && action == Action::kRedact) action = Action::kDeny;
  denied_ = denied_ || action == Action::kDeny;
  const auto same = [&](const Note& note) {
    return note.detector == finding.detector && note.action == action;
  };
  const auto known = std::ranges::find_if(notes_, same);
  if (known != notes_.end()) {
    ++known->count;
    return;
  }
  notes_.push_back({.detector = finding.detector,
                    .action = action,
                    .count = 1,
                    .at = place.pointer ? place.pointer() : std::string()});
}

std::optional<std::string> Inspection::Look(std::string_view text, const Place& place) {
  std::optional<std::string> anew;
  DetectorId last = 0;
  // What is left may read as something else once a part of it is gone.
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<Finding> found = FindingsIn(anew ? *anew : text, place.member);
    std::erase_if(found, [&](const Finding& one) {  // what was counted in the first round
      const Action action = rules_.actions[one.detector];
      return round > 0 && (action == Action::kReport || (action == Action::kDeny && denied_));
    });
    for (const Finding& one : found) Count(one, place);
    std::erase_if(found, [this](const Finding& one) {
      return rules_.actions[one.detector] != Action::kRedact;
    });
    if (found.empty() || place.fixed) return anew;
    last = found.front().detector;
    anew = Replaced(anew ? *anew : text, Merged(found), place.numbered || rules_.numbered);
  }
  if (rules_.hides != nullptr) return anew;
  return TokenFor(last, text, place.numbered || rules_.numbered);
}

std::optional<std::string> Inspection::Text(std::string_view text) { return Look(text, {}); }

std::string Inspection::Replaced(std::string_view text, std::span<const Finding> redacted,
                                 bool numbered) {
  std::string out;
  std::size_t at = 0;
  for (const Finding& one : redacted) {
    out.append(text.substr(at, one.begin - at));
    out.append(TokenFor(one.detector, text.substr(one.begin, one.end - one.begin), numbered));
    at = one.end;
  }
  return out.append(text.substr(at));
}

std::string Inspection::TokenFor(DetectorId detector, std::string_view text, bool numbered) {
  std::string token(kTokenBegin);
  token.append(rules_.names[detector]);
  if (numbered) {
    std::size_t& last = last_numbers_[detector];
    const auto [known, is_new] = numbers_.try_emplace({detector, std::string(text)}, last + 1);
    if (is_new) ++last;
    token.append("#").append(std::to_string(known->second));
  }
  if (rules_.hides != nullptr) token.append(fmt::format(" {}{}", text.size(), kBytes));
  return token.append("]");
}

// ---- words --------------------------------------------------------------------------------------

std::string Places(const std::vector<Note>& notes, const Rules& rules, Action only,
                   std::size_t most) {
  std::string words;
  std::size_t said = 0, more = 0;
  for (const Note& note : notes) {
    if (note.action != only) continue;
    if (said == most) {
      ++more;
      continue;
    }
    words.append(said++ == 0 ? "" : ", ").append(rules.names[note.detector]);
    if (!note.at.empty()) words.append(" at ").append(note.at);
    if (note.count > 1) words.append(fmt::format(" and {} more", note.count - 1));
  }
  if (more > 0) words.append(fmt::format(" and {} other kinds", more));
  return words;
}

std::string PlacesAsJson(const std::vector<Note>& notes, const Rules& rules, Action only,
                         std::size_t most) {
  std::string json = "[";
  std::size_t said = 0;
  for (const Note& note : notes) {
    if (note.action != only || said == most) continue;
    json.append(said++ == 0 ? "" : ",");
    json.append(fmt::format(R"({{"detector":{},"at":{},"count":{}}})",
                            mcp::Quote(rules.names[note.detector]), mcp::Quote(note.at),
                            note.count));
  }
  return json.append("]");
}

}  // namespace switchyard::policies::guardrail
