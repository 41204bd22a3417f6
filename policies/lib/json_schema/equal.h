// Equality as JSON Schema means it: 1 is 1.0, an object's members have no order. Work is counted:
// each comparison takes from `budget`, by the length of what is read for it, and stops (with any
// answer) when it is used up.
#pragma once

#include <cstdint>
#include <string_view>

#include "policies/lib/json_schema/json_doc.h"

namespace switchyard::json_schema {

// What may still be done; `spent` tells that it was not enough.
class Budget {
 public:
  explicit Budget(std::uint64_t steps) : left_(steps) {}

  bool Spend(std::uint64_t steps) {
    if (steps > left_) {
      left_ = 0;
      spent_ = true;
    } else {
      left_ -= steps;
    }
    return !spent_;
  }
  void Exhaust() { spent_ = true; }
  bool spent() const { return spent_; }

 private:
  std::uint64_t left_;
  bool spent_ = false;
};

// Bytes that cost as much as a step: to hash, decode or parse them, and to find them equal.
inline constexpr std::size_t kReadPerStep = 32;
inline constexpr std::size_t kComparedPerStep = 512;

// What it costs to know what the string at `i` says.
inline std::uint64_t StepsToRead(const JsonDoc& doc, std::uint32_t i) {
  return doc[i].escaped ? doc.Raw(i).size() / kReadPerStep : 0;
}

// JsonDoc::Find() with its work counted.
std::uint32_t Find(const JsonDoc& doc, std::uint32_t object, std::string_view key, Budget& budget);

bool Equal(const JsonDoc& a, std::uint32_t i, const JsonDoc& b, std::uint32_t j, Budget& budget);

// Whether no two elements are equal.
bool AreUnique(const JsonDoc& doc, std::uint32_t array, Budget& budget);

}  // namespace switchyard::json_schema
