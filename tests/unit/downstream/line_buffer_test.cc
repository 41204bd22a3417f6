#include "downstream/line_buffer.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace switchyard::downstream {
namespace {

// Feeds `bytes` in pieces of at most `piece`, gives the lines that come out.
std::vector<std::string> FeedIn(LineBuffer& buffer, std::string_view bytes, std::size_t piece) {
  std::vector<std::string> lines;
  while (!bytes.empty() && !buffer.too_long()) {
    const std::span<char> room = buffer.Room();
    const std::size_t size = std::min({piece, bytes.size(), room.size()});
    std::memcpy(room.data(), bytes.data(), size);
    buffer.Wrote(size);
    bytes.remove_prefix(size);
    while (auto line = buffer.Next()) lines.push_back(std::move(*line));
  }
  return lines;
}

TEST(LineBufferTest, CutsLinesHoweverTheBytesArrive) {
  for (const std::size_t piece : {1, 2, 3, 100}) {
    LineBuffer buffer(1000);
    EXPECT_EQ(FeedIn(buffer, "one\ntwo\r\n\n  \nthree\nrest", piece),
              (std::vector<std::string>{"one", "two", "three"}));
    EXPECT_EQ(buffer.Rest(), "rest");
  }
}

TEST(LineBufferTest, GivesBigLinesWholeAndGoesOn) {
  const std::string big(300'000, 'x');
  const std::string medium(40'000, 'y');
  for (const std::size_t piece : {1000, 60'000, 1'000'000}) {
    LineBuffer buffer(1'000'000);
    EXPECT_EQ(FeedIn(buffer, big + "\n" + medium + "\nsmall\n" + big + "\nend\n", piece),
              (std::vector<std::string>{big, medium, "small", big, "end"}));
  }
}

TEST(LineBufferTest, ReportsALineOverTheCapWithoutStoringIt) {
  LineBuffer buffer(100'000);
  EXPECT_EQ(FeedIn(buffer, "fine\n" + std::string(100'000, 'a') + "\n", 7000).size(), 2U);
  EXPECT_FALSE(buffer.too_long());
  EXPECT_TRUE(FeedIn(buffer, std::string(100'001, 'b') + "\n", 7000).empty());
  EXPECT_TRUE(buffer.too_long());
  EXPECT_TRUE(buffer.Room().empty());
}

TEST(LineBufferTest, NoticesAnEndlessLineBeforeItsEnd) {
  LineBuffer buffer(1000);
  FeedIn(buffer, std::string(5000, 'a'), 500);
  EXPECT_TRUE(buffer.too_long());
}

}  // namespace
}  // namespace switchyard::downstream
