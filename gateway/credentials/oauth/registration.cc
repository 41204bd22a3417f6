#include "credentials/oauth/registration.h"

#include <array>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "auth/strict_json.h"
#include "credentials/oauth/url.h"

namespace switchyard::credentials::oauth {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostText = 4096;

json::object Common(const Self& self, const std::string& redirect_uri) {
  return {{"client_name", self.name},
          {"redirect_uris", json::array{redirect_uri}},
          {"grant_types", json::array{"authorization_code", "refresh_token"}},
          {"response_types", json::array{"code"}}};
}

std::string ShortTextIn(const json::object& object, std::string_view key) {
  const json::string* text = auth::StringIn(object, key);
  return text == nullptr || text->size() > kMostText ? std::string() : std::string(*text);
}

}  // namespace

Way WayOf(const ServerMetadata& server, const Self& self) {
  // The document's URL is the client's id: it must be https and have a path.
  if (server.client_id_documents && !self.document_url.empty()) return Way::kDocument;
  return server.registration_endpoint.empty() ? Way::kNone : Way::kRegister;
}

std::string ClientDocument(const Self& self) {
  json::object document = Common(self, self.document_redirect_uri);
  document["client_id"] = self.document_url;
  document["token_endpoint_auth_method"] = "none";
  document["application_type"] = "web";
  return json::serialize(document);
}

std::string RegistrationRequest(const Self& self, const ServerMetadata& server) {
  json::object request = Common(self, self.redirect_uri);
  const std::optional<http::Url> redirect = ParseUrl(self.redirect_uri);
  const bool here = redirect && !redirect->tls;  // reached by this machine alone
  request["application_type"] = here ? "native" : "web";
  // A secret only where the server has no use for clients without one.
  static constexpr std::array kBestFirst = {"none", "client_secret_basic", "client_secret_post"};
  for (const char* method : kBestFirst) {
    if (!server.Offers(method)) continue;
    request["token_endpoint_auth_method"] = method;
    break;
  }
  return json::serialize(request);
}

Result<Client> ReadRegistration(int status, const std::string& body) {
  const auto bad = [](std::string why) {
    return Failure(Code::kProtocol, Origin::kServer, "registration: " + std::move(why));
  };
  if (status != 200 && status != 201) return bad("was answered " + std::to_string(status));
  const auto object = auth::ReadObject(body);
  if (!object) return bad("the answer is " + object.error());
  Client client{.id = ShortTextIn(*object, "client_id"),
                .secret = ShortTextIn(*object, "client_secret"),
                .auth_method = ShortTextIn(*object, "token_endpoint_auth_method"),
                .registered = true};
  if (client.id.empty()) return bad("the answer has no client_id");
  return client;
}

std::string ClientText(const Client& client) {
  return json::serialize(json::object{{"client_id", client.id},
                                      {"client_secret", client.secret},
                                      {"token_endpoint_auth_method", client.auth_method}});
}

std::optional<Client> ReadClientText(const std::string& text) {
  Result<Client> client = ReadRegistration(200, text);
  if (!client) return std::nullopt;
  return std::move(*client);
}

}  // namespace switchyard::credentials::oauth
