// An answer over plain HTTP, for what is not MCP. The worker turns it into the edge's own.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace switchyard::admin {

struct Page {
  int status = 200;
  std::string content_type = {};
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  // besides
};

}  // namespace switchyard::admin
