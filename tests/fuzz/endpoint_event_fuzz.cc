// The address that a server of 2024-11-05 names for messages, and where an HTTP redirect leads:
// both come from a server, and what is sent there carries credentials. Lines: the URL that was
// configured, the address.
// - an address of the same origin has exactly the configured scheme, host and port;
// - it goes into a request line as one word: no space, no line break;
// - written out and read again it is the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/http/url.h"
#include "fuzz/require.h"

namespace {

using switchyard::fuzz::Require;
using switchyard::http::Url;

bool IsOneWord(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

void CheckUrl(const Url& url) {
  Require(!url.host.empty() && !url.port.empty() && url.target.starts_with('/'), "it is whole");
  Require(IsOneWord(url.target) && IsOneWord(url.authority) && IsOneWord(url.port), "one word");
  Require(url.target.find('#') == std::string::npos, "a fragment is not sent");
  const std::optional<Url> again = Url::Parse(url.origin() + url.target);
  Require(again && again->SameOrigin(url) && again->target == url.target, "it reads the same");
}

void Check(const std::string& configured, const std::string& address) {
  const std::optional<Url> here = Url::Parse(configured);
  if (!here) return;
  CheckUrl(*here);
  const std::optional<Url> there = here->Resolve(address);
  if (!there) return;
  CheckUrl(*there);
  if (there->SameOrigin(*here)) Require(there->origin() == here->origin(), "the same origin");
  // What names another place in full is that place.
  const std::optional<Url> absolute = Url::Parse(address);
  if (absolute) Require(there->SameOrigin(*absolute), "an absolute address is what it says");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  switchyard::fuzz::Lines lines(data, size);
  const std::string configured = lines.Next(), address = lines.Rest();
  Check(configured, address);
  Check("http://127.0.0.1:8080/sse?key=1", address);
  Check("https://[::1]/a/b", address);
  return 0;
}
