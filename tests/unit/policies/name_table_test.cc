#include "policies/lib/name_table.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace switchyard::policies {
namespace {

using Table = NameTable<std::unique_ptr<std::string>>;

std::unique_ptr<std::string> Make(std::string_view name) {
  return std::make_unique<std::string>(name);
}

TEST(NameTable, AValueIsMadeOnceForAName) {
  Table table(10);
  EXPECT_EQ(table.Find("a"), nullptr);
  std::string* a = table.At("a", &Make).get();
  EXPECT_EQ(*a, "a");
  EXPECT_EQ(table.At("a", &Make).get(), a);
  EXPECT_NE(table.At("b", &Make).get(), a);
  EXPECT_EQ(table.Find("a")->get(), a);
  EXPECT_EQ(table.size(), 2U);
}

TEST(NameTable, NamesBeyondItsBoundShareOne) {
  Table table(3);
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(*table.At(name, &Make), name);
  EXPECT_EQ(*table.At("d", &Make), "");
  EXPECT_EQ(table.At("d", &Make).get(), table.At("e", &Make).get());
  EXPECT_EQ(table.Find("d"), nullptr);
  EXPECT_EQ(*table.At("b", &Make), "b") << "those that are there stay";
  EXPECT_EQ(table.size(), 3U);
}

TEST(NameTable, ThreadsThatMeetANameAtOnceGetTheSameValue) {
  constexpr int kThreads = 8, kNames = 500;
  Table table(kNames);
  std::vector<std::vector<std::string*>> seen(kThreads);
  std::atomic<int> ready{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        ++ready;
        while (ready < kThreads) {
        }
        for (int i = 0; i < kNames; ++i) {
          seen[static_cast<std::size_t>(t)].push_back(table.At(std::to_string(i), &Make).get());
        }
      });
    }
  }
  EXPECT_EQ(table.size(), static_cast<std::size_t>(kNames));
  for (int i = 0; i < kNames; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(*seen[0][at], std::to_string(i));
    for (const auto& one : seen) EXPECT_EQ(one[at], seen[0][at]);
  }
}

}  // namespace
}  // namespace switchyard::policies
