// What whoever runs a gateway asks it at /admin.
#pragma once

#include <string>

#include "support/gateway_fixture.h"

namespace switchyard::tests {

// `line`: "GET /admin/approvals". `headers`: more of them, each with its line end.
inline Answer AskAdmin(const Gateway& at, const std::string& line, const std::string& body = "",
                       const std::string& headers = "") {
  return at.Modern().Raw(line + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(at.port()) +
                         "\r\nContent-Type: application/json\r\n" + headers +
                         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

inline constexpr const char* kAdminToken = "an-admin-token-of-tests";
inline const std::string kAsAdmin = std::string("Authorization: Bearer ") + kAdminToken + "\r\n";

}  // namespace switchyard::tests
