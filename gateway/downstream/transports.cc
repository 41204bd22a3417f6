#include "downstream/transports.h"

#include <utility>

#include "base/http/fields.h"
#include "config/config.h"
#include "downstream/authorized.h"

namespace switchyard::downstream {

Placement PlacementOf(const config::Server& server) {
#define TRANSPORT(name, condition, placement) \
  if (condition) return Placement::placement;
#include "downstream/transports.def"
#undef TRANSPORT
  return Placement::kEachWorker;
}

namespace {

std::unique_ptr<Transport> Plain(const config::Server& server, const Deps& deps,
                                 const Surroundings& surroundings) {
#define TRANSPORT(name, condition, placement) \
  if (condition) return transports::name::Make(server, deps, surroundings);
#include "downstream/transports.def"
#undef TRANSPORT
  std::unreachable();
}

bool IsSetBy(const config::ServerCredentials& credentials, std::string_view header) {
  const bool user = credentials.kind == config::ServerCredentials::Kind::kPerUser;
  return switchyard::http::EqualsIgnoreCase(header, user ? credentials.header : "Authorization");
}

}  // namespace

std::string OwnLines(const config::Server& server) {
  std::string lines;
  if (!server.credentials) return lines;
  for (const auto& [name, value] : server.headers) {
    if (IsSetBy(*server.credentials, name)) lines += name + ": " + value.Reveal() + "\r\n";
  }
  return lines;
}

std::unique_ptr<Transport> MakeTransport(const config::Server& server, const Deps& deps,
                                         const Surroundings& surroundings,
                                         std::optional<Caller> bound) {
  if (!server.credentials || surroundings.source == nullptr) {
    return Plain(server, deps, surroundings);
  }
  // One header, one value: what the source gives takes the place of the fixed one.
  config::Server rest = server;
  std::erase_if(rest.headers, [&server](const auto& header) {
    return IsSetBy(*server.credentials, header.first);
  });
  return std::make_unique<Authorized>(Plain(rest, deps, surroundings), surroundings.source, deps,
                                      std::move(bound));
}

}  // namespace switchyard::downstream
