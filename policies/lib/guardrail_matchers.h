// The detectors of guardrail, one by one: whether something begins at a byte of a text. Each reads
// a bounded piece of the text around it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "policies/lib/guardrail_chars.h"
#include "policies/lib/guardrail_detectors.h"

namespace switchyard::policies::guardrail {

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};
using Match = std::optional<Range>;

// What must hold of the rest of a Shape.
enum class Rest : std::uint8_t { kAny, kDigitIn };

struct Shape {
  Detector detector;
  std::string_view begin;
  std::uint16_t set;
  std::size_t least, most;
  Rest rest;
};
Match MatchShape(std::string_view text, std::size_t at, const Shape& shape);

// PEM and its kin. Remembers the next end, so that many beginnings without one cost a search
// together: of one text, asked in ascending order.
class PemMatcher {
 public:
  Match operator()(std::string_view text, std::size_t at);

 private:
  std::size_t NextEnd(std::string_view text, std::size_t at);

  std::size_t next_end_ = 0;
  bool searched_ = false;
};

Match MatchJwt(std::string_view text, std::size_t at);
// At the colon of `://`: the password.
Match MatchConnection(std::string_view text, std::size_t at);
// At the B of Bearer or Basic: the credentials.
Match MatchAuthHeader(std::string_view text, std::size_t at);
// At a colon or an equals sign: the value.
Match MatchAssignment(std::string_view text, std::size_t at);
// At `AccountKey=`: the key.
Match MatchAzure(std::string_view text, std::size_t at);
// At a digit.
Match MatchCard(std::string_view text, std::size_t at);
// At the country.
Match MatchIban(std::string_view text, std::size_t at);
// At the @.
Match MatchEmail(std::string_view text, std::size_t at);

}  // namespace switchyard::policies::guardrail
