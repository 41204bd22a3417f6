#include "auth/authenticator.h"

#include <set>
#include <string_view>
#include <utility>

#include <spdlog/spdlog.h>

#include "auth/jwk.h"
#include "auth/principals.h"
#include "auth/verify.h"
#include "base/digest.h"
#include "config/environment.h"
#include "config/read.h"
#include "config/section.h"

namespace switchyard::auth {
namespace {

std::unexpected<Error> Wrong(std::string where, const std::string& what) {
  return Failure(Code::kInvalid, Origin::kGateway, std::move(where) + ": " + what);
}

Result<std::string> ReadFile(const std::string& path) {
  auto text = config::ProcessEnvironment().ReadFile(path);
  if (!text) return Wrong(path, "cannot read: " + text.error());
  return std::move(*text);
}

Result<KeySet> KeysOf(const config::Issuer& issuer) {
  Result<AlgorithmSet> algorithms = AlgorithmsOf(issuer);
  if (!algorithms) return Failure(std::move(algorithms.error()));
  if (!issuer.secret.empty()) {
    Result<Key> key = Key::Make(HmacSecret{issuer.secret.Reveal()}, "", *algorithms);
    if (!key) return Wrong("secret", key.error().message);
    std::vector<Key> keys;
    keys.push_back(std::move(*key));
    return KeySet(std::move(keys));
  }
  std::string text = issuer.keys;
  if (!issuer.keys_file.empty()) {
    Result<std::string> file = ReadFile(issuer.keys_file);
    if (!file) return Failure(std::move(file.error()));
    text = std::move(*file);
  }
  // Whoever wrote the configuration may have written a secret as a JWK, too.
  Result<KeysRead> read = ReadKeys(text, {.algorithms = *algorithms, .secrets = true});
  if (!read) {
    return Wrong(issuer.keys_file.empty() ? "keys" : "keys_file: " + issuer.keys_file,
                 read.error().message);
  }
  for (const std::string& why : read->skipped) {
    spdlog::warn("auth: a key of {} is of no use: {}", issuer.issuer, why);
  }
  return KeySet(std::move(read->keys));
}

Result<std::vector<config::ApiKey>> KeysInFile(const std::string& path) {
  Result<std::string> text = ReadFile(path);
  if (!text) return Wrong("api_keys_file", text.error().message);
  const config::ProcessEnvironment environment;
  config::Document document(std::move(*text), path, environment);
  std::vector<config::ApiKey> keys;
  if (auto root = document.Root()) keys = config::ReadApiKeys(*root);
  const std::vector<config::Problem> errors = document.problems().Errors();
  if (!errors.empty()) return Wrong("api_keys_file", errors.front().ToString());
  return keys;
}

}  // namespace

Result<AlgorithmSet> AlgorithmsOf(const config::Issuer& issuer) {
  AlgorithmSet set;
  for (const std::string& name : issuer.algorithms) {
    const std::optional<Algorithm> algorithm = AlgorithmOf(name);
    if (!algorithm) {
      return Wrong("algorithms", Shown(name) + " is none that is known, expected some of " +
                                     AlgorithmSet::All().ToText());
    }
    set.Add(*algorithm);
  }
  return set.empty() ? AlgorithmSet::All() : set;
}

Result<std::shared_ptr<KeyProvider>> FixedKeysOf(const config::Issuer& issuer) {
  if (issuer.fetched()) return std::make_shared<FixedKeys>(nullptr);
  Result<KeySet> keys = KeysOf(issuer);
  if (!keys) return Failure(std::move(keys.error()));
  return std::make_shared<FixedKeys>(std::make_shared<const KeySet>(std::move(*keys)));
}

Authenticator::Authenticator(const config::Auth& auth, std::string endpoint, const Place& place)
    : auth_(auth), resource_(place, std::move(endpoint), auth) {}

Result<std::shared_ptr<const Authenticator>> Authenticator::Make(const config::Auth& auth,
                                                                 std::string endpoint,
                                                                 const Place& place,
                                                                 const ProviderOf& provider) {
  const std::shared_ptr<Authenticator> made(new Authenticator(auth, std::move(endpoint), place));
  if (Result<void> read = made->ReadIssuers(provider); !read) return Failure(read.error());
  if (Result<void> read = made->ReadApiKeys(); !read) return Failure(read.error());
  return made;
}

Result<void> Authenticator::ReadIssuers(const ProviderOf& provider) {
  for (const config::Issuer& issuer : auth_.issuers) {
    Result<std::shared_ptr<KeyProvider>> keys = provider(issuer);
    if (!keys) return Wrong("auth.issuers " + issuer.issuer, keys.error().message);
    Trusted trusted{
        .rules = {.issuer = issuer.issuer,
                  .audiences = issuer.audience.empty() ? resource_.Audiences() : issuer.audience,
                  .skew = issuer.clock_skew,
                  .subject = issuer.subject,
                  .roles = issuer.roles,
                  .groups = issuer.groups,
                  .capabilities = issuer.capabilities},
        .required = issuer.required_claims,
        .keys = std::move(*keys)};
    if (!issuer.client.empty()) trusted.rules.client = issuer.client;
    if (!issuer.scopes.empty()) trusted.rules.scopes = issuer.scopes;
    issuers_.emplace(issuer.issuer, std::move(trusted));
  }
  return {};
}

Result<void> Authenticator::ReadApiKeys() {
  std::vector<config::ApiKey> given = auth_.api_keys;
  if (!auth_.api_keys_file.empty()) {
    Result<std::vector<config::ApiKey>> more = KeysInFile(auth_.api_keys_file);
    if (!more) return Wrong("auth", more.error().message);
    given.insert(given.end(), more->begin(), more->end());
  }
  std::vector<ApiKey> keys;
  std::set<std::string_view> names;
  for (const config::ApiKey& key : given) {
    if (!names.insert(key.name).second) {
      return Wrong("auth.api_keys " + key.name,
                   "stands there twice, so the two would be one caller");
    }
    Result<KeyDigest> kept = ParseKeyDigest(key.hash);
    if (!kept) return Wrong("auth.api_keys " + key.name + ".hash", kept.error().message);
    keys.push_back({.name = key.name,
                    .kept = std::move(*kept),
                    .expires = key.expires,
                    .caller = CallerOf(key)});
  }
  Result<ApiKeys> made = ApiKeys::Make(std::move(keys));
  if (!made) return Wrong("auth", made.error().message);
  keys_ = std::move(*made);
  return {};
}

std::uint64_t Authenticator::version() const {
  std::uint64_t version = 0;
  for (const auto& [name, trusted] : issuers_) version += trusted.keys->version();
  return version;
}

const Authenticator::Trusted* Authenticator::TrustedBy(const Jws& jws) const {
  const std::optional<std::string> issuer = UnverifiedIssuer(jws);
  const auto found = issuer ? issuers_.find(*issuer) : issuers_.end();
  return found == issuers_.end() ? nullptr : &found->second;
}

Verdict<Identity> Authenticator::Verify(std::string_view token, WallTime now) const {
  Verdict<Jws> jws = ParseJws(token);
  if (!jws) return std::unexpected(std::move(jws.error()));
  const Trusted* trusted = TrustedBy(*jws);
  if (trusted == nullptr) {
    return Refuse(Reason::kIssuer, "iss is " + Shown(UnverifiedIssuer(*jws).value_or("")));
  }
  const KeysPtr keys = trusted->keys->Current();
  if (keys == nullptr) return Refuse(Reason::kUnknownKey, "there are no keys of its issuer");
  Verdict<Identity> identity = VerifyJws(std::move(*jws), *keys, trusted->rules, now);
  if (!identity) return identity;
  identity->credential = Sha256(token);
  return WithCaller(std::move(*identity), trusted->required);
}

std::shared_ptr<KeyProvider> Authenticator::ProviderFor(std::string_view token) const {
  const Verdict<Jws> jws = ParseJws(token);
  const Trusted* trusted = jws ? TrustedBy(*jws) : nullptr;
  return trusted == nullptr ? nullptr : trusted->keys;
}

Verdict<const ApiKey*> Authenticator::FindKey(std::string_view key, WallTime now) const {
  return keys_.Find(key, now);
}

Caller Authenticator::FindCertificate(const ClientCertificate& certificate) const {
  return CallerOf(certificate, auth_.certificates);
}

}  // namespace switchyard::auth
