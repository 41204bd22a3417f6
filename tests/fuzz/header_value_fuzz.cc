// Values of Mcp-Name and Mcp-Param-*. Lines: a header's value as it came, raw JSON of an argument.
// - any text comes back from its encoding, which HTTP can carry;
// - what was decoded is text, and means the same when it is encoded anew;
// - the header for an argument matches that argument.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "fuzz/require.h"
#include "mcp/header_value.h"
#include "mcp/json_string.h"

namespace {

using namespace switchyard;
using fuzz::Require;

bool IsCarried(const std::string& value) {
  return std::ranges::all_of(value, [](char c) { return c >= 0x20 && c <= 0x7E; }) &&
         !value.starts_with(' ') && !value.ends_with(' ');
}

void CheckText(const std::string& text) {
  const std::string encoded = mcp::EncodeHeaderValue(text);
  Require(IsCarried(encoded), "HTTP can carry it");
  if (!mcp::IsUtf8(text)) return;
  Require(mcp::DecodeHeaderValue(encoded) == text, "any text comes back");
  Require(mcp::DecodeHeaderValue(" \t" + encoded + "\t ") == text, "whitespace is no part of it");
  const std::string raw = mcp::Quote(text);
  Require(mcp::HeaderValueFor(raw) == encoded && mcp::HeaderMatches(encoded, raw),
          "a text's header is its encoding");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(data, size);
  const std::string value = lines.Next(), raw = lines.Rest();
  CheckText(value);
  CheckText(raw);
  if (const std::optional<std::string> text = mcp::DecodeHeaderValue(value)) {
    Require(mcp::IsUtf8(*text), "what was decoded is text");
    Require(mcp::DecodeHeaderValue(mcp::EncodeHeaderValue(*text)) == *text, "and means the same");
  }
  if (!mcp::IsUtf8(raw)) return 0;  // no message has such a member
  if (const std::optional<std::string> header = mcp::HeaderValueFor(raw)) {
    Require(IsCarried(*header), "HTTP can carry an argument's header");
    Require(mcp::HeaderMatches(*header, raw), "an argument's header matches it");
  }
  static_cast<void>(mcp::HeaderMatches(value, raw));
  return 0;
}
