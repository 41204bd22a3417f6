#include "base/base64url.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

TEST(Base64Url, GivesTheTextsOfTheRfc) {
  // RFC 4648 section 10 without the padding, RFC 7515 appendix C.
  EXPECT_EQ(EncodeBase64Url(""), "");
  EXPECT_EQ(EncodeBase64Url("f"), "Zg");
  EXPECT_EQ(EncodeBase64Url("fo"), "Zm8");
  EXPECT_EQ(EncodeBase64Url("foo"), "Zm9v");
  EXPECT_EQ(EncodeBase64Url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(EncodeBase64Url("\x03\xEC\xFF\xE0\xC1"), "A-z_4ME");
}

TEST(Base64Url, BringsAnyBytesBack) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(DecodeBase64Url(EncodeBase64Url(bytes)), bytes) << i;
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base64Url, RefusesEveryOtherSpelling) {
  for (const char* text : {"Zg==", "Zm8=", "Zm 8", " Zm8", "Zm8\n", "Zm\r\n8", "Zm9v.", "+/+/",
                           "Zm9*", "Z", "Zm9vY", "Zh", "Zm9", "\xC3\xA9", "Zm%38"}) {
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  }
  EXPECT_EQ(DecodeBase64Url(std::string("Zm\0v", 4)), std::nullopt);
}

}  // namespace
}  // namespace switchyard
