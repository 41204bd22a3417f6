// What others may send to the pages on which accounts are connected, and servers that want more
// than they were shown.
#include <atomic>
#include <fstream>

#include <gmock/gmock.h>

#include "flow/connect.h"
#include "support/becomes.h"
#include "support/web_site.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConnectHostile : public ConnectFixture, public ::testing::Test {
 protected:
  void Start(const std::string& keys = "client_id: me, issuer: 'https://as.example'") {
    Says(fake.url(), keys).Start();
  }
  // A browser at the authorization server: what it brings back, and where to.
  struct Away {
    Browser browser;
    std::string back, query;
  };
  Away GoesTo(const std::string& link) {
    Away away{.browser = Browser(gateway.port()), .back = {}, .query = {}};
    const std::string path = Browser::PathOf(link);
    const std::string next = Browser::Next(away.browser.Press(path, away.browser.Get(path)));
    away.back = Browser::PathOf(FakeAuthorization::Query(next).at("redirect_uri"));
    away.query = authorization.Agree(next);
    return away;
  }
  void NobodyIsConnected() {
    EXPECT_EQ(Admin("GET").body, R"({"connections":[]})");
    EXPECT_TRUE(authorization.forms().empty()) << "no code was spent";
  }

  FakeServer fake = FakeServer::Modern("a");
};

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST_F(ConnectHostile, CallbacksThatDoNotFitConnectNobody) {
  Start();
  Away away = GoesTo(LinkFor("alice"));
  const std::string state = Browser::Between(away.query, "state=", "&");
  const std::string code = Browser::Between(away.query, "code=", "&");
  const std::string other(state.size(), '0');
  struct Case {
    const char* what;
    std::string query;
    int status;
  };
  const std::vector<Case> cases = {
      {"nothing", "", 404},
      {"no state", "code=" + code, 404},
      {"an empty state", "code=" + code + "&state=", 404},
      {"another state", "code=" + code + "&state=" + other, 404},
      {"a shorter state", "code=" + code + "&state=" + state.substr(1), 404},
      {"a longer state", "code=" + code + "&state=" + state + "0", 404},
      {"a state twice", away.query + "&state=" + state, 404},
      {"two codes", away.query + "&code=mine", 404},
      {"two issuers", away.query + "&iss=https%3A%2F%2Fevil.example", 404},
      {"a broken escape", away.query + "&x=%4", 404},
      {"a state in other letters", Replaced(away.query, "state=", "STATE="), 404},
      {"the state as a code", "code=" + state + "&state=", 404},
      {"a long query", away.query + "&x=" + std::string(20'000, 'x'), 431},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(away.browser.Get(away.back + "?" + one.query).status, one.status) << one.what;
  }
  EXPECT_EQ(away.browser.Get("/connect/callback/?" + away.query).status, 404);
  EXPECT_EQ(away.browser.Get("/connect/callback/b?" + away.query).status, 404);
  EXPECT_EQ(away.browser.Get("/connect/callback/a/x?" + away.query).status, 404);
  EXPECT_EQ(away.browser.Post(away.back + "?" + away.query, "", away.browser.origin()).status, 404);
  NobodyIsConnected();
  EXPECT_THAT(away.browser.Get(away.back + "?" + away.query).body, HasSubstr("Connected"))
      << "none of them took the attempt away";
}

TEST_F(ConnectHostile, AnswersOfSomebodyElseAreNotBelieved) {
  Start();
  int number = 0;
  for (const char* issuer :
       {"&iss=https%3A%2F%2Fevil.example", "&iss=https%3A%2F%2Fas.example%2F", "&iss=", ""}) {
    Away away = GoesTo(LinkFor("user-" + std::to_string(++number)));
    const Answer answer =
        away.browser.Get(away.back + "?" + away.query.substr(0, away.query.find("&iss=")) + issuer);
    EXPECT_EQ(answer.status, 403) << issuer;
    EXPECT_EQ(away.browser.Get(away.back + "?" + away.query).status, 404) << "once";
  }
  Away away = GoesTo(LinkFor("alice"));
  const std::string state = Browser::Between(away.query, "state=", "&");
  const std::string as = "&iss=https%3A%2F%2Fas.example";
  const Answer denied = away.browser.Get(
      away.back + "?error=access_denied&error_description=%3Cscript%3E&state=" + state + as);
  EXPECT_THAT(denied.body, HasSubstr("refused: access_denied"));
  EXPECT_THAT(denied.body, Not(HasSubstr("<script>")));
  NobodyIsConnected();
}

TEST_F(ConnectHostile, AnotherBrowserCanNeitherTakeALinkOverNorFinishIt) {
  Start();
  const std::string link = LinkFor("alice");
  Away away = GoesTo(link);
  Browser other(gateway.port());
  EXPECT_EQ(other.Get(away.back + "?" + away.query).status, 403) << "no cookie";
  other.cookie = "switchyard-connect=" + std::string(32, '0');
  EXPECT_EQ(other.Get(away.back + "?" + away.query).status, 403);
  EXPECT_EQ(other.Get(Browser::PathOf(link)).status, 403);
  other.cookie = away.browser.cookie + "; switchyard-connect=" + std::string(32, '0');
  EXPECT_EQ(other.Get(away.back + "?" + away.query).status, 403) << "two of one name";
  NobodyIsConnected();
  EXPECT_EQ(away.browser.Get(away.back + "?" + away.query).status, 200);
  EXPECT_EQ(away.browser.Get(away.back + "?" + away.query).status, 404) << "once";
  EXPECT_EQ(away.browser.Get(Browser::PathOf(link)).status, 404) << "the link as well";
  EXPECT_EQ(authorization.forms().size(), 1U);
}

TEST_F(ConnectHostile, OnlyTheButtonOfThePageBeginsAnything) {
  Start();
  const std::string path = Browser::PathOf(LinkFor("alice"));
  Browser browser(gateway.port()), other(gateway.port());
  const Answer page = browser.Get(path);
  const Answer others = other.Get(path);
  const std::string proof = "proof=" + Browser::Between(page.body, R"(name="proof" value=")", "\"");
  EXPECT_EQ(browser.Post(path, proof, "https://evil.example").status, 403);
  EXPECT_EQ(browser.Post(path, proof, "null").status, 403);
  EXPECT_EQ(browser.Post(path, "", browser.origin()).status, 403);
  EXPECT_EQ(browser.Post(path, "proof=x", browser.origin()).status, 403);
  EXPECT_EQ(browser.Press(path, others).status, 403) << "of another browser";
  EXPECT_EQ(browser.Post(path + "0", proof, browser.origin()).status, 403);
  Browser bare(gateway.port());
  EXPECT_EQ(bare.Post(path, proof, bare.origin()).status, 403) << "without the cookie";
  EXPECT_EQ(browser.Post(path, proof + std::string(5000, 'x'), browser.origin()).status, 403);
  EXPECT_NE(Browser::Next(browser.Press(path, page)), "");
  EXPECT_EQ(other.Press(path, others).status, 403) << "who comes second";
}

TEST_F(ConnectHostile, LinksThatAreNoneOrOverLeadNowhere) {
  Start();
  Browser browser(gateway.port());
  for (const char* path :
       {"/connect/", "/connect/x", "/connect/../metrics", "/connect/client/", "/connect/client/a",
        "/connect/client/b", "/connect/00000000000000000000000000000000"}) {
    EXPECT_EQ(browser.Get(path).status, 404) << path;
  }
  const std::string link = LinkFor("alice");
  clock.Advance(std::chrono::minutes(16));
  EXPECT_EQ(browser.Get(Browser::PathOf(link)).status, 404);
  EXPECT_NE(LinkFor("alice"), link);
}

TEST_F(ConnectHostile, APageCannotBeFramedAndHasNoScript) {
  Start();
  const Answer page = Browser(gateway.port()).Get(Browser::PathOf(LinkFor("alice<b>")));
  EXPECT_THAT(page.headers.at("content-security-policy"),
              HasSubstr("default-src 'none'; form-action 'self'; frame-ancestors 'none'"));
  EXPECT_EQ(page.headers.at("cache-control"), "no-store");
  EXPECT_EQ(page.headers.at("referrer-policy"), "same-origin");
  EXPECT_THAT(page.headers.at("set-cookie"), HasSubstr("; HttpOnly; SameSite=Lax"));
  EXPECT_THAT(page.body, HasSubstr("alice&lt;b&gt; of https://issuer.example"));
  EXPECT_THAT(page.body, HasSubstr("https://as.example"));
  EXPECT_THAT(page.body, HasSubstr("<dd>read</dd>"));
  EXPECT_THAT(page.body, Not(HasSubstr("<script")));
}

TEST_F(ConnectHostile, AnAddressIsInNoRecordOfTheCall) {
  const std::string path = directory.path() + "/audit.jsonl";
  gateway.With("policies", "{audit: {}}").With("audit", "{path: '" + path + "'}");
  Start();
  ModernClient modern = Modern("alice", "{}");
  LegacyClient legacy = Legacy("alice", "{}");
  for (Client* client : std::initializer_list<Client*>{&modern, &legacy}) {
    const Answer answer = client->Request(
        {.method = "prompts/get", .members = R"("name":"a__greet","arguments":{"who":"x"})"});
    EXPECT_THAT(answer.body, HasSubstr("open this page in a browser")) << answer;
    EXPECT_THAT(answer.body, HasSubstr("/connect/"));
  }
  Echo(modern);
  gateway.Stop();
  std::ifstream in(path);
  const std::string log{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(log, HasSubstr("has to be connected there first"));
  EXPECT_THAT(log, Not(HasSubstr("/connect/")));
}

TEST_F(ConnectHostile, AnAuthorizationServerWithoutPkceIsNotUsed) {
  authorization.has_pkce = false;
  Start();
  const std::string path = Browser::PathOf(LinkFor("alice"));
  Browser browser(gateway.port());
  const Answer sent = browser.Press(path, browser.Get(path));
  EXPECT_EQ(sent.status, 503);
  EXPECT_THAT(sent.body, Not(HasSubstr("PKCE"))) << "for the log";
}

TEST_F(ConnectHostile, AnAuthorizationServerThatHasUsersSignInAtAnotherOneIsNotUsed) {
  authorization.sign_in = "https://honest.example";
  authorization.says_issuer = false;
  authorization.registers = true;
  Start("");
  Browser browser(gateway.port());
  const Answer page = browser.Get(Browser::PathOf(LinkFor("alice")));
  EXPECT_EQ(page.status, 503) << page.body;
  EXPECT_THAT(page.body, Not(HasSubstr("honest.example"))) << "for the log";
  EXPECT_EQ(authorization.registered(), 0);
}

TEST_F(ConnectHostile, WhereUsersSignInIsShownWhereTheConfigurationNamesTheIssuer) {
  authorization.sign_in = "https://honest.example";
  authorization.says_issuer = false;
  Start();
  Browser browser(gateway.port());
  EXPECT_THAT(browser.Get(Browser::PathOf(LinkFor("alice"))).body,
              HasSubstr("<dd>https://as.example, at https://honest.example</dd>"));
}

// By its document anybody may name the gateway, at an authorization server of their choice.
TEST_F(ConnectHostile, WhoDoesNotSayWhoAnswersIsNotAnsweredByTheDocument) {
  authorization.says_issuer = false;
  authorization.registers = true;
  authorization.takes_documents = true;
  gateway.With("listen",
               "{address: '127.0.0.1:0', public_url: 'https://mcp.example.com', "
               "allowed_hosts: ['127.0.0.1', mcp.example.com]}");
  Start("");
  Browser browser(gateway.port());
  const Answer document = browser.Get("/connect/client/a");
  const std::string answers = Browser::PathOf(TextAt(document.message(), "/redirect_uris/0"));
  const std::string path = Browser::PathOf(LinkFor("alice"));
  const Answer page = browser.Get(path);
  const std::string next = Browser::Next(
      browser.Post(path, "proof=" + Browser::Between(page.body, R"(name="proof" value=")", "\""),
                   "https://mcp.example.com"));
  const auto query = FakeAuthorization::Query(next);
  EXPECT_EQ(query.at("client_id"), "registered");
  EXPECT_NE(Browser::PathOf(query.at("redirect_uri")), answers);
  EXPECT_EQ(browser.Get(answers + "?" + authorization.Agree(next)).status, 404);
  NobodyIsConnected();
}

TEST_F(ConnectHostile, AServerThatNamesAnotherIssuerGetsNothing) {
  Start("client_id: me, issuer: 'https://other.example'");
  EXPECT_EQ(Browser(gateway.port()).Get(Browser::PathOf(LinkFor("alice"))).status, 503);
}

TEST_F(ConnectHostile, AForgottenConnectionDoesNotComeBackByALinkThatIsOpen) {
  Start();
  Away away = GoesTo(LinkFor("alice"));
  Admin("POST",
        R"({"server":"a","action":"forget","caller":{"issuer":"https://issuer.example","subject":)"
        R"("alice"}})");
  EXPECT_EQ(away.browser.Get(away.back + "?" + away.query).status, 404);
  NobodyIsConnected();
}

// A server that lets nobody in without a token, and not everywhere with one.
class ConnectProtected : public ConnectFixture, public ::testing::Test {
 protected:
  ConnectProtected() {
    site.Answers([this](const WebSite::Request& request) { return PageFor(request); });
    Says(site.Url("/mcp"), "client_id: me, issuer: 'https://as.example'");
  }
  ~ConnectProtected() { gateway.Stop(); }

  WebSite::Page PageFor(const WebSite::Request& request) {
    if (request.method != "POST") return {.status = 405};
    const std::size_t at = request.headers.find("Bearer access-");
    const int token = at == std::string::npos ? 0 : std::stoi(request.headers.substr(at + 14));
    const json::value message = Parse(request.body);
    if (open_lists ? TextAt(message, "/method") == "tools/call" && token == 0 : token == 0) {
      return {.status = 401, .headers = "WWW-Authenticate: Bearer scope=\"calls\"\r\n"};
    }
    if (TextAt(message, "/method") == "tools/call" && token < enough) {
      return {.status = 403,
              .headers =
                  std::string("WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"") +
                  (wants_admin ? "admin" : "write") + "\"\r\n"};
    }
    return {.body = R"({"jsonrpc":"2.0","id":)" + json::serialize(At(message, "/id")) +
                    R"(,"result":{"resultType":"complete",)" + ResultOf(message) + "}}"};
  }
  static std::string ResultOf(const json::value& message) {
    const std::string method = TextAt(message, "/method");
    const std::string kept = R"("ttlMs":60000,"cacheScope":"public")";
    if (method == "server/discover") {
      return R"("supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},)" + kept;
    }
    if (method == "tools/list") {
      return R"("tools":[{"name":"echo","inputSchema":{"type":"object"}}],)" + kept;
    }
    return R"("content":[{"type":"text","text":"done"}])";
  }

  WebSite site;
  std::atomic<int> enough{1};
  std::atomic<bool> open_lists{true}, wants_admin{false};
};

TEST_F(ConnectProtected, MoreScopesAreAskedForByTheirUnion) {
  enough = 2;
  gateway.Start();
  Connect("alice");
  EXPECT_EQ(authorization.forms().size(), 1U);
  ModernClient client = Modern();
  const Answer asked = Echo(client);
  const std::string path = Browser::PathOf(LinkIn(asked));
  Browser browser(gateway.port());
  const auto query =
      FakeAuthorization::Query(Browser::Next(browser.Press(path, browser.Get(path))));
  EXPECT_THAT(query.at("scope"), HasSubstr("write"));
  EXPECT_THAT(query.at("scope"), HasSubstr("read"));
  browser.Connect(LinkIn(asked), authorization);
  EXPECT_EQ(Echo(client).text(), "done");
}

TEST_F(ConnectProtected, ThePageIsShownAgainWhenMoreIsAskedFor) {
  enough = 2;
  gateway.Start();
  Connect("alice");
  const std::string link = LinkFor("alice"), path = Browser::PathOf(link);
  Browser browser(gateway.port());
  const Answer page = browser.Get(path);
  EXPECT_THAT(page.body, Not(HasSubstr("admin")));
  wants_admin = true;
  EXPECT_EQ(LinkFor("alice"), link);
  const Answer again = browser.Press(path, page);
  EXPECT_EQ(Browser::Next(again), "");
  EXPECT_THAT(again.body, HasSubstr("admin"));
  const auto query = FakeAuthorization::Query(Browser::Next(browser.Press(path, again)));
  EXPECT_THAT(query.at("scope"), HasSubstr("admin"));
}

TEST_F(ConnectProtected, WhoWasAskedForMoreIsNotAskedInALoop) {
  enough = 100;
  gateway.Start();
  Connect("alice");
  Connect("alice");
  ModernClient client = Modern();
  const Answer answer = Echo(client);
  EXPECT_EQ(LinkIn(answer), "");
  EXPECT_THAT(answer.body, HasSubstr("403"));
}

TEST_F(ConnectProtected, AServerThatTellsNobodyWhatItHasIsUpOnceItsOwnAccountIsConnected) {
  open_lists = false;
  gateway.Start();
  EXPECT_TRUE(Modern().Tools().empty());
  const Answer offered = Admin("POST", R"({"server":"a","action":"connect"})");
  const std::string page = Browser::PathOf(TextAt(offered.message(), "/url"));
  EXPECT_THAT(Browser(gateway.port()).Get(page).body, HasSubstr("calls")) << "what it wants";
  Browser(gateway.port()).Connect(TextAt(offered.message(), "/url"), authorization);
  gateway.Reload();
  clock.Advance(std::chrono::minutes(5));
  ASSERT_TRUE(Becomes([&] { return Modern().Tools().size() == 1; }));
  EXPECT_NE(LinkFor("alice"), "");
  Connect("alice");
  ModernClient client = Modern();
  EXPECT_EQ(Echo(client).text(), "done");
  for (const WebSite::Request& request : site.requests()) {
    if (request.headers.find("Bearer access-2") == std::string::npos) continue;
    EXPECT_THAT(request.body, HasSubstr("tools/call")) << "nothing else goes by a caller's";
  }
}

}  // namespace
}  // namespace switchyard::tests
