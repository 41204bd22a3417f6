// What may stand in a value, as pure questions. Answers that are problems are worded to follow the
// key path and never hold the value itself when it may be secret.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "config/secret.h"

namespace switchyard::config {

// Of servers, endpoints and prefixes: they become part of tool names and URLs.
inline constexpr std::size_t kMaxName = 32;
inline constexpr const char* kNameRule = "1 to 32 of the characters A-Z a-z 0-9 _ -";

bool IsName(std::string_view text);
bool IsVariableName(std::string_view text);  // of an environment variable

// A pattern over tool names.
inline constexpr const char* kToolGlobRule =
    "must be a tool name or a pattern with * and ?, without spaces";
bool IsToolGlob(std::string_view text);

struct Address {
  std::string host;
  std::uint16_t port = 0;
};
// `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`.
std::expected<Address, std::string> ParseAddress(const Secret& text);

std::optional<std::string> UrlProblem(const Secret& url);
// http to another machine: what is sent can be read on the way.
bool IsCleartextToElsewhere(const Secret& url);
// What stands for an issuer in the path of its page (credentials/login.h): its name without the
// scheme and a slash at its end.
std::string_view PageOf(std::string_view issuer);
std::optional<std::string> OriginProblem(const Secret& origin);

// Names that the gateway sets itself or that frame a message are refused.
std::optional<std::string> HeaderNameProblem(std::string_view name);
bool IsHeaderValue(std::string_view value);

}  // namespace switchyard::config
