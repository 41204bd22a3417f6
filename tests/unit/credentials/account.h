// An account at a scripted authorization server, for tests of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mailbox.h"
#include "credentials/account.h"
#include "credentials/oauth/form.h"
#include "support/fake_fetcher.h"

namespace switchyard::credentials {

using config::Secret;
using config::ServerCredentials;
using fetch::Request;
using fetch::Response;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Kind = ServerCredentials::Kind;

class AccountTest : public testing::Test {
 protected:
  AccountTest() {
    fetcher_.Answers([this](const Request& request) { return Answer(request); });
    config_.kind = Kind::kClientCredentials;
    config_.issuer = "https://as.example";
    config_.client_id = "me";
    config_.client_secret = Secret("the secret");
  }

  // An authorization server and the metadata of its resource.
  Result<Response> Answer(const Request& request) {
    if (request.url == "https://s.example/.well-known/oauth-protected-resource/mcp" && published_) {
      return Response{.status = 200,
                      .body = R"({"resource":"https://s.example/mcp","authorization_servers":[")" +
                              names_ + R"("]})"};
    }
    if (request.url == "https://s.example/meta") {
      return Response{.status = 200, .body = R"({"resource":"https://s.example/mcp",
                                  "authorization_servers":["https://as.example"]})"};
    }
    if (request.url == "https://as.example/.well-known/oauth-authorization-server") {
      return Response{.status = 200, .body = R"({"issuer":"https://as.example",
                                  "token_endpoint":"https://as.example/token"})"};
    }
    if (request.url != "https://as.example/token") return Response{.status = 404};
    forms_.push_back(oauth::ReadForm(request.body).value());
    if (status_ != 200) return Response{.status = status_, .body = refusal_};
    const std::string number = std::to_string(forms_.size());
    return Response{
        .status = 200,
        .body = R"({"access_token":"t)" + number + R"(","token_type":"Bearer","expires_in":)" +
                life_ + (rotates_ ? R"(,"refresh_token":"r)" + number + "\"" : "") + more_ + "}"};
  }

  SourcePtr Make() {
    SourcePtr made =
        Account::Make(
            "s", "https://s.example/mcp", config_,
            {.home = context_.get_executor(),
             .clock = clock_,
             .fetcher = fetcher_,
             .vault = vault_,
             .count = [this](const std::string&,
                             std::string_view outcome) { ++counted_[std::string(outcome)]; }})
            .value();
    return made;
  }

  void Run() {
    context_.restart();
    context_.run();
  }

  Result<GrantPtr> Obtain(const SourcePtr& source, Refusal refused = {}) {
    Result<GrantPtr> got = GrantPtr();
    Spawn(context_.get_executor(), "test",
          [](SourcePtr from, Refusal why, Result<GrantPtr>& into) -> Task<void> {
            into = co_await from->Obtain(Nobody(), std::move(why), Deadline());
          }(source, std::move(refused), got));
    Run();
    return got;
  }
  std::vector<std::string> UrlsAsked() const {
    std::vector<std::string> urls;
    for (const Request& request : fetcher_.asked) urls.push_back(request.url);
    return urls;
  }
  std::string LinesOf(const Result<GrantPtr>& grant) {
    return grant && *grant != nullptr ? (*grant)->lines : "none";
  }

  net::io_context context_;
  ManualClock clock_;
  tests::FakeFetcher fetcher_;
  Vault vault_ = Vault::InMemory();
  ServerCredentials config_;
  std::map<std::string, int> counted_;
  std::vector<oauth::Fields> forms_;
  std::string names_ = "https://as.example", refusal_, more_, life_ = "3600";
  int status_ = 200;
  bool published_ = true, rotates_ = false;
};

}  // namespace switchyard::credentials
