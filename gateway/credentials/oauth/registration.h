// How the gateway becomes a client of an authorization server that does not know it yet: by a
// document that it serves itself (Client ID Metadata Documents), or by registering (RFC 7591).
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "credentials/oauth/client.h"
#include "credentials/oauth/metadata.h"

namespace switchyard::credentials::oauth {

// What the gateway says of itself.
struct Self {
  std::string name = "Switchyard";
  std::string redirect_uri = {};
  std::string document_url =
      {};  // where its client document is; "" = nowhere that others could read
  // Where those come back to who know it by the document: anybody may name that, so it is not where
  // answers to a client that was registered are taken.
  std::string document_redirect_uri = {};
};

// In the order of the MCP specification: the document if both sides can, else registration.
enum class Way : std::uint8_t { kDocument, kRegister, kNone };
Way WayOf(const ServerMetadata& server, const Self& self);

// The document at `document_url`, JSON.
std::string ClientDocument(const Self& self);
// The body of a registration, JSON. A hosted gateway is an application of the web.
std::string RegistrationRequest(const Self& self, const ServerMetadata& server);
// RFC 7591 section 3.2.
Result<Client> ReadRegistration(int status, const std::string& body);

// As text for the vault: a registered client has a secret. nullopt: no such text.
std::string ClientText(const Client& client);
std::optional<Client> ReadClientText(const std::string& text);

}  // namespace switchyard::credentials::oauth
