// Paths, Origin and Host, browsers.
#include "edge/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/base/log_capture.h"
#include "unit/edge/support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT
using ::testing::HasSubstr;

struct EndpointTest : ::testing::Test, Edge {
  std::unique_ptr<Peer> peer = Connect();

  int Status(const Request& request) { return Ask(request).status; }
  testing::Answer Ask(const Request& request) {
    peer->Send(request.Text());
    return peer->TakeAnswer().value_or(testing::Answer{});
  }
  static Request To(std::string target) {
    Request request = Modern("tools/list");
    request.target = std::move(target);
    return request;
  }
  static Request From(std::string host, std::string origin = "") {
    Request request = Modern("tools/list").Set("Host", std::move(host));
    if (!origin.empty()) request.headers.emplace_back("Origin", std::move(origin));
    return request;
  }
};

TEST_F(EndpointTest, PathsLeadToEndpoints) {
  for (const char* path : {"/mcp", "/mcp/", "/mcp?x=y", "/mcp/team", "/mcp/team?"}) {
    EXPECT_EQ(Status(To(path)), 200) << path;
  }
  for (const char* path : {"/", "/mcpx", "/mcp/other", "/mcp/team/more", "/MCP", "/mcp/../mcp"}) {
    EXPECT_EQ(Status(To(path)), 404) << path;
  }
}

TEST_F(EndpointTest, TheCallKnowsItsEndpoint) {
  Request call = ModernCall("slow");
  call.target = "/mcp/team";
  peer->Send(call.Text());
  Settle(context);
  EXPECT_EQ(service->last_call->endpoint, "team");
}

TEST_F(EndpointTest, PlainPagesAreForGetOnly) {
  Request request;
  request.target = "/healthz";
  EXPECT_EQ(Status(request), 404);
  request.method = "GET";
  EXPECT_EQ(Ask(request).body, "ok");
}

TEST_F(EndpointTest, OtherMethodsAreRefused) {
  for (const char* method : {"GET", "DELETE", "PUT", "PATCH"}) {
    Request request = To("/mcp");
    request.method = method;
    EXPECT_EQ(Status(request), 405) << method;
  }
}

TEST_F(EndpointTest, OnLoopbackOnlyLoopbackNamesAreAHost) {
  for (const char* host : {"localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]",
                           "127.0.0.2:8080", "127.255.255.254"}) {
    EXPECT_EQ(Status(From(host)), 200) << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "",
                           "localhost@evil.example", "127.evil.example", "127.0.0.2.3",
                           "127.0.0.256", "126.0.0.1", "127.", "1270.0.0.1"}) {
    EXPECT_EQ(Status(From(host)), 403) << host;
  }
}

TEST_F(EndpointTest, AllowedHostsAreWhatAnAddressThatOthersReachIsCalled) {
  endpoint.SetAccess({.loopback = false, .allowed_hosts = {"gw.example", "other:9"}});
  EXPECT_EQ(Status(From("gw.example:443")), 200);
  EXPECT_EQ(Status(From("GW.example")), 200);
  EXPECT_EQ(Status(From("other:9")), 200);
  EXPECT_EQ(Status(From("other:8")), 403);
  EXPECT_EQ(Status(From("localhost")), 403);
  EXPECT_EQ(Status(From("127.0.0.1:8080")), 403);
}

TEST_F(EndpointTest, OnLoopbackAllowedHostsStandBesideTheLoopbackNames) {
  endpoint.SetAccess({.allowed_hosts = {"gw.example"}});
  for (const char* host : {"gw.example", "localhost:8080", "127.0.0.1:8080", "[::1]:8080"}) {
    EXPECT_EQ(Status(From(host)), 200) << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example"}) {
    EXPECT_EQ(Status(From(host)), 403) << host;
  }
}

// A proxy that says a loopback name to us says it for every page.
TEST_F(EndpointTest, BesideAllowedHostsALoopbackNameIsNoProofOfTheOwnOrigin) {
  endpoint.SetAccess({.allowed_hosts = {"gw.example"}});
  EXPECT_EQ(Status(From("127.0.0.1:8080", "http://127.0.0.1:8080")), 403);
  EXPECT_EQ(Status(From("localhost", "http://localhost")), 403);
  EXPECT_EQ(Status(From("gw.example", "https://gw.example")), 200);
}

TEST_F(EndpointTest, AForeignOriginIsRefusedAndTheOwnIsNot) {
  EXPECT_EQ(Status(From("localhost:1", "http://localhost:1")), 200);
  EXPECT_EQ(Status(From("localhost:1", "http://localhost:2")), 403);
  for (const char* origin : {"http://evil.example", "null", "file://", "localhost:1"}) {
    EXPECT_EQ(Status(From("localhost:1", origin)), 403) << origin;
  }
  EXPECT_TRUE(service->seen.size() == 1U);
}

TEST_F(EndpointTest, WhereAnyHostIsServedARebornNameIsNoProofOfTheOwnOrigin) {
  endpoint.SetAccess({.loopback = false, .allowed_origins = {}, .allowed_hosts = {}});
  EXPECT_EQ(Status(From("gw.example")), 200);
  EXPECT_EQ(Status(From("evil.example", "http://evil.example")), 403);
  endpoint.SetAccess({.loopback = false, .allowed_origins = {}, .allowed_hosts = {"gw.example"}});
  EXPECT_EQ(Status(From("gw.example", "https://gw.example")), 200);
}

TEST_F(EndpointTest, AllowedOriginsGetTheHeadersThatBrowsersWant) {
  endpoint.SetAccess({.allowed_origins = {"https://app.example"}, .allowed_hosts = {}});
  const testing::Answer answer = Ask(From("localhost", "https://app.example"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("access-control-allow-origin"), "https://app.example");
  EXPECT_TRUE(answer.Header("access-control-expose-headers").contains("Mcp-Session-Id"));
  EXPECT_EQ(answer.Header("vary"), "Origin");
  Request preflight = From("localhost", "https://app.example");
  preflight.method = "OPTIONS";
  preflight.body.clear();
  const testing::Answer allowed =
      Ask(std::move(preflight).Set("Access-Control-Request-Headers", "mcp-param-lang"));
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.Header("access-control-allow-headers"), "mcp-param-lang");
  EXPECT_EQ(Status(From("localhost", "https://other.example")), 403);
  endpoint.SetAccess({.allowed_origins = {"*"}, .allowed_hosts = {}});
  EXPECT_EQ(Status(From("localhost", "https://other.example")), 200);
}

TEST_F(EndpointTest, TheLogSaysWhichHostOrOriginWasRefusedAndWhatLetsItIn) {
  const testing::LogCapture log;
  EXPECT_EQ(Status(From("gw.example:8080")), 403);
  EXPECT_THAT(log.text(), HasSubstr("Host: 'gw.example:8080'"));
  EXPECT_THAT(log.text(), HasSubstr("add it to listen.allowed_hosts"));
  EXPECT_EQ(Status(From("localhost", "https://app.example")), 403);
  EXPECT_THAT(log.text(), HasSubstr("Origin: 'https://app.example'"));
  EXPECT_THAT(log.text(), HasSubstr("add it to listen.allowed_origins"));
}

TEST_F(EndpointTest, OfAFloodOfStrangeHostsTheLogHasALineAMinute) {
  const testing::LogCapture log;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Status(From("gw.example")), 403);
  EXPECT_EQ(log.count("refused a request"), 1);
  clock.Advance(std::chrono::minutes(1));
  EXPECT_EQ(Status(From("\xC3\xA9" + std::string(300, 'x'))), 403);
  EXPECT_EQ(log.count("refused a request"), 2);
  EXPECT_THAT(log.text(), HasSubstr("'??" + std::string(98, 'x') + "...'"));
}

TEST_F(EndpointTest, AClientOfHttp10NeedsNoHost) {
  Request request = Modern("tools/list").Without("Host");
  request.version = "HTTP/1.0";
  EXPECT_EQ(Status(request), 200);
}

}  // namespace
}  // namespace switchyard::edge
