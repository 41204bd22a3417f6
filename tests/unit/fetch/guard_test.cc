#include "fetch/guard.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace switchyard::fetch {
namespace {

using boost::asio::ip::make_address;

Guard Allowing(const std::vector<std::string>& places) {
  std::vector<http::Place> allowed;
  for (const std::string& place : places) allowed.push_back(*http::Place::Parse(place));
  return Guard(std::move(allowed));
}

// "" = passes.
std::string Verdict(const Guard& guard, const std::string& text,
                    const std::vector<std::string>& addresses) {
  const Result<http::Url> url = guard.CheckUrl(text);
  if (!url) return url.error().message;
  Guard::Endpoints resolved;
  for (const std::string& one : addresses) resolved.emplace_back(make_address(one), 1);
  const Result<Guard::Endpoints> checked = guard.CheckAddresses(*url, resolved);
  if (!checked) {
    EXPECT_EQ(checked.error().code, Code::kForbidden);
    return checked.error().message;
  }
  for (const auto& endpoint : *checked) EXPECT_EQ(std::to_string(endpoint.port()), url->port);
  return "";
}

TEST(AGuard, LetsPublicPlacesPassByHttps) {
  const Guard guard;
  EXPECT_EQ(Verdict(guard, "https://idp.example/keys", {"93.184.216.34"}), "");
  EXPECT_EQ(Verdict(guard, "https://idp.example:8443/", {"93.184.216.34", "2606:4700::1"}), "");
  EXPECT_NE(Verdict(guard, "http://idp.example/keys", {"93.184.216.34"}), "");
}

TEST(AGuard, KeepsWhatIsInsideOutOfReach) {
  const Guard guard;
  for (const char* inside : {"127.0.0.1", "10.0.0.1", "192.168.0.1", "172.16.3.4", "100.64.0.1",
                             "169.254.169.254", "0.0.0.0", "::1", "fd00::1", "fe80::1",
                             "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "224.0.0.1"}) {
    EXPECT_NE(Verdict(guard, "https://idp.example/", {inside}), "") << inside;
    EXPECT_NE(Verdict(guard, "https://idp.example/", {"93.184.216.34", inside}), "")
        << "one bad address spoils all: " << inside;
  }
  EXPECT_NE(Verdict(guard, "https://idp.example/", {}), "");
}

TEST(AGuard, RefusesUrlsThatCannotBeMeant) {
  const Guard guard = Allowing({"a.example", "0.0.0.0/0"});
  for (const std::string& bad :
       {std::string("ftp://a.example/"), std::string("https://user@a.example/"),
        std::string("https://u:p@a.example/"), std::string("//a.example/"),
        std::string("a.example"), std::string("https://"), std::string("https://a.example:0/"),
        std::string("https://a.example:65536/"), std::string("https://a.example:99999/"),
        std::string("https://a.example:22/"), std::string("https://a.example:25/"),
        std::string("http://a.example:6/"), std::string("file:///etc/passwd"),
        std::string("gopher://a.example/"), "https://a.example/" + std::string(5000, 'x'),
        std::string("https://a.example/\r\nX: y"), std::string("https://a.example/ b")}) {
    EXPECT_FALSE(guard.CheckUrl(bad)) << bad.substr(0, 60);
  }
}

TEST(AGuard, AllowsWhatIsNamed) {
  EXPECT_EQ(Verdict(Allowing({"opa.internal"}), "http://opa.internal:8181/v1", {"10.1.1.1"}), "");
  EXPECT_EQ(Verdict(Allowing({"127.0.0.0/8"}), "http://localhost:8181/", {"127.0.0.1"}), "");
  EXPECT_EQ(Verdict(Allowing({"127.0.0.1:8181"}), "http://127.0.0.1:8181/", {"127.0.0.1"}), "");
  EXPECT_NE(Verdict(Allowing({"127.0.0.1:8181"}), "http://127.0.0.1:8182/", {"127.0.0.1"}), "");
  EXPECT_NE(Verdict(Allowing({"10.0.0.0/8"}), "http://a.example/", {"10.0.0.1", "192.168.0.1"}),
            "");
  EXPECT_EQ(Verdict(Allowing({"10.0.0.0/8"}), "https://a.example/", {"10.0.0.1", "8.8.8.8"}), "");
}

TEST(AGuard, AllowsNobodyToAskWhereCloudsTellTheirSecrets) {
  const Guard guard = Allowing({"metadata.example", "0.0.0.0/0", "::/0"});
  for (const char* never : {"169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254",
                            "::ffff:169.254.169.254", "fe80::1", "0.0.0.0"}) {
    EXPECT_NE(Verdict(guard, "http://metadata.example/", {never}), "") << never;
  }
}

TEST(ARedirect, IsFollowedByItsMethodAndOrigin) {
  const auto follow = [](const char* from, const char* to, bool post, int status) {
    return FollowOf(*http::Url::Parse(from), *http::Url::Parse(to), post, status);
  };
  EXPECT_EQ(follow("https://a/", "https://a/b", false, 302), Follow::kWhole);
  EXPECT_EQ(follow("https://a/", "https://b/", false, 302), Follow::kBare);
  EXPECT_EQ(follow("https://a/", "https://a:444/", false, 302), Follow::kBare);
  EXPECT_EQ(follow("https://a/", "http://a/", false, 302), Follow::kNo);
  EXPECT_EQ(follow("http://a/", "https://a/", false, 302), Follow::kBare);
  EXPECT_EQ(follow("https://a/", "https://a/b", true, 307), Follow::kWhole);
  EXPECT_EQ(follow("https://a/", "https://a/b", true, 302), Follow::kNo);
  EXPECT_EQ(follow("https://a/", "https://b/", true, 308), Follow::kNo);
}

}  // namespace
}  // namespace switchyard::fetch
