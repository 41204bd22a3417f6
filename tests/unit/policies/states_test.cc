#include "policies/lib/states.h"

#include <gtest/gtest.h>

namespace switchyard::policies {
namespace {

std::shared_ptr<int> Get(States& states, const std::string& name, int fresh) {
  return states.Get<int>(name, [fresh] { return std::make_shared<int>(fresh); });
}

TEST(States, WhoeverAsksForTheSameNameGetsTheSameOne) {
  States states;
  const auto first = Get(states, "a", 1);
  EXPECT_EQ(Get(states, "a", 2), first);
  EXPECT_NE(Get(states, "b", 2), first);
}

TEST(States, WhatNobodyHoldsIsGone) {
  States states;
  Get(states, "a", 1);
  EXPECT_EQ(*Get(states, "a", 2), 2);
}

TEST(States, AMillionNamesThatComeAndGoLeaveFew) {
  States states;
  const auto held = Get(states, "held", 1);
  for (int i = 0; i < 1'000'000; ++i) Get(states, std::to_string(i), i);
  EXPECT_LT(states.size(), 200U);
  EXPECT_EQ(Get(states, "held", 2), held);
}

}  // namespace
}  // namespace switchyard::policies
