// Any bytes, cut anywhere, as a request and as a response: never a crash, and the same outcome as
// in one piece. The first byte says how they are cut.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/http/parser.h"

namespace {

using namespace switchyard;

struct Outcome {
  bool failed = false, done = false;
  std::size_t used = 0, headers = 0;
  std::string body = {};
  bool operator==(const Outcome&) const = default;
};

template <class P>
Outcome Feed(std::string_view bytes, std::size_t piece) {
  P parser(http::Limits{.header = 1 << 20, .body = 4096});
  Outcome outcome;
  while (outcome.used < bytes.size() && !parser.done()) {
    const std::string_view part = bytes.substr(outcome.used, piece);
    const Result<std::size_t> used = parser.Put(part);
    if (!used) {
      return {.failed = true};
    }
    if (*used != part.size() && !parser.done()) std::abort();
    outcome.used += *used;
  }
  // When a fault is noticed depends on the cut, so a message cut short counts as one.
  if (!parser.PutEof()) return {.failed = true};
  outcome.done = parser.done();
  outcome.headers = parser.headers().size();
  outcome.body = parser.TakeBody();
  for (const http::Header& header : parser.headers()) {
    if (header.value.find_first_of(std::string_view("\r\n\0", 3)) != header.value.npos)
      std::abort();
    if (parser.Find(header.name) == nullptr) std::abort();
  }
  return outcome;
}

template <class P>
void Compare(std::string_view bytes, std::size_t piece) {
  const Outcome whole = Feed<P>(bytes, bytes.size());
  const Outcome cut = Feed<P>(bytes, piece);
  if (whole != cut) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = 1 + data[0] % 64;
  Compare<switchyard::http::RequestParser>(bytes, piece);
  Compare<switchyard::http::ResponseParser>(bytes, piece);
  return 0;
}
