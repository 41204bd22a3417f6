#include <gtest/gtest.h>

#include "base/http/place.h"

namespace switchyard::http {
namespace {

using boost::asio::ip::make_address;

TEST(APlace, IsANameOrAnAddressOrABlock) {
  for (const char* good : {"idp.internal", "*.internal", "LOCALHOST", "localhost:8181", "10.0.0.1",
                           "10.0.0.1:80", "10.0.0.0/8", "::1", "[::1]:8181", "fd00::/8", "a_b"}) {
    EXPECT_TRUE(Place::Parse(good)) << good;
  }
  for (const char* bad :
       {"", "*", "*.", "a*b", "http://a", "a/b", "a:0", "a:65536", "a:", "a:b", "10.0.0.0/8:80",
        "[::1", "[fd00::/8]:1", "[10.0.0.1]:1", "user@a", "a b", ".a", "10.0.0.1/8"}) {
    EXPECT_FALSE(Place::Parse(bad)) << bad;
  }
}

TEST(APlace, FitsByWhatItNames) {
  const auto name = [](const char* place, const char* host, std::uint16_t port) {
    return Place::Parse(place)->FitsName(host, port);
  };
  EXPECT_TRUE(name("IDP.internal", "idp.internal", 443));
  EXPECT_FALSE(name("idp.internal", "a.idp.internal", 443));
  EXPECT_TRUE(name("*.internal", "a.b.internal", 443));
  EXPECT_FALSE(name("*.internal", "internal", 443));
  EXPECT_FALSE(name("*.internal", "evilinternal", 443));
  EXPECT_FALSE(name("*.internal", ".internal", 443));
  EXPECT_TRUE(name("a:8181", "a", 8181));
  EXPECT_FALSE(name("a:8181", "a", 8182));
  EXPECT_FALSE(name("10.0.0.1", "10.0.0.1", 80)) << "an address is looked at as one";
  const auto address = [](const char* place, const char* text, std::uint16_t port) {
    return Place::Parse(place)->FitsAddress(make_address(text), port);
  };
  EXPECT_TRUE(address("10.0.0.1:80", "10.0.0.1", 80));
  EXPECT_FALSE(address("10.0.0.1:80", "10.0.0.1", 81));
  EXPECT_TRUE(address("10.0.0.0/8", "10.9.9.9", 1234));
  EXPECT_TRUE(address("[::1]:80", "::1", 80));
  EXPECT_FALSE(address("localhost", "127.0.0.1", 80));
}

}  // namespace
}  // namespace switchyard::http
