// What changes who may do what is in the audit log of a whole gateway: accounts that are connected
// and forgotten, and reloads.
#include <fstream>

#include <gmock/gmock.h>

#include "audit/verify_log.h"
#include "flow/connect.h"

namespace switchyard::tests {
namespace {

using ::testing::ElementsAre;

class AuditChanges : public ConnectFixture, public ::testing::Test {
 protected:
  // What the log says of events of that kind, once all that came before is in it.
  std::vector<json::value> Events(const std::string& kind) {
    gateway.Stop();
    const auto logs = audit::FindLogs(path);
    EXPECT_TRUE(logs);
    if (!logs) return {};
    const auto verified = audit::VerifyLog(logs->front(), {}, nullptr);
    EXPECT_FALSE(verified.problem) << verified.problem->reason;
    std::vector<json::value> events;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      json::value record = Parse(line);
      if (TextAt(record, "/event") == kind) events.push_back(std::move(record));
    }
    return events;
  }

  const std::string path = directory.Path("audit.jsonl");
  FakeServer fake = FakeServer::Modern("a");
};

TEST_F(AuditChanges, AccountsThatAreConnectedAndForgottenAreOnRecord) {
  Says(fake.url(), "client_id: me, issuer: 'https://as.example'")
      .With("audit", "{path: " + path + "}")
      .Start();
  ConnectFixture::Connect("alice");
  const std::string whose = R"({"issuer":"https://issuer.example","subject":"alice"})";
  EXPECT_EQ(Admin("POST", R"({"server":"a","action":"forget","caller":)" + whose + "}").status,
            200);
  EXPECT_EQ(Admin("POST", R"({"server":"a","action":"forget","caller":)" + whose + "}").status,
            404);
  std::vector<std::string> told;
  for (const json::value& event : Events("account")) {
    told.push_back(TextAt(event, "/decision") + " by " + TextAt(event, "/approver") + " of " +
                   TextAt(event, "/subject") + " at " + TextAt(event, "/server") + " of " +
                   TextAt(event, "/authorization_server") + TextAt(event, "/credential"));
  }
  EXPECT_THAT(told, ElementsAre("connected by browser of alice at a of https://as.examplenone",
                                "forgotten by operator of alice at a of https://as.example"));
}

TEST_F(AuditChanges, WhoseLinkWasPassedOnIsOnRecordAndThatACallerProvedToBeOne) {
  FakeLogin login{"https://issuer.example", issuer};
  authorization.others = [&login](const fetch::Request& request) { return login.Answer(request); };
  Says(fake.url(), "client_id: me, issuer: 'https://as.example'", FakeLogin::kConfig)
      .With("audit", "{path: " + path + "}")
      .Start();
  const std::string link = LinkFor("mallory");
  EXPECT_EQ(SignIn(gateway.port(), link, login, "alice").ComesBack().status, 403);
  SignIn mallory(gateway.port(), link, login, "mallory");
  EXPECT_EQ(mallory.ComesBack().status, 200);
  EXPECT_EQ(mallory.browser.Connect(link, authorization).status, 200);
  std::vector<std::string> told;
  for (const json::value& event : Events("account")) {
    told.push_back(TextAt(event, "/decision") + " of " + TextAt(event, "/subject") + " by " +
                   TextAt(event, "/credential") + " " + TextAt(event, "/reason"));
  }
  EXPECT_THAT(told, ElementsAre("another of mallory by login signed in as alice",
                                "connected of mallory by login "));
}

TEST_F(AuditChanges, AReloadSaysWhatItChangedAndWhichConfigurationHolds) {
  gateway.Serves("a", fake).With("audit", "{path: " + path + "}").Start();
  gateway.Reload();
  gateway.With("policies", "{authorize: {rules: [{name: r, effect: allow, what: {tool: echo}}]}}")
      .Reload();
  gateway.With("policies", "{authorize: {rules: [{name: r, effect: deny, what: {tool: echo}}]}}")
      .Reload();
  std::vector<json::value> events = Events("reload");
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(TextAt(events[0], "/decision"), "started");
  EXPECT_EQ(TextAt(events[0], "/configuration"), TextAt(events[1], "/configuration_before"));
  events.erase(events.begin());
  EXPECT_EQ(TextAt(events[0], "/changed"), "");
  EXPECT_EQ(TextAt(events[1], "/changed"), "policies");
  EXPECT_EQ(TextAt(events[2], "/changed"), "policies") << "a word in a rule";
  EXPECT_EQ(TextAt(events[1], "/configuration"), TextAt(events[2], "/configuration_before"));
  EXPECT_NE(TextAt(events[1], "/configuration"), TextAt(events[2], "/configuration"));
}

TEST_F(AuditChanges, TheReloadThatTurnsTheLogOffIsItsLastRecord) {
  gateway.Serves("a", fake).With("audit", "{path: " + path + "}").Start();
  gateway.With("audit", "{}").Reload();
  gateway.Reload();
  const std::vector<json::value> events = Events("reload");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(TextAt(events[1], "/decision"), "reloaded");
  EXPECT_EQ(TextAt(events[1], "/changed"), "audit");
  EXPECT_NE(TextAt(events[1], "/configuration"), TextAt(events[0], "/configuration"));
}

}  // namespace
}  // namespace switchyard::tests
