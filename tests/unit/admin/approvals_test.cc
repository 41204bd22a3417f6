#include "admin/approvals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/metrics.h"

namespace switchyard::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kToken = "0123456789abcdef";

class AdminApprovals : public ::testing::Test {
 protected:
  AdminApprovals() {
    desk.BeginRules();
    desk.Knows("p");
    desk.EndRules();
    id = desk.Present({.subject = "ada\u202E",
                       .endpoint = "/mcp",
                       .server = "s",
                       .tool = "t",
                       .digest = "d",
                       .policy = "p",
                       .arguments = "{}"},
                      std::chrono::minutes(1))
             .approval.id;
  }
  Page Ask(Asked asked) {
    std::optional<Page> page = ApprovalsPage(desk, access, asked);
    return page ? std::move(*page) : Page{.status = 0};
  }
  Page Get(Asked asked = {}) {
    asked.method = "GET";
    asked.path = "/admin/approvals";
    return Ask(std::move(asked));
  }
  Page Post(const std::string& body, const std::string& type = "application/json") {
    return Ask({.method = "POST",
                .path = "/admin/approvals/" + id,
                .content_type = type,
                .body = body,
                .authorization = "Bearer " + kToken});
  }

  ManualClock clock;
  telemetry::Metrics metrics;
  approvals::Desk desk{clock, metrics};
  Access access = Access::Of(kToken, false);
  std::string id;
};

TEST_F(AdminApprovals, ATokenIsAskedForAndComparedWhole) {
  for (const std::string& given :
       {std::string(), std::string("Bearer "), "Bearer " + kToken.substr(1),
        "Bearer " + kToken + "0", "bearer " + kToken, kToken}) {
    const Page page = Get({.authorization = given});
    EXPECT_EQ(page.status, 401) << given;
    EXPECT_THAT(page.body, Not(HasSubstr(id)));
  }
  const Page page = Get({.authorization = "Bearer " + kToken});
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr(id));
  EXPECT_THAT(page.body, HasSubstr(R"(ada\\u{202E})"));
}

TEST_F(AdminApprovals, WithoutATokenOnlyThisMachineMayAndNoPageAndNoProxy) {
  access = Access::Of("", true);
  EXPECT_EQ(Get().status, 200);
  EXPECT_EQ(Get({.from_page = true}).status, 403);
  EXPECT_EQ(Get({.forwarded = true}).status, 403);
  access = Access::Of("", false);
  EXPECT_EQ(Get().status, 403);
}

TEST_F(AdminApprovals, ADecisionIsMadeOnce) {
  const Page made = Post(R"({"decision":"approve","by":"ada"})");
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_THAT(made.body, HasSubstr(R"("state":"approved")"));
  EXPECT_THAT(made.body, HasSubstr(R"("by":"operator ada")"));
  EXPECT_EQ(Post(R"({"decision":"deny"})").status, 409);
  id = std::string(32, '0');
  EXPECT_EQ(Post(R"({"decision":"deny"})").status, 404);
}

TEST_F(AdminApprovals, WhatIsNoDecisionIsRefused) {
  for (const std::string& body : std::vector<std::string>{
           "", "[]", "{}", R"({"decision":"yes"})", R"({"decision":true})",
           R"({"approve":"approve"})", R"({"decision":"approve","more":"x"})"}) {
    EXPECT_EQ(Post(body).status, 400) << body;
  }
  EXPECT_EQ(Post(std::string(20000, ' ')).status, 400);
  EXPECT_EQ(Post(R"({"decision":"approve"})", "text/plain").status, 415);
  EXPECT_EQ(desk.List().front().approval.state, approvals::State::kPending);
}

TEST_F(AdminApprovals, OtherPathsAndMethodsAreNotThere) {
  const std::string bearer = "Bearer " + kToken;
  const auto status = [&](std::string method, std::string path) {
    return Ask({.method = std::move(method), .path = std::move(path), .authorization = bearer})
        .status;
  };
  EXPECT_EQ(status("GET", "/admin/approvalsx"), 0);
  EXPECT_EQ(status("GET", "/admin/approvals/a/b"), 0);
  EXPECT_EQ(status("GET", "/admin"), 0);
  EXPECT_EQ(status("POST", "/admin/approvals"), 405);
  EXPECT_EQ(status("GET", "/admin/approvals/" + id), 405);
}

}  // namespace
}  // namespace switchyard::admin
