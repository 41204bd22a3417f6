#include "base/seal.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

const Sealer::Key kKey = [] {
  Sealer::Key key;
  key.fill(7);
  return key;
}();

TEST(Seal, RoundTripsAnyText) {
  const Sealer sealer(kKey);
  for (const std::size_t size : {0U, 1U, 2U, 3U, 15U, 16U, 17U, 1000U, 100'000U}) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31);
    EXPECT_EQ(sealer.Open("p", sealer.Seal("p", text)), text) << size;
  }
  EXPECT_EQ(sealer.Open("", sealer.Seal("", {})), "");
}

TEST(Seal, IsVisibleAndNeverTheSameTwice) {
  const Sealer sealer(kKey);
  const std::string token = sealer.Seal("p", "text");
  EXPECT_TRUE(std::ranges::all_of(token, [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_';
  })) << token;
  EXPECT_NE(token, sealer.Seal("p", "text"));
}

TEST(Seal, OpensOnlyWithItsKeyAndForItsPurpose) {
  const Sealer sealer(kKey);
  const std::string token = sealer.Seal("session", "text");
  EXPECT_FALSE(sealer.Open("cursor", token));
  EXPECT_FALSE(sealer.Open("", token));
  EXPECT_FALSE(sealer.Open("sessio", token));
  EXPECT_FALSE(Sealer(Sealer::RandomKey()).Open("session", token));
  EXPECT_TRUE(Sealer(kKey).Open("session", token));
}

TEST(Seal, NoticesEveryChangedCharacter) {
  const Sealer sealer(kKey);
  const std::string token = sealer.Seal("p", "some text");
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'B', '_', 'z', '=', ' ', '\0', '+'}) {
      std::string changed = token;
      changed[i] = c;
      if (changed != token) EXPECT_FALSE(sealer.Open("p", changed)) << i << c;
    }
  }
}

TEST(Seal, NoticesEveryTruncationAndAddition) {
  const Sealer sealer(kKey);
  const std::string token = sealer.Seal("p", "some text");
  for (std::size_t size = 0; size < token.size(); ++size) {
    EXPECT_FALSE(sealer.Open("p", token.substr(0, size))) << size;
  }
  for (const char* more : {"A", "=", "==", " ", "AAAA"})
    EXPECT_FALSE(sealer.Open("p", token + more));
  EXPECT_FALSE(sealer.Open("p", ""));
}

// Two spellings of one token would be two ids for one session.
TEST(Seal, HasOneSpelling) {
  const Sealer sealer(kKey);
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const char* text : {"", "a", "ab"}) {
    const std::string token = sealer.Seal("p", text);
    int opens = 0;
    for (const char last : kAlphabet) {
      opens += sealer.Open("p", token.substr(0, token.size() - 1) + last).has_value();
    }
    EXPECT_EQ(opens, 1) << text;
  }
}

TEST(Seal, IsThreadSafe) {
  const Sealer sealer(kKey);
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 100; ++j) {
        const std::string text = std::to_string(j);
        good += sealer.Open("p", sealer.Seal("p", text)) == text;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 400);
}

}  // namespace
}  // namespace switchyard
