#include "credentials/values.h"

#include <gtest/gtest.h>

namespace switchyard::credentials {
namespace {

using config::Secret;

class ValuesTest : public testing::Test {
 protected:
  Values Make() { return Values("s", config_, "Authorization: own\r\n", context_.get_executor()); }
  static std::string LinesOf(Values values, Principal principal) {
    const Caller caller = MakeCaller(std::move(principal));
    const Result<GrantPtr> grant = values.Find(&caller);
    return grant ? (*grant)->lines : "refused: " + grant.error().message;
  }

  net::io_context context_;
  config::ServerCredentials config_{.values = {{"alice", Secret("a1")}, {"bob", Secret("b1")}},
                                    .issuer = "https://issuer.example"};
};

TEST_F(ValuesTest, EachCallerHasItsOwn) {
  EXPECT_EQ(LinesOf(Make(), {.issuer = "https://issuer.example", .subject = "alice"}),
            "Authorization: Bearer a1\r\n");
  EXPECT_EQ(LinesOf(Make(), {.issuer = "https://issuer.example", .subject = "bob"}),
            "Authorization: Bearer b1\r\n");
}

TEST_F(ValuesTest, TheAliceOfAnotherIssuerIsAnother) {
  EXPECT_EQ(LinesOf(Make(), {.issuer = "https://other.example", .subject = "alice"}),
            "refused: server s: has no credentials for this caller");
}

TEST_F(ValuesTest, WhoHasNoneGetsNeitherTheGatewaysNorAnybodys) {
  EXPECT_EQ(LinesOf(Make(), {.issuer = "https://issuer.example", .subject = "carol"}),
            "refused: server s: has no credentials for this caller");
  EXPECT_EQ(LinesOf(Make(), {}),
            "refused: server s: it is asked in the name of each caller, and this one did not say "
            "who it is");
}

TEST_F(ValuesTest, TheGatewayAsksInItsOwnName) {
  EXPECT_EQ((*Make().Find(nullptr))->lines, "Authorization: own\r\n");
}

TEST_F(ValuesTest, GoByAClaimThatHasOneValue) {
  config_.by = "tenant";
  config_.header = "X-Key";
  config_.scheme = "";
  Principal caller{
      .issuer = "https://issuer.example", .subject = "x", .claims = {{"tenant", {"bob"}}}};
  EXPECT_EQ(LinesOf(Make(), caller), "X-Key: b1\r\n");
  caller.claims["tenant"] = {"bob", "alice"};
  EXPECT_EQ(LinesOf(Make(), caller), "refused: server s: has no credentials for this caller");
  caller.claims.clear();
  EXPECT_EQ(LinesOf(Make(), caller), "refused: server s: has no credentials for this caller");
}

}  // namespace
}  // namespace switchyard::credentials
