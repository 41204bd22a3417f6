#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class Loading : public testing::Test {
 protected:
  Config Read(const std::string& text) {
    auto loaded = LoadText(text, "/etc/switchyard/c.yaml", keys_, environment_);
    if (!loaded) {
      for (const Problem& problem : loaded.error()) ADD_FAILURE() << problem.ToString();
      return {};
    }
    warnings_ = loaded->warnings;
    return std::move(loaded->config);
  }

  FakeEnvironment environment_;
  std::vector<PolicyKey> keys_ = FakePolicies();
  std::vector<Problem> warnings_;
};

TEST_F(Loading, DefaultsAreTheDocumentedOnes) {
  const Config config = Read("servers: {a: {command: x}}\n");
  EXPECT_EQ(config.listen.host, "127.0.0.1");
  EXPECT_EQ(config.listen.port, 8080);
  EXPECT_EQ(config.listen.max_body, 4U * 1024 * 1024);
  EXPECT_EQ(config.log.level, LogLevel::kInfo);
  EXPECT_EQ(config.log.format, LogFormat::kJson);
  EXPECT_TRUE(config.log.calls);
  EXPECT_EQ(config.page_size, 0U);
  const Server& server = config.servers.at("a");
  EXPECT_TRUE(server.enabled);
  EXPECT_TRUE(server.is_stdio());
  EXPECT_EQ(server.lanes, 8U);
  EXPECT_EQ(server.start_timeout, 30s);
  EXPECT_EQ(server.list_timeout, 10s);
  EXPECT_EQ(server.era, Era::kAuto);
  EXPECT_EQ(server.effective_prefix(), "a");
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(Loading, ReadsEveryKeyOfAProgram) {
  const Config config = Read(R"(
servers:
  a:
    enabled: false
    command: npx
    args: [-y, "${TOKEN}"]
    env: {KEY: "${file:/run/key}", PORT: 80}
    cwd: /tmp
    lanes: 1
    prefix: ""
    tools: {include: [a*], exclude: [ab]}
    era: legacy
    start_timeout: 1m
    list_timeout: 500ms
)");
  const Server& server = config.servers.at("a");
  EXPECT_EQ(server.name, "a");
  EXPECT_FALSE(server.enabled);
  EXPECT_EQ(server.command.Reveal(), "npx");
  ASSERT_EQ(server.args.size(), 2U);
  EXPECT_EQ(server.args[1].Reveal(), "s3cret");
  EXPECT_EQ(server.env.at("KEY").Reveal(), "file-s3cret");
  EXPECT_EQ(server.env.at("PORT").Reveal(), "80");
  EXPECT_EQ(server.cwd, "/tmp");
  EXPECT_EQ(server.lanes, 1U);
  EXPECT_EQ(server.effective_prefix(), "");
  EXPECT_THAT(server.tools.include, ElementsAre("a*"));
  EXPECT_THAT(server.tools.exclude, ElementsAre("ab"));
  EXPECT_EQ(server.era, Era::kLegacy);
  EXPECT_EQ(server.start_timeout, 1min);
  EXPECT_EQ(server.list_timeout, 500ms);
}

TEST_F(Loading, ReadsEveryKeyOfARemoteServer) {
  const Config config = Read(R"(
servers:
  b:
    url: https://mcp.example.com/${PORT}
    headers: {Authorization: "Bearer ${TOKEN}"}
    tls_ca: /ca.pem
    tools: [x, y_*]
    era: modern
)");
  const Server& server = config.servers.at("b");
  EXPECT_FALSE(server.is_stdio());
  EXPECT_EQ(server.url.Reveal(), "https://mcp.example.com/9000");
  EXPECT_EQ(server.headers.at("Authorization").Reveal(), "Bearer s3cret");
  EXPECT_EQ(server.tls_ca, "/ca.pem");
  EXPECT_THAT(server.tools.include, ElementsAre("x", "y_*"));
  EXPECT_EQ(server.era, Era::kModern);
}

TEST_F(Loading, ReadsTheLongAndTheShortListen) {
  EXPECT_EQ(Read("listen: '[::1]:0'\nservers: {}\n").listen.host, "::1");
  EXPECT_EQ(Read("listen: localhost:${PORT}\nservers: {}\n").listen.port, 9000);
  const Listen listen = Read(R"(
listen:
  address: 127.0.0.1:1
  allowed_origins: ["https://a.example:8443"]
  allowed_hosts: [mcp.example.com, "h:8080"]
  max_body: 64KiB
  max_connections: 5
  workers: 2
  legacy_sse: true
servers: {}
)")
                            .listen;
  EXPECT_THAT(listen.allowed_origins, ElementsAre("https://a.example:8443"));
  EXPECT_THAT(listen.allowed_hosts, ElementsAre("mcp.example.com", "h:8080"));
  EXPECT_EQ(listen.max_body, 65536U);
  EXPECT_EQ(listen.max_connections, 5U);
  EXPECT_EQ(listen.workers, 2U);
  EXPECT_TRUE(listen.legacy_sse);
  EXPECT_FALSE(listen.tls);
}

TEST_F(Loading, ReadsHowTheListenerSpeaksTls) {
  const auto read = [this](const std::string& more) {
    return Read("listen: {address: 127.0.0.1:1, tls: {certificate: /c.pem, key: /k.pem" + more +
                "}}\nservers: {}\n")
        .listen.tls;
  };
  using enum Tls::ClientCertificate;
  ASSERT_TRUE(read(""));
  EXPECT_EQ(read("")->certificate, "/c.pem");
  EXPECT_EQ(read("")->key, "/k.pem");
  EXPECT_EQ(read("")->client_ca, "");
  EXPECT_EQ(read(", client_ca: /ca.pem")->client_ca, "/ca.pem");
  EXPECT_EQ(read(", client_ca: /ca.pem")->client_certificate, kRequired);
  EXPECT_EQ(read(", client_ca: /ca.pem, client_certificate: optional")->client_certificate,
            kOptional);
}

TEST_F(Loading, ReadsTheBoundsOfSessions) {
  const Sessions sessions = Read(R"(
sessions:
  max: 10
  max_per_caller: 0
  max_streams: 3
  max_streams_per_caller: 2
  input_timeout: 90s
  resume_grace: 1m
servers: {}
)")
                                .sessions;
  EXPECT_EQ(sessions.max, 10U);
  EXPECT_EQ(sessions.max_per_caller, 0U);
  EXPECT_EQ(sessions.max_streams, 3U);
  EXPECT_EQ(sessions.max_streams_per_caller, 2U);
  EXPECT_EQ(sessions.input_timeout, 90s);
  EXPECT_EQ(sessions.resume_grace, 1min);
}

TEST_F(Loading, ReadsEndpointsLogAndPages) {
  const Config config = Read(R"(
servers: {a: {command: x}, b: {command: y}}
endpoints:
  dev: {servers: [a, b], tools: {exclude: [z]}}
  one: {servers: [a], transparent: true}
  all: {}
log: {level: warn, format: text, calls: false}
page_size: 50
)");
  EXPECT_THAT(config.endpoints.at("dev").servers, ElementsAre("a", "b"));
  EXPECT_THAT(config.endpoints.at("dev").tools.exclude, ElementsAre("z"));
  EXPECT_TRUE(config.endpoints.at("one").transparent);
  EXPECT_THAT(config.endpoints.at("all").servers, IsEmpty());
  EXPECT_EQ(config.log.level, LogLevel::kWarn);
  EXPECT_EQ(config.log.format, LogFormat::kText);
  EXPECT_FALSE(config.log.calls);
  EXPECT_EQ(config.page_size, 50U);
}

TEST_F(Loading, AServerAndAnEndpointInheritThePolicyKeysThatTheyDoNotSet) {
  const Config config = Read(R"(
policies:
  concurrency: {max_in_flight: 10, queue: 20}
servers:
  a: {command: x, policies: {concurrency: {queue: 3}}}
  b: {command: y}
endpoints:
  e: {policies: {concurrency: {queue_timeout: 9s}, timeout: {total: 1s}}}
)");
  const auto resolved = [&](const std::string& endpoint, const std::string& server) {
    const PolicyKey& concurrency = keys_.back();
    const EffectivePolicy policy = Resolve(concurrency, LevelsFor(config, endpoint, server, ""));
    return *static_cast<const FakeConcurrency*>(policy.settings.get());
  };
  EXPECT_EQ(resolved("", "a").max_in_flight, 10);
  EXPECT_EQ(resolved("", "a").queue, 3);
  EXPECT_EQ(resolved("e", "b").queue, 20);
  EXPECT_EQ(resolved("e", "b").queue_timeout, 9s);
  EXPECT_EQ(resolved("e", "a").queue, 3);
  EXPECT_EQ(config.servers.at("b").policies.Find("concurrency"), nullptr);
  EXPECT_EQ(config.policies.Find("timeout"), nullptr);
  EXPECT_NE(config.endpoints.at("e").policies.Find("timeout"), nullptr);
}

TEST_F(Loading, ManyServersMayHaveNoPrefix) {
  const Config config =
      Read("servers: {a: {command: x, prefix: ''}, b: {command: y, prefix: ''}}\n");
  EXPECT_EQ(config.servers.size(), 2U);
}

TEST_F(Loading, AnchorsMergesAndPrivateKeysWork) {
  const Config config = Read(R"(
x-common: &common
  command: npx
  era: legacy
servers:
  a: {<<: *common}
  b: {<<: *common, era: modern}
)");
  EXPECT_EQ(config.servers.at("a").era, Era::kLegacy);
  EXPECT_EQ(config.servers.at("b").command.Reveal(), "npx");
  EXPECT_EQ(config.servers.at("b").era, Era::kModern);
}

TEST_F(Loading, RelativeSecretFilesStandBesideTheConfiguration) {
  environment_.files["/etc/switchyard/key"] = "k";
  const Config config = Read("servers: {a: {command: x, env: {K: '${file:key}'}}}\n");
  EXPECT_EQ(config.servers.at("a").env.at("K").Reveal(), "k");
}

TEST_F(Loading, WarnsOfAnOpenAddressThatIsMeantToBeOne) {
  for (const char* listen : {"0.0.0.0:80", "{address: '[::]:80'}"}) {
    Read("listen: " + std::string(listen) + "\nauth: none\nservers: {}\n");
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_EQ(warnings_[0].path, "auth");
  }
  for (const char* address : {"127.0.0.1:80", "127.8.8.8:80", "'[::1]:80'", "localhost:80"}) {
    Read("listen: " + std::string(address) + "\nservers: {}\n");
    EXPECT_THAT(warnings_, IsEmpty()) << address;
  }
}

TEST_F(Loading, WarnsOfHeadersSentInClearToAnotherMachine) {
  Read("servers: {a: {url: 'http://mcp.example.com/mcp', headers: {A: b}}}\n");
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_EQ(warnings_[0].path, "servers.a.url");
  for (const char* url :
       {"https://mcp.example.com", "http://localhost:1/mcp", "http://[::1]/mcp"}) {
    Read("servers: {a: {url: '" + std::string(url) + "', headers: {A: b}}}\n");
    EXPECT_THAT(warnings_, IsEmpty()) << url;
  }
  Read("servers: {a: {url: 'http://mcp.example.com/mcp'}}\n");
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(Loading, AFileThatCannotBeReadIsAProblemOfTheFile) {
  const auto loaded = Load("/nowhere.yaml", keys_, environment_);
  ASSERT_FALSE(loaded);
  ASSERT_EQ(loaded.error().size(), 1U);
  EXPECT_EQ(loaded.error()[0].ToString(), "/nowhere.yaml: cannot read: no such file or directory");
}

TEST_F(Loading, APolicyParserThatGivesUpLeavesNothingBehind) {
  keys_.push_back({"odd", [](Section section, const void*) -> std::shared_ptr<const void> {
                     section.Error("", "is not for me");
                     return nullptr;
                   }});
  const auto loaded =
      LoadText("servers: {}\npolicies:\n  odd: {}\n", "c.yaml", keys_, environment_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error()[0].ToString(), "c.yaml:3:3: policies.odd: is not for me");
}

}  // namespace
}  // namespace switchyard::config
