// The example of TLS: config/tls.yaml with the certificates that deploy/tls makes and takes over.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/handshake.h"
#include "support/paths.h"
#include "support/temp_dir.h"

namespace switchyard::tests {
namespace {

class TlsExample : public ::testing::Test {
 protected:
  ~TlsExample() override { gateway.Stop(); }

  static int Run(const std::string& script, const std::string& arguments) {
    const std::string path = paths::SourceDir() + "/deploy/tls/" + script;
    return std::system((path + " " + arguments + " >/dev/null 2>&1").c_str());
  }
  int Make(const std::string& client) const {
    return Run("make-certificates.sh", directory.path() + " mcp.example.com " + client);
  }
  std::string File(const std::string& name) const { return directory.Path(name); }
  std::string Text(const std::string& name) const {
    std::ifstream in(File(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // The file's own words, at this machine's address and with the certificates of the script.
  void Start() {
    std::ifstream in(paths::SourceDir() + "/config/tls.yaml");
    std::string yaml{std::istreambuf_iterator<char>(in), {}};
    const auto replace = [&yaml](const std::string& from, const std::string& to) {
      for (std::size_t at = yaml.find(from); at != std::string::npos; at = yaml.find(from)) {
        yaml.replace(at, from.size(), to);
      }
    };
    replace("/etc/switchyard/tls", directory.path());
    const auto section = [&yaml](const std::string& name) {
      const std::size_t begin = yaml.find("\n" + name + ":\n") + name.size() + 3;
      return yaml.substr(begin, yaml.find("\n\n", begin) - begin);
    };
    std::string listen = section("listen");
    listen.replace(listen.find("0.0.0.0:8443"), 12, "127.0.0.1:0");
    std::string auth = section("auth");
    auth.erase(auth.find("  api_keys_file"));
    gateway.With("listen", "\n" + listen)
        .With("auth", "\n" + auth)
        .With("policies", "\n" + section("policies"))
        .Serves("files", fake)
        .Start();
  }
  std::string List(const Handshake::Options& options) const {
    const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{)"
                             R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                             R"("io.modelcontextprotocol/clientCapabilities":{}}}})";
    return Handshake(gateway.port(), options)
        .Ask(
            "POST /mcp HTTP/1.1\r\nHost: mcp.example.com\r\nContent-Type: application/json\r\n"
            "Accept: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: "
            "tools/list\r\nConnection: close\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  Handshake::Options Client() const {
    return {.certificate = File("client.pem"), .key = File("client-key.pem")};
  }

  const TempDir directory;
  FakeServer fake = FakeServer::Modern("files");
  Gateway gateway;
};

TEST_F(TlsExample, ItsCertificatesSayWhoCallsAndWhoDoesNot) {
  ASSERT_EQ(Make("spiffe://example.com/agents/one"), 0);
  fake.surface().AddTool("read_file", [](Turn& turn) { turn.Text("read"); });
  Start();
  const std::string agent = List(Client());
  EXPECT_TRUE(agent.starts_with("HTTP/1.1 200")) << agent;
  EXPECT_TRUE(agent.contains(R"("files__read_file")")) << agent;
  EXPECT_FALSE(agent.contains(R"("files__echo")")) << agent;
  EXPECT_TRUE(List({}).starts_with("HTTP/1.1 401"));
  ASSERT_EQ(Make("operator"), 0);
  EXPECT_TRUE(List(Client()).contains(R"("files__echo")")) << "of the same authority, another role";
  ASSERT_EQ(Make("spiffe://example.com/people/eve"), 0);
  EXPECT_TRUE(List(Client()).starts_with("HTTP/1.1 401")) << "no rule is for it";
  const TempDir other;
  ASSERT_EQ(Run("make-certificates.sh", other.path() + " mcp.example.com operator"), 0);
  EXPECT_EQ(List({.certificate = other.Path("client.pem"), .key = other.Path("client-key.pem")}),
            "")
      << "of another authority";
}

TEST_F(TlsExample, AnAuthorityWithoutItsKeyIsNotReplaced) {
  ASSERT_EQ(Make("operator"), 0);
  const std::string authority = Text("clients-ca.pem"), server = Text("server.pem");
  const std::string key = File("clients-ca-key.pem"), away = File("elsewhere");
  std::filesystem::rename(key, away);
  EXPECT_NE(Make("operator"), 0);
  EXPECT_EQ(Text("clients-ca.pem"), authority);
  EXPECT_EQ(Text("server.pem"), server);
  EXPECT_FALSE(std::filesystem::exists(key));
  std::filesystem::rename(away, key);
  std::filesystem::rename(File("clients-ca.pem"), away);
  EXPECT_NE(Make("operator"), 0) << "nor a key without its authority";
  std::filesystem::rename(away, File("clients-ca.pem"));
  EXPECT_EQ(Make("operator"), 0);
  EXPECT_EQ(Text("clients-ca.pem"), authority);
  EXPECT_NE(Text("server.pem"), server);
}

TEST_F(TlsExample, AHostMayBeAnAddressAndTheGatewaysUserGetsItsKey) {
  const auto names = [this] {
    const std::string text = "openssl x509 -noout -ext subjectAltName -in " + File("server.pem");
    EXPECT_EQ(std::system((text + " >" + File("names")).c_str()), 0);
    return Text("names");
  };
  const std::pair<std::string, std::string> hosts[] = {{"10.0.0.5", "IP Address:10.0.0.5"},
                                                       {"fd00::5", "IP Address:FD00:0:0:0:0:0:0:5"},
                                                       {"10.example.com", "DNS:10.example.com"}};
  for (const auto& [host, name] : hosts) {
    ASSERT_EQ(Run("make-certificates.sh", directory.path() + " " + host + " operator $(id -u)"), 0);
    EXPECT_NE(names().find(name + ", "), std::string::npos) << names();
  }
  EXPECT_EQ(std::filesystem::status(File("server-key.pem")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const std::string fresh = File("a/b");
  ASSERT_EQ(Run("make-certificates.sh", fresh + " mcp.example.com"), 0);
  for (const std::string& folder : {File("a"), fresh}) {
    EXPECT_NE(std::filesystem::status(folder).permissions() & std::filesystem::perms::others_exec,
              std::filesystem::perms::none)
        << "the gateway's user looks into " << folder;
  }
}

TEST_F(TlsExample, ARenewedCertificateIsTakenOverWholeOrNotAtAll) {
  ASSERT_EQ(Make("operator"), 0);
  Start();
  const std::string first = Text("server.pem");
  const TempDir renewed;
  const std::string hook = "RENEWED_LINEAGE=" + renewed.path() + " " + paths::SourceDir() +
                           "/deploy/tls/renew.sh " + directory.path() + " 2>/dev/null";
  ASSERT_EQ(Run("make-certificates.sh", renewed.path() + " mcp.example.com"), 0);
  std::filesystem::copy_file(renewed.Path("server.pem"), renewed.Path("fullchain.pem"));
  std::filesystem::copy_file(renewed.Path("client-key.pem"), renewed.Path("privkey.pem"));
  EXPECT_NE(std::system(hook.c_str()), 0) << "the key is not that one's";
  EXPECT_EQ(Text("server.pem"), first);
  std::filesystem::copy_file(renewed.Path("server-key.pem"), renewed.Path("privkey.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  ASSERT_EQ(std::system(hook.c_str()), 0);
  EXPECT_NE(Text("server.pem"), first);
  gateway.Reload();
  const auto shows = [this](const std::string& text) {
    TestCertificate certificate;
    certificate.certificate_pem = text;
    return Handshake(gateway.port(), {}).Showed(certificate);
  };
  EXPECT_TRUE(shows(Text("server.pem")));
  EXPECT_FALSE(shows(first));
  EXPECT_EQ(std::filesystem::status(File("server-key.pem")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace switchyard::tests
