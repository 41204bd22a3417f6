#include <chrono>
#include <string>
#include <utility>

#include "base/http/place.h"
#include "config/read.h"
#include "config/text_check.h"

namespace switchyard::config {

Fetch ReadFetch(Section& root) {
  using namespace std::chrono_literals;
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  Fetch fetch;
  auto section = root.Child("fetch");
  if (!section) return fetch;
  if (auto allow = section->Strings("allow")) fetch.allow = std::move(*allow);
  for (const std::string& text : fetch.allow) {
    if (http::Place::Parse(text)) continue;
    section->Error("allow", "has " + Quote(text) +
                                ", expected a host name, *.name, an address or a block such as "
                                "10.0.0.0/8; behind a name or an address may stand :port");
  }
  if (const auto time = section->Duration("timeout", 100ms, 2min)) fetch.timeout = *time;
  if (const auto bytes = section->Bytes("max_bytes", 1024, 64 * kMiB)) fetch.max_bytes = *bytes;
  if (auto file = section->String("tls_ca")) fetch.tls_ca = std::move(*file);
  return fetch;
}

}  // namespace switchyard::config
