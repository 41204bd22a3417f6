// For unordered containers of std::string that are asked with a std::string_view.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace switchyard {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

}  // namespace switchyard
