#include "edge/client_words.h"

#include <gtest/gtest.h>

namespace switchyard::edge {
namespace {

TEST(ClientName, IsShortAndAlwaysUtf8) {
  EXPECT_EQ(ClientName(R"({"name":"agent","version":"1"})"), "agent");
  EXPECT_EQ(ClientName(R"({"version":"1"})"), "");
  EXPECT_EQ(ClientName(R"({"name":7})"), "");
  EXPECT_EQ(ClientName("[]"), "");
  EXPECT_EQ(ClientName(""), "");
  const std::string sixty_three(63, 'x');
  EXPECT_EQ(ClientName(R"({"name":")" + sixty_three + R"(yz"})"), sixty_three + "y");
  EXPECT_EQ(ClientName(R"({"name":")" + sixty_three + "\xC3\xA9\"}"), sixty_three);
  EXPECT_EQ(ClientName("{\"name\":\"" + sixty_three.substr(1) + "\xC3\xA9z\"}"),
            sixty_three.substr(1) + "\xC3\xA9");
}

TEST(LogRank, OrdersTheLevelsOfRfc5424) {
  EXPECT_EQ(LogRank("debug"), 0);
  EXPECT_LT(LogRank("notice"), LogRank("warning"));
  EXPECT_EQ(LogRank("emergency"), 7);
  EXPECT_FALSE(LogRank("warn"));
  EXPECT_FALSE(LogRank(""));
  EXPECT_TRUE(UnknownLogLevel("warn").message.ends_with("critical, alert, emergency"));
}

}  // namespace
}  // namespace switchyard::edge
