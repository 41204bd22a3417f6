// Whom an account is at, where the configuration leaves that to the server.
#include "unit/credentials/account.h"

namespace switchyard::credentials {
namespace {

TEST_F(AccountTest, TheIssuerIsTheOneThatTheServerNamesWhereThatIsWanted) {
  config_.issuer.clear();
  config_.discover_issuer = true;
  EXPECT_EQ(LinesOf(Obtain(Make())), "Authorization: Bearer t1\r\n");
  EXPECT_EQ(fetcher_.asked.front().url, "https://s.example/mcp");
  EXPECT_EQ(fetcher_.asked.front().method, "POST");
  for (const fetch::Header& header : fetcher_.asked.front().headers) {
    EXPECT_NE(header.name, "Authorization") << "it is asked who is to be asked";
  }
}

TEST_F(AccountTest, WhereA401PointsIsAskedBeforeTheFirstToken) {
  config_.issuer.clear();
  config_.discover_issuer = true;
  fetcher_.Answers([this](const Request& request) -> Result<Response> {
    if (request.url != "https://s.example/mcp") return Answer(request);
    return Response{.status = 401,
                    .headers = {{.name = "WWW-Authenticate",
                                 .value = "Bearer resource_metadata=\"https://s.example/meta\""}}};
  });
  published_ = false;
  EXPECT_EQ(LinesOf(Obtain(Make())), "Authorization: Bearer t1\r\n");
  EXPECT_THAT(UrlsAsked(), ElementsAre("https://s.example/mcp", "https://s.example/meta",
                                       "https://as.example/.well-known/oauth-authorization-server",
                                       "https://as.example/token"));
}

}  // namespace
}  // namespace switchyard::credentials
