#include "base/random.h"

#include <bit>
#include <stdexcept>

#include <openssl/rand.h>

namespace switchyard {

FastRandom::FastRandom(std::uint64_t seed) {
  // splitmix64: spreads any seed over the whole state, which must not be all zero.
  for (std::uint64_t& word : state_) {
    seed += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    word = z ^ (z >> 31);
  }
}

FastRandom FastRandom::Seeded() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes;
  SecureRandom(bytes);
  return FastRandom(std::bit_cast<std::uint64_t>(bytes));
}

std::uint64_t FastRandom::Next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double FastRandom::NextUnit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

FastRandom& ThreadRandom() {
  thread_local FastRandom random = FastRandom::Seeded();
  return random;
}

void SecureRandom(std::span<std::uint8_t> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    throw std::runtime_error("no randomness");
  }
}

}  // namespace switchyard
