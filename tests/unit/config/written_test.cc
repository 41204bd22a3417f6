// What a file says is in its digest, whichever key says it.
#include <map>
#include <string>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/digest.h"
#include "config/load.h"
#include "policies/registry.h"
#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kKeys = "keys: [AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=]";

Config Of(const std::string& yaml, const FakeEnvironment& environment = {}) {
  const std::string servers = yaml.contains("servers: {b") ? "" : "servers: {a: {command: a}}\n";
  const auto loaded = LoadText(servers + yaml, "c.yaml", policies::PolicyKeys(), environment);
  EXPECT_TRUE(loaded) << yaml << (loaded ? "" : loaded.error().front().ToString());
  return loaded ? loaded->config : Config();
}

// Two of each, of which the second says something else.
std::map<std::string, std::pair<std::string, std::string>> Sections() {
  return {
      {"listen", {"{address: '127.0.0.1:80'}", "{address: '127.0.0.1:80', max_body: 1MB}"}},
      {"auth", {"{api_keys_file: a}", "{api_keys_file: b}"}},
      {"sessions", {"{max: 10}", "{max: 11}"}},
      {"servers", {"{b: {command: a}}", "{b: {command: a, lanes: 2}}"}},
      {"groups",
       {"{g: {servers: [{server: a}]}}", "{g: {servers: [{server: a}], choice: least_loaded}}"}},
      {"endpoints", {"{e: {}}", "{e: {servers: [a]}}"}},
      {"policies", {"{timeout: {total: 5s}}", "{timeout: {total: 6s}}"}},
      {"log", {"{level: info}", "{level: debug}"}},
      {"pins", {"{file: /p, scan: warn}", "{file: /p, scan: quarantine}"}},
      {"state", {"{dir: /a}", "{dir: /b}"}},
      {"fetch", {"{timeout: 1s}", "{timeout: 2s}"}},
      {"credentials", {"{dir: /a, " + kKeys + "}", "{dir: /b, " + kKeys + "}"}},
      {"orchestration", {"{roles: {force: [a]}}", "{roles: {force: [b]}}"}},
      {"audit", {"{path: /a}", "{path: /b}"}},
      {"admin", {"{}", "{token: ''}"}},
      {"limits", {"{parked_calls: 5}", "{parked_calls: 6}"}},
      {"page_size", {"5", "6"}},
  };
}

TEST(WrittenFile, AChangeInEachMemberIsInTheDigestAndNamed) {
  const auto schema = boost::json::parse(ReadSource("config/schema.json")).as_object();
  const auto sections = Sections();
  for (const auto& [name, ignored] : schema.at("properties").as_object()) {
    const auto two = sections.find(std::string(name));
    ASSERT_NE(two, sections.end()) << name << " is new: say here what may change in it";
    const std::string key = two->first + ": ";
    const Config before = Of(key + two->second.first), after = Of(key + two->second.second);
    EXPECT_NE(DigestOf(before), DigestOf(after)) << name;
    EXPECT_THAT(ChangedBetween(before, after), ElementsAre(two->first));
    EXPECT_THAT(ChangedBetween(before, Of("# as it was\n" + key + two->second.first)), IsEmpty());
    EXPECT_EQ(DigestOf(before), DigestOf(Of("# as it was\n" + key + two->second.first))) << name;
  }
}

TEST(WrittenFile, SettingsOfTheBuiltInServiceAreInIt) {
  const Config before = Of("orchestration: {}");
  for (const char* more :
       {"{max_tasks: 5}", "{max_bytes: 16MiB}", "{lease: 1m}", "{health: {most_active: 5}}",
        "{messages: {limit: 5}}", "{planner: {sampling: true}}"}) {
    const Config after = Of("orchestration: " + std::string(more));
    EXPECT_NE(DigestOf(before), DigestOf(after)) << more;
    EXPECT_THAT(ChangedBetween(before, after), ElementsAre("orchestration")) << more;
  }
}

// Whatever reads it: `@` stands for the secret.
TEST(WrittenFile, SecretsAreNotInTheDigestWhereverTheyStandAndTheirChangesAreNamed) {
  const std::string issuer = "auth: {issuers: [{issuer: 'https://i', ";
  const std::string server = "servers: {b: {url: 'https://b', ";
  const std::string oauth = server + "credentials: {issuer: 'https://i', client_id: me, kind: ";
  for (const std::string& text :
       {std::string("admin: {token: '@'}"), std::string("audit: {path: /a, key: '@'}"),
        issuer + "secret: '@'}]}", issuer + "keys: '@'}]}",
        issuer + "keys: {keys: [{kty: oct, k: '@'}]}}]}",
        issuer + "secret: s, login: {client_id: me, client_secret: '@'}}]}",
        std::string("auth: {api_keys: [{name: a, hash: '@'}]}"),
        std::string("credentials: {dir: /a, keys: ['@']}"),
        std::string("orchestration: {keys: ['@']}"),
        std::string("orchestration: {planner: {url: 'https://m/?k=@', model: m, key: '@'}}"),
        server + "headers: {X-Key: '@'}}}",
        std::string("servers: {b: {command: b, env: {K: '@'}}}"),
        std::string("servers: {b: {command: b, args: ['--key', '@']}}"),
        server + "credentials: {kind: per_user, issuer: i, values: {ada: '@'}}}}",
        oauth + "client_credentials, client_secret: '@'}}}",
        oauth + "client_credentials, private_key: '@'}}}",
        oauth + "token_exchange, client_secret: s, actor_token: '@'}}}",
        oauth + "refresh_token, refresh_token: '@'}}}\ncredentials: {dir: /a, " + kKeys + "}",
        std::string("policies: {opa: {url: 'https://o/a?k=@', headers: {X-Key: '@'}}}")}) {
    const auto with = [&text](const std::string& secret) {
      std::string yaml = text;
      for (std::size_t at = yaml.find('@'); at != std::string::npos; at = yaml.find('@')) {
        yaml.replace(at, 1, secret);
      }
      return Of(yaml);
    };
    const Config before = with("s3cret-s3cret-s3cret"), after = with("0ther-s3cret-s3cret");
    EXPECT_EQ(DigestOf(before), DigestOf(after)) << text;
    EXPECT_THAT(ChangedBetween(before, after), ElementsAre(text.substr(0, text.find(':'))));
  }
}

TEST(WrittenFile, WhatVariablesAndFilesStandForIsNotInTheDigestAndTheirChangesAreNamed) {
  FakeEnvironment environment;
  environment.files["role"] = "one";
  const std::string yaml = "orchestration: {roles: {force: ['${file:role}']}}";
  const Config before = Of(yaml, environment);
  environment.files["role"] = "two";
  const Config after = Of(yaml, environment);
  EXPECT_THAT(ChangedBetween(before, after), ElementsAre("orchestration"));
  EXPECT_EQ(DigestOf(before), DigestOf(after)) << "guesses cannot be tried";
  EXPECT_THAT(ChangedBetween(after, Of("orchestration: {roles: {force: [two]}}")), IsEmpty())
      << "the same, written in another way";
}

// Anchors are nobody's; what they stand for is.
TEST(WrittenFile, AnAliasIsWhatItStandsFor) {
  const auto with = [](const std::string& lease, const std::string& key) {
    return Of("x-own: &own {lease: " + lease + "}\nx-key: &key '" + key +
              "'\norchestration: {<<: *own}\naudit: {path: /a, key: *key}");
  };
  const std::string key = "0123456789abcdef", other = "abcdef0123456789";
  EXPECT_THAT(ChangedBetween(with("1m", key), with("2m", key)), ElementsAre("orchestration"));
  EXPECT_NE(DigestOf(with("1m", key)), DigestOf(with("2m", key)));
  EXPECT_THAT(ChangedBetween(with("1m", key), with("1m", other)), ElementsAre("audit"));
  EXPECT_EQ(DigestOf(with("1m", key)), DigestOf(with("1m", other)));
}

}  // namespace
}  // namespace switchyard::config
