#include "core/principal_view.h"

#include <utility>

#include <boost/json/array.hpp>

namespace switchyard {
namespace {

boost::json::array ListOf(const std::vector<std::string>& words) {
  return boost::json::array(words.begin(), words.end());
}

}  // namespace

boost::json::object ViewOf(const Principal& caller) {
  boost::json::object claims;
  for (const auto& [name, values] : caller.claims) claims[name] = ListOf(values);
  return {{"issuer", caller.issuer},
          {"subject", caller.subject},
          {"client", caller.client},
          {"scopes", ListOf(caller.scopes)},
          {"roles", ListOf(caller.roles)},
          {"groups", ListOf(caller.groups)},
          {"capabilities", ListOf(caller.capabilities)},
          {"claims", std::move(claims)}};
}

}  // namespace switchyard
