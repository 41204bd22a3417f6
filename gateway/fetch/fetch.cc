#include "fetch/fetch.h"

#include <algorithm>

#include "base/http/fields.h"

namespace switchyard::fetch {

std::string_view Response::Find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      headers, [name](const Header& header) { return http::EqualsIgnoreCase(header.name, name); });
  return found == headers.end() ? std::string_view() : std::string_view(found->value);
}

}  // namespace switchyard::fetch
