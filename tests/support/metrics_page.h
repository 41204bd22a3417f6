// What a gateway says at /metrics.
#pragma once

#include <string>

#include "support/gateway_fixture.h"

namespace switchyard::tests {

// Whether the page has this line, now or soon: another thread may be about to count it.
inline bool Shows(const Gateway& gateway, const std::string& line) {
  const std::string host = "Host: 127.0.0.1:" + std::to_string(gateway.port());
  for (int i = 0; i < 500; ++i) {
    const Answer page = gateway.Modern().Raw("GET /metrics HTTP/1.1\r\n" + host + "\r\n\r\n");
    if (page.Contains(line + "\n")) return true;
  }
  return false;
}

}  // namespace switchyard::tests
