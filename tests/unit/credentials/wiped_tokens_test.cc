// What callers showed is nowhere in the memory of the process once it was exchanged.
#include <algorithm>
#include <array>
#include <cstdint>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/wipe.h"
#include "credentials/token_exchange.h"

namespace switchyard::credentials {
namespace {

// Never whole in memory but where it is asked for: what is looked for would be found here else.
constexpr std::size_t kSize = 512;
char Scrambled(std::size_t i) { return static_cast<char>('a' + (i * 7 + i / 26 * 3) % 26); }
char Letter(std::size_t i) {
  return static_cast<char>(Scrambled(i) == 'z' ? 'a' : Scrambled(i) + 1);
}

std::string MadeToken() {
  std::string token;
  token.reserve(kSize);
  for (std::size_t i = 0; i < kSize; ++i) token.push_back(Letter(i));
  return token;
}

// Its middle: the ends are written over when memory is given back.
constexpr std::size_t kFrom = 128, kLong = 128;

bool IsIn(const char* memory, std::size_t size) {
  for (const char* at = memory; at + kLong <= memory + size; ++at) {
    std::size_t same = 0;
    while (same < kLong && at[same] == Letter(kFrom + same)) ++same;
    if (same == kLong) return true;
  }
  return false;
}

// What is read of the memory is in it as well, so it is wiped at once.
bool IsInMemory() {
  static std::array<char, 1 << 16> piece;
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::ifstream maps("/proc/self/maps");
  bool there = false;
  for (std::string line; std::getline(maps, line);) {
    if (!line.contains(" rw-p ")) continue;
    std::istringstream in(line);
    std::uint64_t from = 0, to = 0;
    char dash = 0;
    in >> std::hex >> from >> dash >> to;
    constexpr std::uint64_t kMost = 256ULL << 20;
    if (to - from > kMost) continue;  // of a sanitizer
    for (; from < to; from += piece.size() - kLong) {
      const std::size_t size = std::min<std::uint64_t>(piece.size(), to - from);
      const ssize_t got = ::pread(memory, piece.data(), size, static_cast<off_t>(from));
      there |= got > 0 && IsIn(piece.data(), static_cast<std::size_t>(got));
      OPENSSL_cleanse(piece.data(), piece.size());
    }
  }
  ::close(memory);
  return there;
}

// As the fetcher over the network: what was sent is wiped.
class Endpoint final : public fetch::Fetcher {
 public:
  Task<Result<fetch::Response>> Fetch(fetch::Request request, Deadline) override {
    asked_with_it |= request.body.contains("subject_token=");
    Wipe(request.body);
    co_return fetch::Response{.status = 200,
                              .body = R"({"access_token":"t","token_type":"Bearer",)"
                                      R"("issued_token_type":)"
                                      R"("urn:ietf:params:oauth:token-type:access_token"})"};
  }
  bool asked_with_it = false;
};

TEST(CallersTokens, AreNowhereInMemoryOnceTheyWereExchanged) {
  net::io_context context;
  ManualClock clock;
  Endpoint endpoint;
  LentTokens lent;
  config::ServerCredentials config;
  config.kind = config::ServerCredentials::Kind::kTokenExchange;
  config.token_endpoint = "https://as.example/token";
  config.client_id = "me";
  const SourcePtr source =
      TokenExchange::Make(
          "s", "https://s.example/mcp", config, "",
          {.home = context.get_executor(), .clock = clock, .fetcher = endpoint, .lent = lent})
          .value();
  std::string token = MadeToken();
  LentTokens::TokenPtr held = lent.Lend("digest", token);
  Wipe(token);
  ASSERT_TRUE(IsInMemory()) << "or this test finds nothing";
  Result<GrantPtr> got = GrantPtr();
  Spawn(context.get_executor(), "test", [](SourcePtr from, Result<GrantPtr>& into) -> Task<void> {
    const Caller caller = MakeCaller({.issuer = "i", .subject = "alice", .credential = "digest"});
    into = co_await from->Obtain(caller, {}, Deadline());
  }(source, got));
  context.run();
  ASSERT_TRUE(got && *got != nullptr);
  EXPECT_TRUE(endpoint.asked_with_it);
  held = nullptr;
  EXPECT_FALSE(IsInMemory());
}

}  // namespace
}  // namespace switchyard::credentials
