// What the readers of an authorization server's answers share. Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include "auth/strict_json.h"
#include "base/result.h"

namespace switchyard::credentials::oauth {

// Why an answer is not taken; it is the server's fault.
inline std::unexpected<Error> BadAnswer(std::string why) {
  return Failure(Code::kProtocol, Origin::kServer, std::move(why));
}

// "" = it is not there, or no string.
inline std::string TextIn(const boost::json::object& object, std::string_view key) {
  const boost::json::string* text = auth::StringIn(object, key);
  return text == nullptr ? std::string() : std::string(*text);
}

}  // namespace switchyard::credentials::oauth
