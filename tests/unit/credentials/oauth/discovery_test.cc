#include "credentials/oauth/discovery.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "credentials/oauth/exchange.h"
#include "support/fake_fetcher.h"

namespace switchyard::credentials::oauth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kResource = "https://s.example/.well-known/oauth-protected-resource";
const std::string kServer = "https://as.example/.well-known/oauth-authorization-server";
const std::string kOpenId = "https://as.example/.well-known/openid-configuration";

class DiscoveryTest : public testing::Test {
 protected:
  DiscoveryTest() {
    fetcher_.Answers([this](const fetch::Request& request) -> Result<fetch::Response> {
      asked_.push_back(request.url);
      const auto found = pages_.find(request.url);
      if (found == pages_.end()) return fetch::Response{.status = 404};
      if (found->second == "down") {
        return Failure(Code::kUnavailable, Origin::kServer, "connect: refused");
      }
      if (found->second == "503") return fetch::Response{.status = 503};
      if (found->second == "429") return fetch::Response{.status = 429};
      return fetch::Response{.status = 200, .body = found->second};
    });
  }

  static std::string Resource(const std::string& servers = R"("https://as.example")") {
    return R"({"resource":"https://s.example/mcp","scopes_supported":["s"],)"
           R"("authorization_servers":[)" +
           servers + "]}";
  }
  static std::string Server(const std::string& issuer = "https://as.example") {
    return R"({"issuer":")" + issuer + R"(","token_endpoint":"https://as.example/token"})";
  }

  Result<Discovered> Find(Lead lead = {.server_url = "https://s.example/mcp"}) {
    Result<Discovered> found = Failure(Code::kInternal, Origin::kGateway, "nothing came");
    Spawn(context_.get_executor(), "test",
          [](fetch::Fetcher& fetcher, Lead from, Result<Discovered>& into) -> Task<void> {
            into = co_await Discover(fetcher, std::move(from), Deadline());
          }(fetcher_, std::move(lead), found));
    context_.restart();
    context_.run();
    return found;
  }

  net::io_context context_;
  tests::FakeFetcher fetcher_;
  std::map<std::string, std::string> pages_;
  std::vector<std::string> asked_;
};

TEST_F(DiscoveryTest, GoesWhereTheChallengePoints) {
  pages_["https://s.example/meta"] = Resource();
  pages_[kServer] = Server();
  const auto found =
      Find({.server_url = "https://s.example/mcp", .resource_metadata = "https://s.example/meta"});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->resource, "https://s.example/mcp");
  EXPECT_THAT(found->scopes_supported, ElementsAre("s"));
  EXPECT_THAT(asked_, ElementsAre("https://s.example/meta", kServer));
}

TEST_F(DiscoveryTest, ElseItLooksAtTheWellKnownPlacesInTheirOrder) {
  pages_[kResource] = Resource();
  pages_[kOpenId] = Server();
  ASSERT_TRUE(Find());
  EXPECT_THAT(asked_, ElementsAre(kResource + "/mcp", kResource, kServer, kOpenId));
}

// Who can break one document must not be able to choose a weaker way.
TEST_F(DiscoveryTest, GoesOnOnlyWhereNothingIsPublished) {
  for (const char* broken : {"down", "<html>", "{}"}) {
    asked_.clear();
    pages_ = {{kResource + "/mcp", broken}, {kResource, Resource()}, {kServer, Server()}};
    EXPECT_FALSE(Find()) << broken;
    EXPECT_THAT(asked_, ElementsAre(kResource + "/mcp"));
  }
  pages_ = {
      {kResource, Resource()}, {kServer, Server("https://evil.example")}, {kOpenId, Server()}};
  EXPECT_THAT(Find().error().message, HasSubstr("its issuer is another one"));
}

TEST_F(DiscoveryTest, WhatIsNotThereNowIsNotNothing) {
  pages_[kServer] = Server("https://s.example");
  for (const char* status : {"503", "429"}) {
    pages_[kResource + "/mcp"] = status;
    asked_.clear();
    const auto found = Find();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::kUnavailable);
    EXPECT_EQ(asked_.size(), 1U);
  }
}

TEST_F(DiscoveryTest, AServerOf20250326IsItsOwnAuthorizationServer) {
  pages_["https://s.example/.well-known/oauth-authorization-server"] =
      R"({"issuer":"https://s.example","token_endpoint":"https://s.example/t"})";
  EXPECT_EQ(Find().value().server.token_endpoint, "https://s.example/t");
  pages_.clear();
  const Discovered defaults = Find().value();
  EXPECT_FALSE(defaults.published);
  EXPECT_EQ(defaults.server.token_endpoint, "https://s.example/token");
}

TEST_F(DiscoveryTest, TheConfiguredIssuerMustBeAmongThoseNamed) {
  pages_ = {{kResource, Resource(R"("https://other.example","https://as.example")")},
            {kServer, Server()}};
  EXPECT_TRUE(Find({.server_url = "https://s.example/mcp", .issuer = "https://as.example"}));
  const auto moved = Find({.server_url = "https://s.example/mcp", .issuer = "https://old.example"});
  EXPECT_EQ(moved.error().code, Code::kForbidden);
}

TEST_F(DiscoveryTest, RegisteringFollowsNoRedirectAndTellsNothingButItsOwn) {
  pages_["https://as.example/register"] = R"({"client_id":"i"})";
  Result<Client> client = Failure(Code::kInternal, Origin::kGateway, "nothing came");
  Spawn(context_.get_executor(), "test",
        [](fetch::Fetcher& fetcher, Result<Client>& into) -> Task<void> {
          into = co_await Register(fetcher, {.redirect_uri = "https://g.example/cb"},
                                   {.issuer = "https://as.example",
                                    .registration_endpoint = "https://as.example/register"},
                                   Deadline());
        }(fetcher_, client));
  context_.run();
  EXPECT_EQ(client.value().id, "i");
  EXPECT_EQ(fetcher_.asked[0].max_redirects, 0U);
  EXPECT_EQ(fetcher_.asked[0].method, "POST");
}

}  // namespace
}  // namespace switchyard::credentials::oauth
