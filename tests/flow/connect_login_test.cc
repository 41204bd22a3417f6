// Who opens a link to connect an account signs in first, where the issuer of callers' tokens has a
// login: the link is good for the caller that it was made for, and for nobody to whom it was sent.
#include <gmock/gmock.h>

#include "flow/connect.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConnectLogin : public ConnectFixture, public ::testing::Test {
 protected:
  ~ConnectLogin() { gateway.Stop(); }

  void Start(const std::string& of_issuer = FakeLogin::kConfig) {
    authorization.others = [this](const fetch::Request& request) { return login.Answer(request); };
    Says(fake.url(), "client_id: me, issuer: 'https://as.example'", of_issuer).Start();
  }
  SignIn Visits(const std::string& link, const std::string& subject) {
    return {gateway.port(), link, login, subject};
  }
  void NobodyIsConnected() {
    EXPECT_EQ(Admin("GET").body, R"({"connections":[]})");
    EXPECT_TRUE(authorization.forms().empty()) << "no code was spent";
  }
  bool Counted(const std::string& outcome) {
    return Shows(gateway, "switchyard_connect_logins_total{outcome=\"" + outcome + "\"} 1");
  }

  FakeServer fake = FakeServer::Modern("a");
  FakeLogin login{"https://issuer.example", issuer};
};

TEST_F(ConnectLogin, TheCallerSignsInAndConnects) {
  Start();
  const std::string link = LinkFor("alice");
  Browser first(gateway.port());
  const Answer page = first.Get(Browser::PathOf(link));
  EXPECT_THAT(page.body, HasSubstr("sign in at https://issuer.example"));
  for (const char* hidden : {"alice", "as.example", "read"}) {
    EXPECT_THAT(page.body, Not(HasSubstr(hidden))) << "nothing of the link is shown before";
  }
  SignIn visit = Visits(link, "alice");
  const Answer signed_in = visit.ComesBack();
  EXPECT_EQ(signed_in.status, 200) << signed_in;
  EXPECT_EQ(Browser::Next(signed_in), visit.path);
  EXPECT_THAT(signed_in.headers.at("content-security-policy"), HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(visit.browser.Get(visit.path).body,
              HasSubstr("Go on only if you asked for this yourself."));
  EXPECT_THAT(visit.browser.Connect(link, authorization).body, HasSubstr("<h1>Connected</h1>"));
  ModernClient client = Modern();
  EXPECT_EQ(Echo(client).text(), "x");
  EXPECT_EQ(Shown(fake.received("tools/call").back()), "Bearer access-1")
      << "what the issuer gave goes to no server";
  EXPECT_TRUE(Counted("proven"));
}

TEST_F(ConnectLogin, WhoIsSentALinkOfSomebodyElseIsToldAndConnectsNothing) {
  Start();
  const std::string link = LinkFor("mallory");
  SignIn alice = Visits(link, "alice");
  const Answer told = alice.ComesBack();
  EXPECT_EQ(told.status, 403);
  EXPECT_THAT(told.body, HasSubstr("as somebody else than whose call this link is for"));
  EXPECT_THAT(told.body, Not(HasSubstr("mallory")));
  EXPECT_THAT(alice.browser.Get(alice.path).body, HasSubstr("sign in at"));
  NobodyIsConnected();
  EXPECT_TRUE(Counted("another"));
  EXPECT_EQ(FakeAuthorization::Query(Visits(link, "mallory").sent).at("prompt"), "login");
}

TEST_F(ConnectLogin, WhoSignsInFirstCannotHandTheRestOn) {
  Start();
  const std::string link = LinkFor("mallory");
  SignIn mallory = Visits(link, "mallory");
  EXPECT_EQ(mallory.ComesBack().status, 200);
  const Answer page = mallory.browser.Get(mallory.path);
  const std::string next = Browser::Next(mallory.browser.Press(mallory.path, page));
  const std::string back = Browser::PathOf(FakeAuthorization::Query(next).at("redirect_uri"));
  Browser alice(gateway.port());
  EXPECT_EQ(alice.Get(mallory.path).status, 403) << "the link";
  EXPECT_EQ(alice.Get(back + "?" + authorization.Agree(next)).status, 403)
      << "the page of the authorization server";
  SignIn again = Visits(LinkFor("mallory-2"), "alice");
  EXPECT_EQ(alice.Get(again.back + "?" + again.query).status, 403) << "the page of the issuer";
  NobodyIsConnected();
}

TEST_F(ConnectLogin, TheFormOfTheNextPageIsNoWayAroundIt) {
  Start();
  const std::string path = Browser::PathOf(LinkFor("alice"));
  Browser browser(gateway.port()), other(gateway.port());
  const Answer page = browser.Get(path);
  const std::string proof = "proof=" + Browser::Between(page.body, R"(name="proof" value=")", "\"");
  EXPECT_EQ(browser.Post(path, proof, "https://evil.example").status, 403);
  EXPECT_EQ(browser.Post(path, "proof=x", browser.origin()).status, 403);
  EXPECT_EQ(other.Press(path, page).status, 403) << "of another browser, or none";
  EXPECT_TRUE(Browser::Next(browser.Press(path, page)).starts_with("https://issuer.example/"));
  NobodyIsConnected();
}

TEST_F(ConnectLogin, AnswersThatDoNotFitSignNobodyIn) {
  login.says_issuer = true;
  Start();
  SignIn visit = Visits(LinkFor("alice"), "alice");
  const std::string state = Browser::Between(visit.query, "state=", "&");
  const std::string code = Browser::Between(visit.query, "code=", "&");
  for (const std::string& query :
       {std::string(), "code=" + code, "code=" + code + "&state=", visit.query + "&state=" + state,
        visit.query + "&code=x", "code=" + code + "&state=" + std::string(32, '0')}) {
    EXPECT_EQ(visit.browser.Get(visit.back + "?" + query).status, 404) << query;
  }
  for (const char* path : {"/connect/login/", "/connect/login/evil.example",
                           "/connect/login/issuer.example/", "/connect/callback/a"}) {
    EXPECT_EQ(visit.browser.Get(std::string(path) + "?" + visit.query).status, 404) << path;
  }
  EXPECT_EQ(visit.browser.Post(visit.back + "?" + visit.query, "", visit.browser.origin()).status,
            404);
  EXPECT_EQ(login.given(), 0);
  EXPECT_EQ(visit.ComesBack().status, 200) << "none of them took the attempt away";
  EXPECT_EQ(visit.ComesBack().status, 404) << "once";
  EXPECT_EQ(login.given(), 1);
  SignIn other = Visits(LinkFor("bob"), "bob");
  other.query =
      other.query.substr(0, other.query.find("&iss=")) + "&iss=https%3A%2F%2Fevil.example";
  EXPECT_EQ(other.ComesBack().status, 403) << "somebody else answered";
  EXPECT_EQ(login.given(), 1);
  NobodyIsConnected();
}

TEST_F(ConnectLogin, AnIdTokenThatIsNotForThisAttemptIsNotBelieved) {
  Start();
  int number = 0;
  for (const TokenIssuer::Claims& claims :
       std::vector<TokenIssuer::Claims>{{{"nonce", R"("another")"}},
                                        {{"nonce", ""}},
                                        {{"aud", R"("gateway")"}},
                                        {{"azp", R"("somebody")"}},
                                        {{"iss", R"("https://evil.example")"}},
                                        {{"iat", ""}},
                                        {{"exp", "1000"}}}) {
    login.Says(claims);
    const std::string subject = "user-" + std::to_string(++number);
    SignIn visit = Visits(LinkFor(subject), subject);
    const Answer told = visit.ComesBack();
    EXPECT_EQ(told.status, 503) << number;
    EXPECT_THAT(told.body, Not(HasSubstr("ID token"))) << "for the log";
    EXPECT_THAT(visit.browser.Get(visit.path).body, HasSubstr("sign in at"));
  }
  NobodyIsConnected();
}

TEST_F(ConnectLogin, ALinkThatTookTooLongIsOver) {
  Start();
  SignIn visit = Visits(LinkFor("alice"), "alice");
  clock.Advance(std::chrono::minutes(16));
  EXPECT_EQ(visit.ComesBack().status, 404);
  SignIn proven = Visits(LinkFor("alice"), "alice");
  EXPECT_EQ(proven.ComesBack().status, 200);
  clock.Advance(std::chrono::minutes(16));
  EXPECT_EQ(proven.browser.Get(proven.path).status, 404);
  EXPECT_THAT(Visits(LinkFor("alice"), "alice").sent, HasSubstr("https://issuer.example"))
      << "the next link wants it anew";
}

TEST_F(ConnectLogin, ALoginThatComesByAReloadIsAskedForAtOnce) {
  Start("");
  const std::string link = LinkFor("alice"), path = Browser::PathOf(link);
  Browser browser(gateway.port());
  const std::string next = Browser::Next(browser.Press(path, browser.Get(path)));
  const std::string back = Browser::PathOf(FakeAuthorization::Query(next).at("redirect_uri"));
  gateway.With("auth", "{issuers: [" +
                           issuer.Config(std::string("audience: [gateway]") + FakeLogin::kConfig) +
                           "]}");
  gateway.Reload();
  EXPECT_EQ(browser.Get(back + "?" + authorization.Agree(next)).status, 403)
      << "what was begun without it";
  NobodyIsConnected();
  SignIn visit = Visits(link, "alice");
  EXPECT_EQ(visit.ComesBack().status, 200);
  EXPECT_THAT(visit.browser.Connect(link, authorization).body, HasSubstr("<h1>Connected</h1>"));
  EXPECT_EQ(browser.Get(path).status, 404);
}

// Whose token is of an issuer without a login, or is none, is asked as before.
TEST_F(ConnectLogin, WhoHasNowhereToSignInIsWarned) {
  Start("");
  Browser browser(gateway.port());
  EXPECT_THAT(browser.Get(Browser::PathOf(LinkFor("alice"))).body,
              HasSubstr("Go on only if you are alice and asked for this yourself."));
  const Answer offered = Admin("POST", R"({"server":"a","action":"connect"})");
  EXPECT_THAT(browser.Get(Browser::PathOf(TextAt(offered.message(), "/url"))).body,
              HasSubstr("Go on only if you run this gateway."));
}

TEST_F(ConnectLogin, OverHttpsTheCookieIsForThisHostAlone) {
  gateway.With("listen",
               "{address: '127.0.0.1:0', public_url: 'https://mcp.example.com', "
               "allowed_hosts: ['127.0.0.1', mcp.example.com]}");
  Start();
  Browser browser(gateway.port());
  const std::string path = Browser::PathOf(LinkFor("alice"));
  const Answer page = browser.Get(path);
  EXPECT_THAT(page.headers.at("set-cookie"), HasSubstr("__Host-switchyard-connect="));
  EXPECT_THAT(page.headers.at("set-cookie"), HasSubstr("; HttpOnly; SameSite=Lax; Secure"));
  const std::string next = Browser::Next(
      browser.Post(path, "proof=" + Browser::Between(page.body, R"(name="proof" value=")", "\""),
                   "https://mcp.example.com"));
  EXPECT_EQ(FakeAuthorization::Query(next).at("redirect_uri"),
            "https://mcp.example.com/connect/login/issuer.example");
}

}  // namespace
}  // namespace switchyard::tests
