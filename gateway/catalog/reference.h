// `ref` of completion/complete: what the client wants to have completed. Pure, but for the message
// that is edited.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "core/call.h"

namespace switchyard::catalog {

// {"type":"ref/prompt","name":...} or {"type":"ref/resource","uri":...}; of a resource it may be a
// template.
struct Reference {
  bool prompt = false;
  std::string key;
  boost::json::object object;
};

// None of a key that stands twice, or in another case: servers may read another one than is judged
// here.
std::optional<Reference> ParseReference(std::string_view raw);

// In the call that it is of: as the server calls it.
void RenameReference(Call& call, Reference& reference, std::string_view name);

}  // namespace switchyard::catalog
