#include "audit/chain.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <boost/algorithm/hex.hpp>
#include <fmt/compile.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/digest.h"

namespace switchyard::audit {
namespace {

constexpr std::string_view kHashKey = R"(,"hash":")";
constexpr std::size_t kHashSize = 64;
constexpr std::size_t kTail = kHashKey.size() + kHashSize + 2;  // with `"}`

}  // namespace

std::string Hasher::Of(std::string_view text) const {
  if (key_.empty()) return Sha256(text);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes.data(),
           &size) == nullptr) {
    throw std::runtime_error("HMAC failed");
  }
  return boost::algorithm::hex_lower(std::string(bytes.begin(), bytes.begin() + size));
}

std::string Link(const Hasher& hasher, Head& head, std::string_view body) {
  std::string line = fmt::format(FMT_COMPILE(R"({{"v":1,"seq":{},{},"prev":"{}"}})"), head.seq + 1,
                                 body, head.hash);
  head.hash = hasher.Of(line);
  ++head.seq;
  line.pop_back();
  line.append(kHashKey).append(head.hash).append("\"}");
  return line;
}

std::optional<std::string_view> NamedHash(std::string_view line) {
  if (line.size() < kTail || !line.ends_with("\"}")) return std::nullopt;
  const std::string_view tail = line.substr(line.size() - kTail);
  if (!tail.starts_with(kHashKey)) return std::nullopt;
  const std::string_view hash = tail.substr(kHashKey.size(), kHashSize);
  const bool hex = std::ranges::all_of(
      hash, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return hex ? std::optional(hash) : std::nullopt;
}

std::string TrueHash(const Hasher& hasher, std::string_view line) {
  return hasher.Of(std::string(line.substr(0, line.size() - kTail)) + "}");
}

}  // namespace switchyard::audit
