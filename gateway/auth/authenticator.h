// Who may come in at an endpoint, compiled from its configuration: issuers of tokens, API keys,
// certificates. Immutable but for keys that are fetched; shared by all workers, made anew at a
// reload. Safe from any thread; what is on the way of every request is in gate.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/api_key.h"
#include "auth/claims.h"
#include "auth/evidence.h"
#include "auth/jws.h"
#include "auth/key_provider.h"
#include "auth/resource.h"
#include "base/result.h"
#include "config/auth.h"

namespace switchyard::auth {

// Where the keys of an issuer come from.
using ProviderOf = std::function<Result<std::shared_ptr<KeyProvider>>(const config::Issuer&)>;

// From `keys`, `keys_file` and `secret`; a file is read now. The error says where it is set. Of an
// issuer whose keys are fetched (key_keeper.h): none, for those who only check a configuration.
Result<std::shared_ptr<KeyProvider>> FixedKeysOf(const config::Issuer& issuer);
// That its keys may be used with.
Result<AlgorithmSet> AlgorithmsOf(const config::Issuer& issuer);

class Authenticator {
 public:
  // Reads the files. The error says which one, and what is wrong with it.
  static Result<std::shared_ptr<const Authenticator>> Make(
      const config::Auth& auth, std::string endpoint, const Place& place,
      const ProviderOf& provider = FixedKeysOf);

  // Counts up whenever keys of an issuer change: tokens that were verified are to be forgotten.
  std::uint64_t version() const;

  // With a `caller`.
  Verdict<Identity> Verify(std::string_view token, WallTime now) const;
  // Its provider, when keys of its issuer that are not there yet might verify a token.
  std::shared_ptr<KeyProvider> ProviderFor(std::string_view token) const;
  Verdict<const ApiKey*> FindKey(std::string_view key, WallTime now) const;
  // Null: nobody is called so.
  Caller FindCertificate(const ClientCertificate& certificate) const;

  bool takes_certificates() const { return !auth_.certificates.empty(); }
  bool anonymous() const { return auth_.anonymous; }
  const std::vector<std::string>& scopes() const { return auth_.scopes; }
  const Resource& resource() const { return resource_; }

 private:
  struct Trusted {
    ClaimRules rules;
    std::map<std::string, std::string> required;
    std::shared_ptr<KeyProvider> keys;
  };

  Authenticator(const config::Auth& auth, std::string endpoint, const Place& place);
  const Trusted* TrustedBy(const Jws& jws) const;
  Result<void> ReadIssuers(const ProviderOf& provider);
  Result<void> ReadApiKeys();

  const config::Auth auth_;
  const Resource resource_;
  std::map<std::string, Trusted, std::less<>> issuers_;
  ApiKeys keys_;
};

// By endpoint, "" = /mcp.
using Authenticators = std::map<std::string, std::shared_ptr<const Authenticator>, std::less<>>;

}  // namespace switchyard::auth
