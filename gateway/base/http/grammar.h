// The words of HTTP/1.1: what a name, a value and a start line may consist of, and nothing more
// lenient (RFC 9110 section 5, RFC 9112 sections 2 to 5). Pure; the views returned are parts of
// those given.
#pragma once

#include <optional>
#include <string_view>

#include "base/http/fields.h"

namespace switchyard::http {

// One or more of the characters that names and methods are made of (RFC 9110 5.6.2).
bool IsToken(std::string_view text);
// No control characters but TAB; bytes above 127 pass (RFC 9110 5.5).
bool IsFieldValue(std::string_view text);
// Without the blanks and TABs around it.
std::string_view TrimBlanks(std::string_view text);
// Tokens between commas, of which there may be too many, and blanks (RFC 9110 5.6.1).
bool IsTokenList(std::string_view text);
// Whether a comma-separated list of tokens has this one, in any case.
bool ListHas(std::string_view list, std::string_view token);
// Of a chunk: *( ";" name [ "=" ( token / quoted string ) ] ), RFC 9112 7.1.1.
bool AreChunkExtensions(std::string_view text);

struct RequestLine {
  std::string_view method, target;
  int version = 11;  // 10 or 11
};
struct StatusLine {
  std::string_view reason;
  int status = 0;  // 100 to 999
  int version = 11;
};
struct FieldLine {
  std::string_view name, value;
  std::optional<Field> known;
};

// Of a line without its end that IsFieldValue(); nullopt when it is not one.
std::optional<RequestLine> ParseRequestLine(std::string_view line);
std::optional<StatusLine> ParseStatusLine(std::string_view line);
std::optional<FieldLine> ParseFieldLine(std::string_view line);

}  // namespace switchyard::http
