#include "policies/lib/json_schema/equal.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policies/lib/json_schema/decimal.h"

namespace switchyard::json_schema {
namespace {

using Kind = JsonDoc::Kind;

// An escape of six bytes says at least one.
constexpr std::size_t kMostPerByte = 6;

// Whether the string at `i` says `text`.
bool Says(const JsonDoc& doc, std::uint32_t i, std::string_view text, std::string& scratch,
          Budget& budget) {
  const std::size_t raw = doc.Raw(i).size() - 2;
  const bool escaped = doc[i].escaped;
  if (raw < text.size() || raw > text.size() * (escaped ? kMostPerByte : 1)) return false;
  budget.Spend(StepsToRead(doc, i) + text.size() / kComparedPerStep);
  return !budget.spent() && doc.Text(i, scratch) == text;
}

bool EqualStrings(const JsonDoc& a, std::uint32_t i, const JsonDoc& b, std::uint32_t j,
                  Budget& budget) {
  const std::size_t left = a.Raw(i).size(), right = b.Raw(j).size();
  const bool plain = !a[i].escaped && !b[j].escaped;
  if (plain && left != right) return false;
  // Before the longer of the two is decoded.
  if (left > right * kMostPerByte || right > left * kMostPerByte) return false;
  if (!budget.Spend(StepsToRead(a, i))) return false;
  std::string own, scratch;
  return Says(b, j, a.Text(i, own), scratch, budget);
}

bool EqualNumbers(std::string_view x, std::string_view y, Budget& budget) {
  if (!budget.Spend((x.size() + y.size()) / kReadPerStep)) return false;
  return x == y || Decimal::Parse(x) == Decimal::Parse(y);
}

bool EqualArrays(const JsonDoc& a, std::uint32_t i, const JsonDoc& b, std::uint32_t j,
                 Budget& budget) {
  if (a[i].count != b[j].count) return false;
  const std::uint32_t end = a[i].after;
  for (++i, ++j; i < end; i = a[i].after, j = b[j].after) {
    if (!Equal(a, i, b, j, budget)) return false;
  }
  return true;
}

bool EqualObjects(const JsonDoc& a, std::uint32_t i, const JsonDoc& b, std::uint32_t j,
                  Budget& budget) {
  if (a[i].count != b[j].count) return false;
  std::string scratch;
  const std::uint32_t end = a[i].after;
  for (std::uint32_t key = i + 1; key < end; key = a[key + 1].after) {
    if (!budget.Spend(StepsToRead(a, key))) return false;
    const std::uint32_t other = Find(b, j, a.Text(key, scratch), budget);
    if (other == 0 || !Equal(a, key + 1, b, other, budget)) return false;
  }
  return true;
}

// Equal values have equal hashes.
std::size_t Hash(const JsonDoc& doc, std::uint32_t i) {
  const std::hash<std::string_view> hash;
  std::string scratch;
  switch (doc[i].kind) {
    case Kind::kNumber: return Decimal::Parse(doc.Raw(i)).Hash();
    case Kind::kString: return hash(doc.Text(i, scratch)) + 1;
    case Kind::kArray: {
      std::size_t mixed = 2;
      for (std::uint32_t child = i + 1; child < doc[i].after; child = doc[child].after) {
        mixed = mixed * 0x9E3779B97F4A7C15ULL + Hash(doc, child);
      }
      return mixed;
    }
    case Kind::kObject: {
      std::size_t sum = 3;  // of the members in whatever order
      for (std::uint32_t key = i + 1; key < doc[i].after; key = doc[key + 1].after) {
        sum += (hash(doc.Text(key, scratch)) ^ Hash(doc, key + 1)) * 0x9E3779B97F4A7C15ULL;
      }
      return sum;
    }
    default: return static_cast<std::size_t>(doc[i].kind) + 4;
  }
}

}  // namespace

std::uint32_t Find(const JsonDoc& doc, std::uint32_t object, std::string_view key, Budget& budget) {
  if (doc[object].kind != Kind::kObject || !budget.Spend(doc[object].count)) return 0;
  std::string scratch;
  std::uint32_t found = 0;
  for (std::uint32_t i = object + 1; i < doc[object].after; i = doc[i + 1].after) {
    if (Says(doc, i, key, scratch, budget)) found = i + 1;
    if (budget.spent()) return 0;
  }
  return found;
}

bool Equal(const JsonDoc& a, std::uint32_t i, const JsonDoc& b, std::uint32_t j, Budget& budget) {
  if (!budget.Spend(1)) return false;
  if (a[i].kind != b[j].kind) return false;
  switch (a[i].kind) {
    case Kind::kNumber: return EqualNumbers(a.Raw(i), b.Raw(j), budget);
    case Kind::kString: return EqualStrings(a, i, b, j, budget);
    case Kind::kArray: return EqualArrays(a, i, b, j, budget);
    case Kind::kObject: return EqualObjects(a, i, b, j, budget);
    default: return true;
  }
}

bool AreUnique(const JsonDoc& doc, std::uint32_t array, Budget& budget) {
  const std::size_t bytes = doc.Raw(array).size();
  if (!budget.Spend(doc[array].after - array + bytes / kReadPerStep)) return true;
  std::vector<std::pair<std::size_t, std::uint32_t>> elements;
  elements.reserve(doc[array].count);
  for (std::uint32_t i = array + 1; i < doc[array].after; i = doc[i].after) {
    elements.emplace_back(Hash(doc, i), i);
  }
  std::ranges::sort(elements);
  for (std::size_t first = 0; first < elements.size(); ++first) {
    for (std::size_t other = first + 1;
         other < elements.size() && elements[other].first == elements[first].first; ++other) {
      if (Equal(doc, elements[first].second, doc, elements[other].second, budget)) return false;
      if (budget.spent()) return true;
    }
  }
  return true;
}

}  // namespace switchyard::json_schema
