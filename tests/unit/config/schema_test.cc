// config/schema.json and the reader: the same keys, and the same verdicts where a schema can judge.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/read.h"
#include "policies/registry.h"
#include "unit/config/fixtures.h"
#include "unit/config/schema_checker.h"

namespace switchyard::config {
namespace {

namespace json = boost::json;
using Keys = std::map<std::string, std::set<std::string>>;

json::object Schema() { return json::parse(ReadSource("config/schema.json")).as_object(); }

// Collects the keys of every closed mapping of the schema by its shape ("servers.*.tools").
void Walk(const json::object& root, const json::value& schema, const std::string& shape,
          Keys& out) {
  if (!schema.is_object()) return;
  const json::object& object = schema.get_object();
  constexpr std::string_view kDefs = "#/$defs/";
  if (const json::value* ref = object.if_contains("$ref")) {
    const std::string name(std::string_view(ref->as_string()).substr(kDefs.size()));
    Walk(root, root.at("$defs").at(name), shape, out);
  }
  if (const json::value* choices = object.if_contains("anyOf")) {
    for (const auto& choice : choices->as_array()) Walk(root, choice, shape, out);
  }
  const std::string dot = shape.empty() ? "" : shape + ".";
  if (const json::value* properties = object.if_contains("properties")) {
    auto& keys = out[shape];
    for (const auto& [key, sub] : properties->as_object()) {
      keys.insert(std::string(key));
      Walk(root, sub, dot + std::string(key), out);
    }
  }
  if (const json::value* rest = object.if_contains("additionalProperties")) {
    Walk(root, *rest, dot + "*", out);
  }
  if (const json::value* items = object.if_contains("items")) {
    Walk(root, *items, shape + "[]", out);
  }
}

// The keys that the reader asks for when it sees a document with every section in it.
Keys KeysOfTheReader(const std::string& text) {
  const FakeEnvironment environment;
  const auto policies = policies::PolicyKeys();
  Document document(text, "full.yaml", environment);
  ReadConfig(document, policies);
  for (const Problem& problem : document.problems().Errors()) {
    if (!problem.message.starts_with("does nothing here")) ADD_FAILURE() << problem.ToString();
  }
  return document.asked();
}

// What config/example.yaml has under `policies`: every key of every policy of the registry.
std::string ExamplePolicies() {
  const std::string text = ReadSource("config/example.yaml");
  constexpr std::string_view kHead = "\npolicies:";
  const std::size_t head = text.find(kHead);
  std::size_t end = head;
  do {
    end = text.find('\n', end + 1);
  } while (end != std::string::npos && end + 1 < text.size() && text[end + 1] == ' ');
  return text.substr(head + kHead.size(), end - head - kHead.size());
}

// Written so that each mapping that can be there is there, and each policy at each level.
std::string Full() {
  return R"(
listen: {tls: {certificate: c, key: k, client_ca: a}}
auth: &auth
  issuers: [{issuer: "https://i", secret: s, claims: {}, login: {client_id: c}}]
  api_keys: [{name: a, hash: h}]
  certificates: [{cn: c}]
sessions: {}
log: {}
limits: {}
state: {}
admin: {}
audit: {anomalies: {}}
fetch: {}
credentials: {dir: /vault, keys: [k]}
pins: {file: /pins.json}
policies: &all)" +
         ExamplePolicies() + R"(
servers:
  a: {command: x, tools: {}, pins: {}, policies: *all, tool_policies: {"t*": *all}}
  billing: {command: y}
  c: {url: "https://h/mcp", credentials: {kind: per_user, issuer: i, values: {a: b}}}
groups:
  g: {servers: [{server: a}]}
endpoints:
  e: {tools: {}, policies: *all, auth: *auth}
orchestration: {messages: {}, planner: {}, tools: {}, health: {}, roles: {}, policies: *all, tool_policies: {"t*": *all}}
)";
}

// The keys that a YAML document holds, by shape.
void Collect(const json::value& value, const std::string& shape, const Keys& shapes, Keys& out) {
  if (!value.is_object() || !shapes.contains(shape)) return;
  for (const auto& [key, sub] : value.get_object()) {
    const std::string name(key);
    out[shape].insert(name);
    const std::string below = shape.empty() ? name : shape + "." + name;
    Collect(sub, below, shapes, out);
    if (shapes.contains(below + "[]") && sub.is_array()) {
      for (const json::value& item : sub.get_array()) Collect(item, below + "[]", shapes, out);
    }
    if (!shapes.contains(below + ".*") || !sub.is_object()) continue;
    for (const auto& [child, inner] : sub.get_object()) Collect(inner, below + ".*", shapes, out);
  }
}

TEST(Schema, HasExactlyTheKeysOfTheReader) {
  const json::object schema = Schema();
  Keys in_schema;
  Walk(schema, schema, "", in_schema);
  EXPECT_EQ(in_schema, KeysOfTheReader(Full()));
}

TEST(Schema, TheExampleFileHasEveryPolicyOfTheRegistry) {
  for (const PolicyKey& key : policies::PolicyKeys()) {
    EXPECT_THAT(ExamplePolicies(), testing::HasSubstr("\n  " + key.name + ":"));
  }
}

TEST(Schema, TheExampleFileShowsEveryKey) {
  const Keys asked = KeysOfTheReader(Full());
  Keys shown;
  Collect(YamlToJson(ReadSource("config/example.yaml")), "", asked, shown);
  for (const auto& [shape, keys] : asked) {
    if (shape.contains("*.policies") || shape.contains("tool_policies") ||
        shape.contains("orchestration.policies") || shape.contains("*.auth")) {
      continue;  // at the top
    }
    for (const std::string& key : keys) {
      EXPECT_TRUE(shown[shape].contains(key)) << shape << ": " << key;
    }
  }
}

// The page of the policy that a shape is of, else all pages that are of no policy.
std::string PagesFor(const std::string& shape) {
  constexpr std::string_view kPolicies = "policies.";
  const std::string main = ReadSource("docs/configuration.md");
  if (!shape.starts_with(kPolicies)) {
    return main + ReadSource("docs/auth.md") + ReadSource("docs/credentials.md") +
           ReadSource("docs/orchestration.md");
  }
  const std::string policy =
      shape.substr(kPolicies.size())
          .substr(0, shape.find_first_of(".[", kPolicies.size()) - kPolicies.size());
  return policy == "telemetry" ? main : ReadSource("docs/policies/" + policy + ".md");
}

bool HasWord(const std::string& text, const std::string& word) {
  const auto is_word = [&text](std::size_t at) {
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 ||
                                text[at] == '_' || text[at] == '-');
  };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    if (!is_word(at - 1) && !is_word(at + word.size())) return true;
  }
  return false;
}

TEST(Schema, EveryKeyIsInThePages) {
  const std::string main = ReadSource("docs/configuration.md");
  for (const auto& [shape, keys] : KeysOfTheReader(Full())) {
    if (shape.contains(".policies") || shape.contains("tool_policies")) continue;  // at the top
    const std::string pages = PagesFor(shape);
    for (const std::string& key : keys) {
      EXPECT_TRUE(HasWord(pages, key)) << shape << ": " << key;
      if (shape.starts_with("policies.") && shape.find('.', 9) == std::string::npos &&
          !shape.contains('[')) {
        EXPECT_TRUE(HasWord(main, key)) << shape << ": " << key;  // in its row
      }
      if (!shape.empty()) continue;
      bool heading = false;
      for (std::size_t at = main.find("\n## "); at != std::string::npos;
           at = main.find("\n## ", at + 1)) {
        heading |= HasWord(main.substr(at, main.find('\n', at + 1) - at), key);
      }
      EXPECT_TRUE(heading) << "no section " << key;
    }
  }
}

TEST(Schema, JudgesBadDocumentsAsTheTableSays) {
  const json::object schema = Schema();
  for (const BadDocument& document : BadDocuments()) {
    if (document.schema == "unreadable") continue;
    const std::string problem = SchemaProblem(schema, YamlToJson(document.text));
    EXPECT_EQ(problem.empty(), document.schema == "schema accepts")
        << document.name << ": " << problem;
  }
}

TEST(Schema, AcceptsWhatTheReaderAccepts) {
  const json::object schema = Schema();
  const FakeEnvironment environment;
  const auto keys = policies::PolicyKeys();
  const std::string full = Full();
  const char* texts[] = {
      full.c_str(),
      "servers: {}",
      "servers: {a: {command: x, enabled: '${ON:-true}', era: '${ERA:-auto}'}}",
      "servers: {}\nlog: {level: '${LEVEL:-info}', calls: '${ON:-false}'}",
      "servers: {}\nx-mine: [1, {a: b}]",
      "listen: '[::1]:0'\nservers: {}",
      "listen: localhost:${PORT}\nservers: {}\npage_size: ${PORT}",
      "listen: {max_body: 65536, workers: '${NONE:-3}'}\nservers: {}",
      "listen: {allowed_origins: ['http://localhost:3000']}\nservers: {}",
      "servers: {a: {command: x, args: [1, true, -y], env: {A: 1, B: false, C: x}}}",
      "servers: {a: {command: x, prefix: '', era: legacy, start_timeout: 1.5s}}",
      "servers: {a: {url: 'HTTPS://h:1/mcp?k=v', headers: {X-A: 1, authorization: b}}}",
      "servers: {a: {url: 'http://localhost', tools: [a*]}}",
      "servers: {a: {command: x}}\nendpoints: {e: {servers: [a], transparent: true}}",
      "servers: {a: {command: x}}\nendpoints: {e: {transparent: false}}"};
  for (const char* text : texts) {
    const auto loaded = LoadText(text, "good.yaml", keys, environment);
    EXPECT_TRUE(loaded) << text << ": " << loaded.error().front().ToString();
    EXPECT_EQ(SchemaProblem(schema, YamlToJson(text)), "") << text;
  }
}

TEST(ConfigFiles, EachLoadsAndFitsTheSchema) {
  FakeEnvironment environment;
  environment.variables["GITHUB_TOKEN"] = "t";
  environment.variables["REPORTS_DATABASE_URL"] = "postgres://u:p@db/reports";
  environment.files["/run/secrets/tickets-api-key"] = "k\n";
  const auto keys = policies::PolicyKeys();
  const json::object schema = Schema();
  for (const char* name : {"minimal", "example", "production", "tls"}) {
    const std::string path = "config/" + std::string(name) + ".yaml";
    const std::string text = ReadSource(path);
    const auto loaded = LoadText(text, path, keys, environment);
    ASSERT_TRUE(loaded) << loaded.error().front().ToString();
    EXPECT_THAT(loaded->warnings, testing::IsEmpty()) << path;
    EXPECT_EQ(SchemaProblem(schema, YamlToJson(text)), "") << path;
  }
}

TEST(ConfigFiles, TheMinimalOneServesTheExampleServer) {
  const FakeEnvironment environment;
  const auto loaded = LoadText(ReadSource("config/minimal.yaml"), "m.yaml", {}, environment);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.servers.at("example").command.Reveal(), "switchyard");
  EXPECT_TRUE(loaded->config.orchestration.enabled);
  EXPECT_TRUE(loaded->config.servers.at("orchestration").builtin);
  EXPECT_EQ(loaded->config.listen.port, 8080);
}

TEST(ConfigFiles, ProductionNeedsItsSecretsAndSaysWhich) {
  const FakeEnvironment environment;
  const auto loaded =
      LoadText(ReadSource("config/production.yaml"), "p.yaml", policies::PolicyKeys(), environment);
  ASSERT_FALSE(loaded);
  ASSERT_EQ(loaded.error().size(), 3U);
  EXPECT_THAT(loaded.error()[0].message, testing::HasSubstr("GITHUB_TOKEN is not set"));
  EXPECT_THAT(loaded.error()[1].message, testing::HasSubstr("tickets-api-key"));
  EXPECT_THAT(loaded.error()[2].message, testing::HasSubstr("REPORTS_DATABASE_URL is not set"));
}

}  // namespace
}  // namespace switchyard::config
