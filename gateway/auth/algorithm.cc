#include "auth/algorithm.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace switchyard::auth {
namespace {

// In the order of the enumeration.
constexpr std::array<AlgorithmInfo, 13> kAlgorithms{{
    {"HS256", Family::kHmac, 256},
    {"HS384", Family::kHmac, 384},
    {"HS512", Family::kHmac, 512},
    {"RS256", Family::kRsaPkcs1, 256},
    {"RS384", Family::kRsaPkcs1, 384},
    {"RS512", Family::kRsaPkcs1, 512},
    {"PS256", Family::kRsaPss, 256},
    {"PS384", Family::kRsaPss, 384},
    {"PS512", Family::kRsaPss, 512},
    {"ES256", Family::kEcdsa, 256},
    {"ES384", Family::kEcdsa, 384},
    {"ES512", Family::kEcdsa, 512},
    {"EdDSA", Family::kEd25519, 0},
}};
static_assert(static_cast<std::size_t>(Algorithm::kEdDsa) + 1 == kAlgorithms.size());

}  // namespace

const AlgorithmInfo& Info(Algorithm algorithm) {
  return kAlgorithms[static_cast<std::size_t>(algorithm)];
}

std::optional<Algorithm> AlgorithmOf(std::string_view name) {
  if (name == "Ed25519") return Algorithm::kEdDsa;
  const auto* const row = std::ranges::find(kAlgorithms, name, &AlgorithmInfo::name);
  if (row == kAlgorithms.end()) return std::nullopt;
  return static_cast<Algorithm>(row - kAlgorithms.begin());
}

AlgorithmSet AlgorithmSet::All() { return AlgorithmSet((1U << kAlgorithms.size()) - 1); }

AlgorithmSet AlgorithmSet::Of(Family family) {
  AlgorithmSet set;
  for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
    if (kAlgorithms[i].family == family) set.Add(static_cast<Algorithm>(i));
  }
  return set;
}

std::string AlgorithmSet::ToText() const {
  std::string text;
  for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
    if (!Has(static_cast<Algorithm>(i))) continue;
    text.append(text.empty() ? "" : ", ").append(kAlgorithms[i].name);
  }
  return text.empty() ? "none" : text;
}

}  // namespace switchyard::auth
