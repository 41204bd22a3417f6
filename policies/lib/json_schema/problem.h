// What is wrong with a value: where, what was expected, and what came. A value.
#pragma once

#include <string>

namespace switchyard::json_schema {

struct Problem {
  std::string pointer;   // a JSON pointer into the value, "" = the whole
  std::string expected;  // "an integer"
  std::string got;       // "the string "ten"": holds what the caller sent
  std::string keyword;   // where the schema says so, a JSON pointer into it: holds nothing of it

  // `/limit: expected an integer, got the string "ten"`; the whole value is called `whole`.
  std::string ToSentence(const std::string& whole) const;
};

}  // namespace switchyard::json_schema
