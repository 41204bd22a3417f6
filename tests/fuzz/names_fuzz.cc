// Names and URIs on their way out and back. Lines: a server or prefix, a URI or name, another URI,
// a URI template.
// - a rewritten URI leads back to server and original; what reads as one is one;
// - an exposed name is valid exactly when its parts are and it is not too long;
// - to be a part of is an order;
// - a template matches its expansions, also rewritten, and text without variables only itself.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "catalog/names.h"
#include "catalog/uri_template.h"
#include "fuzz/require.h"
#include "mcp/uri.h"

namespace {

using namespace switchyard;
using fuzz::Require;

constexpr std::size_t kLongestUri = 8192;

void CheckRewriting(const std::string& server, const std::string& uri) {
  if (!server.empty()) {
    const std::string rewritten = catalog::RewriteUri(server, uri);
    const auto back = catalog::ParseRewrittenUri(rewritten);
    Require(back && back->server == server && back->original == uri, "a rewritten URI leads back");
    Require(catalog::HasOwnScheme(rewritten) && !catalog::IsFetchableUri(rewritten), "our scheme");
  }
  if (const auto read = catalog::ParseRewrittenUri(uri)) {
    const std::string again = catalog::RewriteUri(read->server, read->original);
    const auto back = catalog::ParseRewrittenUri(again);
    Require(back && back->server == read->server && back->original == read->original,
            "what reads as a rewritten URI is one");
  }
}

void CheckNames(const std::string& prefix, const std::string& name) {
  const std::string exposed = catalog::ExposedName(prefix, name);
  const bool valid = (prefix.empty() || catalog::IsValidName(prefix)) &&
                     (name.empty() ? !prefix.empty() : catalog::IsValidName(name)) &&
                     exposed.size() <= 128;
  Require(catalog::IsValidName(exposed) == valid, "valid when its parts are");
  Require(exposed.ends_with(name), "the name is the end of it");
}

void CheckParts(const std::string& a, const std::string& b, const std::string& c) {
  using mcp::IsPartOf;
  Require(IsPartOf(a, a) == !a.empty(), "a URI is a part of itself");
  if (IsPartOf(a, b) && IsPartOf(b, c)) Require(IsPartOf(a, c), "a part of a part is a part");
  if (IsPartOf(a, b) && IsPartOf(b, a)) Require(a == b, "two are no parts of each other");
  if (!a.empty()) Require(IsPartOf(a + "/x", a) && IsPartOf(a + "#x", a), "what stands below");
}

// Each variable as `value`; nullopt where the braces do not pair.
std::optional<std::string> Expand(const std::string& text, const std::string& value) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '}') return std::nullopt;
    if (text[i] != '{') {
      out += text[i];
      continue;
    }
    const std::size_t close = text.find('}', i);
    if (close == std::string::npos) return std::nullopt;
    out += value;
    i = close;
  }
  return out;
}

void CheckTemplate(const std::string& server, const std::string& text, const std::string& uri) {
  const auto parsed = catalog::UriTemplate::Parse(text);
  if (!parsed) return;
  for (const char* value : {"", "x", "a-b%20c"}) {
    const auto expanded = Expand(text, value);
    Require(expanded.has_value(), "a template's braces pair");
    Require(parsed->Matches(*expanded) == (expanded->size() <= kLongestUri),
            "a template matches its expansions");
    const std::string rewritten = catalog::RewriteUri(server, *expanded);
    const auto outside = catalog::UriTemplate::Parse(catalog::RewriteUri(server, text));
    if (outside && rewritten.size() <= kLongestUri) {
      Require(outside->Matches(rewritten), "also rewritten");
    }
  }
  if (text.find('{') == std::string::npos) {
    Require(parsed->Matches(uri) == (uri == text && uri.size() <= kLongestUri),
            "text without variables matches itself alone");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(data, size);
  const std::string server = lines.Next(), uri = lines.Next(), other = lines.Next();
  const std::string text = lines.Rest();
  CheckRewriting(server, uri);
  CheckNames(server, uri);
  CheckParts(uri, other, server);
  CheckParts(other, uri, text);
  CheckTemplate(server, text, uri);
  return 0;
}
