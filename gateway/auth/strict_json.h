// JSON of others on which a decision rests, so that no two readers can understand it in two ways: a
// member that stands twice at any depth (also where an escape hides it), half a surrogate pair, bad
// UTF-8 and anything behind the object are refused. Pure; safe from any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

namespace switchyard::auth {

inline constexpr std::size_t kMaxDepth = 16;

// The error says what is wrong in a few words: "a member stands there twice". The caller has
// bounded the size.
std::expected<boost::json::object, std::string> ReadObject(const std::string& text);

// A string member; null when it is absent or no string.
const boost::json::string* StringIn(const boost::json::object& object, std::string_view key);

}  // namespace switchyard::auth
