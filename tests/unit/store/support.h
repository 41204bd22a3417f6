// A store that answers at once, asked as tests ask it.
#pragma once

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include "core/store.h"

namespace switchyard::store {

inline constexpr TimePoint kBegin{std::chrono::seconds(1000)};

inline Store::Drawn Draw(Store& store, const std::vector<Store::Bucket>& buckets,
                         TimePoint now = kBegin) {
  Eventual<Store::Drawn> answer = store.Draw(buckets, now);
  EXPECT_TRUE(answer.here());
  return **answer;
}

inline Store::Charged Add(Store& store, const std::vector<Store::Charge>& charges,
                          TimePoint now = kBegin) {
  Eventual<Store::Charged> answer = store.Add(charges, now);
  EXPECT_TRUE(answer.here() && answer->has_value());
  return **answer;
}

}  // namespace switchyard::store
