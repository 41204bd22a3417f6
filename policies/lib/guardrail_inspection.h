// Looks through one message for what the rules of a direction name, and writes it anew without what
// is to be redacted. JSON is read token by token: each string is looked at by itself, as the text
// that it stands for, and nothing but strings is written anew (and whole numbers that are cards,
// which become strings), so what was JSON stays JSON of the same shape.
//
// One Inspection is of one message: numbers of what was redacted are its own. Borrows its rules.
// Not thread-safe; pure. To look at what it wrote changes nothing more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policies/lib/guardrail_rules.h"

namespace switchyard::policies::guardrail {

// What kind of a JSON object it is: what in it is somebody's text and what is the protocol's.
enum class Region : std::uint8_t {
  kParams,  // of a client's request: its arguments, what it answers, its URI
  kResult,  // without binary data, states and ids, which nobody reads
  kNotice,  // params of a server's notification
  kError,   // an error object
};

// One thing that was found, and how often.
struct Note {
  DetectorId detector = 0;
  Action action = Action::kOff;
  std::size_t count = 0;
  std::string at = {};  // JSON pointer of the first
};

class Inspection {
 public:
  explicit Inspection(const Rules& rules) : rules_(rules) {}

  struct Outcome {
    bool broken = false;  // no JSON: nothing is known of it
    std::optional<std::string> anew = {};
  };
  // `json` is followed by a readable byte.
  Outcome Json(std::string_view json, Region region);
  // A text by itself. nullopt: there is nothing to redact.
  std::optional<std::string> Text(std::string_view text);

  // By detector and action, in the order in which they were first found.
  const std::vector<Note>& notes() const { return notes_; }
  bool denied() const { return denied_; }

 private:
  friend class Walk;

  // Of a member's value and its name ("" = none).
  struct Place {
    std::string_view member = {};
    std::function<std::string()> pointer = nullptr;
    bool fixed = false;  // what may not be rewritten is denied instead
    bool numbered = false;
  };
  std::optional<std::string> Look(std::string_view text, const Place& place);
  std::vector<Finding> FindingsIn(std::string_view text, std::string_view member) const;
  void Count(const Finding& finding, const Place& place);
  std::string Replaced(std::string_view text, std::span<const Finding> redacted, bool numbered);
  std::string TokenFor(DetectorId detector, std::string_view text, bool numbered);

  const Rules& rules_;
  std::vector<Note> notes_;
  bool denied_ = false;
  std::map<std::pair<DetectorId, std::string>, std::size_t, std::less<>> numbers_;
  std::map<DetectorId, std::size_t> last_numbers_;  // given out so far
};

// In words, at most `most` of them: `github_token at /arguments/body and 2 more`. Where `only` is
// set, of that action alone.
std::string Places(const std::vector<Note>& notes, const Rules& rules, Action only,
                   std::size_t most = 5);
// The same as JSON: [{"detector":"jwt","at":"/content/0/text","count":1}].
std::string PlacesAsJson(const std::vector<Note>& notes, const Rules& rules, Action only,
                         std::size_t most = 5);

}  // namespace switchyard::policies::guardrail
