// Small sentences over Boost.JSON for tests: nothing throws, what is absent reads as null or "".
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

namespace switchyard::tests {

namespace json = boost::json;

// null when it is not JSON.
inline json::value Parse(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return error ? json::value() : value;
}

// What a JSON pointer such as "/result/content/0/text" leads to.
inline json::value At(const json::value& value, std::string_view pointer) {
  boost::system::error_code error;
  const json::value* found = value.find_pointer(pointer, error);
  return found == nullptr ? json::value() : *found;
}

inline std::string TextAt(const json::value& value, std::string_view pointer) {
  const json::value found = At(value, pointer);
  return found.is_string() ? std::string(found.as_string()) : std::string();
}

inline std::string Quote(std::string_view text) { return json::serialize(json::string(text)); }

// The `member` of every object of an array.
inline std::vector<std::string> Each(const json::value& array, std::string_view member) {
  std::vector<std::string> texts;
  if (!array.is_array()) return texts;
  const std::string pointer = "/" + std::string(member);
  for (const json::value& item : array.as_array()) texts.push_back(TextAt(item, pointer));
  return texts;
}

template <class Range, class Value>
bool Contains(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

}  // namespace switchyard::tests
