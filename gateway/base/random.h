// Randomness: fast for ids of spans and for jitter, secure for everything that must not be guessed.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace switchyard {

// xoshiro256** (Blackman and Vigna). Not for secrets. A value; one thread at a time. A given seed
// gives the same numbers: tests pass one in.
class FastRandom {
 public:
  explicit FastRandom(std::uint64_t seed);
  static FastRandom Seeded();  // from the operating system's randomness

  std::uint64_t Next();
  double NextUnit();  // [0, 1)

 private:
  std::array<std::uint64_t, 4> state_;
};

// The calling thread's own generator. Do not keep the reference across a co_await.
FastRandom& ThreadRandom();

// By OpenSSL. Throws when there is none: nothing safe could go on.
void SecureRandom(std::span<std::uint8_t> out);

}  // namespace switchyard
