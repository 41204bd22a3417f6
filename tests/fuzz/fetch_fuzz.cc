// What a stranger may say about where to fetch something, of whatever bytes: URLs, redirects,
// places, documents of issuers.
// - a URL that passes the guard goes by https, or where nothing public is;
// - what it resolves to passes only if it is public or named;
// - a document speaks for its own issuer alone.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "auth/discovery.h"
#include "fetch/guard.h"
#include "fuzz/require.h"
#include "mcp/json_string.h"

namespace {

using namespace switchyard;
using fuzz::Require;

boost::asio::ip::address AddressOf(const std::string& bytes) {
  if (bytes.size() < 8) return boost::asio::ip::make_address_v4(0x7f000001);
  boost::asio::ip::address_v6::bytes_type v6{};
  for (std::size_t i = 0; i < v6.size(); ++i) {
    v6[i] = static_cast<unsigned char>(bytes[i % bytes.size()]);
  }
  return boost::asio::ip::make_address_v6(v6);
}

void CheckUrl(const std::string& text) {
  const fetch::Guard guard;
  const Result<http::Url> url = guard.CheckUrl(text);
  if (!url) return;
  Require(!url->host.empty() && url->target.starts_with('/'), "it says where to and what for");
  for (const std::string* part : {&url->host, &url->port, &url->authority, &url->target}) {
    Require(part->find_first_of(" \r\n\t\0", 0, 5) == std::string::npos, "it ends no line");
  }
  Require(!url->authority.contains('@'), "no user info");
  for (const auto& address : {AddressOf(text), AddressOf(url->host)}) {
    const auto passed = guard.CheckAddresses(*url, {{address, 0}});
    if (!passed) continue;
    Require(url->tls && KindOf(address) == AddressKind::kPublic, "public and by https");
  }
  if (const auto to = url->Resolve(text.substr(text.size() / 2))) {
    const auto follow = fetch::FollowOf(*url, *to, true, 307);
    Require(follow == fetch::Follow::kNo || url->SameOrigin(*to), "a POST stays at home");
  }
}

void CheckDocument(const std::string& text) {
  const std::string issuer = "https://issuer.example/team";
  const Result<std::string> keys = auth::KeysUrlIn(text, issuer);
  if (keys) {
    Require(text.contains("issuer"), "it names its issuer");
  } else {
    Require(mcp::IsUtf8(keys.error().message), "a refusal is text");
  }
  for (const std::string& url : auth::MetadataUrls(text)) {
    Require(http::Url::Parse(url).has_value(), "it is found at a URL");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  CheckUrl(text);
  CheckDocument(text);
  if (const auto place = http::Place::Parse(text)) {
    Require(!place->FitsName("", 0), "nothing fits no name");
  }
  return 0;
}
