#include "base/frames.h"

#include <cstddef>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

using Frames = std::vector<std::pair<void*, std::size_t>>;

Frames Filled(unsigned char with) {
  Frames frames;
  for (std::size_t size = 1; size <= 10'000; size += 37) {
    frames.emplace_back(NewFrame(size), size);
    std::memset(frames.back().first, with, size);
  }
  return frames;
}

bool Hold(const Frames& frames, unsigned char what) {
  for (const auto& [frame, size] : frames) {
    const auto* bytes = static_cast<const unsigned char*>(frame);
    for (std::size_t i = 0; i < size; ++i) {
      if (bytes[i] != what) return false;
    }
  }
  return true;
}

void Free(const Frames& frames) {
  for (const auto& [frame, size] : frames) FreeFrame(frame, size);
}

TEST(FramesTest, OfEverySizeAreTheirOwnersAlone) {
  Free(Filled(0));
  const Frames ones = Filled(1);  // from what was freed
  const Frames twos = Filled(2);
  EXPECT_TRUE(Hold(ones, 1));
  EXPECT_TRUE(Hold(twos, 2));
  Free(ones);
  Free(twos);
}

TEST(FramesTest, MayBeFreedOnAnotherThreadThatEnds) {
  const Frames here = Filled(1);
  std::thread([&here] { Free(here); }).join();
  const Frames again = Filled(2);
  EXPECT_TRUE(Hold(again, 2));
  Free(again);
}

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
TEST(FramesTest, AreHandedOutAgainWhereTheyWereFreed) {
  void* const frame = NewFrame(2000);
  FreeFrame(frame, 2000);
  void* const next = NewFrame(2040);
  EXPECT_EQ(next, frame);
  FreeFrame(next, 2040);
}
#endif

}  // namespace
}  // namespace switchyard
