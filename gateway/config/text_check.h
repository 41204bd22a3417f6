// Bytes and words of a configuration text, before and beside YAML.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "config/problem.h"

namespace switchyard::config {

struct BadByte {
  Mark at;
  std::string message;
};

// The first control character or the first bytes that are not UTF-8. The YAML library takes 0x04
// for the end of its input, so such a byte would silently cut the file.
std::optional<BadByte> FindBadByte(std::string_view text);

// Fit for a terminal and a log line: control characters as \xNN, cut after `longest` bytes.
std::string Printable(std::string_view text, std::size_t longest = 60);

// Printable in double quotes.
std::string Quote(std::string_view text);

}  // namespace switchyard::config
