// What servers publish of themselves: a protected resource (RFC 9728), an authorization server
// (RFC 8414, OpenID Connect Discovery), and where it is looked for. Pure; safe from any thread.
//
// The documents come from strangers: members that decide are read strictly (nothing stands twice),
// what names another party is compared to the letter, and every URL in them is https (or loopback).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace switchyard::credentials::oauth {

struct ResourceMetadata {
  std::string resource;
  std::vector<std::string> authorization_servers;  // issuers, never empty
  std::vector<std::string> scopes_supported;
};

struct ServerMetadata {
  std::string issuer;
  std::string authorization_endpoint = {};  // "" = none
  std::string token_endpoint = {};
  std::string registration_endpoint = {};  // "" = none
  std::vector<std::string> scopes_supported = {};
  std::vector<std::string> code_challenge_methods = {};
  std::vector<std::string> token_auth_methods =
      {};                                     // empty = client_secret_basic (RFC 8414 section 2)
  std::vector<std::string> grant_types = {};  // empty = not said
  bool client_id_documents = false;           // client_id_metadata_document_supported
  bool says_issuer = false;                   // authorization_response_iss_parameter_supported

  bool has_pkce() const;
  // Users sign in at the issuer's own origin. Else somebody may have written another one's page
  // into its metadata, to be given what that one answers (RFC 9700 section 4.4).
  bool asks_at_home() const;
  bool Offers(std::string_view auth_method) const;
};

// Where the metadata of a server at `url` may be: with its path, then at the root.
std::vector<std::string> ResourceMetadataUrls(std::string_view url);
// In the order of the MCP specification; empty: the issuer is no usable URL.
std::vector<std::string> ServerMetadataUrls(std::string_view issuer);

// `server_url`: of the MCP server, which the document must speak for.
Result<ResourceMetadata> ReadResourceMetadata(const std::string& text, std::string_view server_url);
// `issuer`: that of which the document was asked, which it must name to the letter.
Result<ServerMetadata> ReadServerMetadata(const std::string& text, std::string_view issuer);

// What servers of 2025-03-26 have that publish nothing: fixed paths at their origin. nullopt: no
// usable URL.
std::optional<ServerMetadata> DefaultEndpoints(std::string_view server_url);

}  // namespace switchyard::credentials::oauth
