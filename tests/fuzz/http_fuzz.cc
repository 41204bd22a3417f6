// Any bytes, cut anywhere, as requests and as responses one after the other: never a crash, and the
// same outcome as in one piece, and as with a parser that saw nothing before. The first byte says
// how they are cut. Boost.Beast reads along: what passes here passes there, ends at the same byte
// and has the same header lines and body.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/http/parser.h"
#include "require.h"

namespace {

using namespace switchyard;

constexpr http::Limits kLimits{.header = 1 << 20, .body = 4096};
// Messages of an input that are read one after the other: more of them find nothing new.
constexpr int kMaxMessages = 8;

using Lines = std::vector<std::pair<std::string, std::string>>;  // names and values

struct Outcome {
  bool failed = false, done = false;
  std::size_t used = 0;
  bool keep_alive = false;
  std::string start = {};
  Lines headers = {};
  std::string body = {};
  bool operator==(const Outcome&) const = default;
};

std::string Start(const http::RequestParser& parser) {
  return std::string(parser.method()) + ' ' + std::string(parser.target());
}
std::string Start(const http::ResponseParser& parser) {
  return std::to_string(parser.status()) + ' ' + std::string(parser.reason());
}

// One message, by a parser that is new or was reset.
template <class P>
Outcome Feed(P& parser, std::string_view bytes, std::size_t piece) {
  Outcome outcome;
  while (outcome.used < bytes.size() && !parser.done()) {
    const std::string_view part = bytes.substr(outcome.used, piece);
    const Result<std::size_t> used = parser.Put(part);
    if (!used) {
      return {.failed = true};
    }
    fuzz::Require(*used == part.size() || parser.done(), "all is taken before the end");
    outcome.used += *used;
  }
  // When a fault is noticed depends on the cut, so a message cut short counts as one.
  if (!parser.PutEof()) return {.failed = true};
  outcome.done = parser.done();
  outcome.keep_alive = parser.keep_alive();
  outcome.start = Start(parser);
  outcome.body = parser.TakeBody();
  for (const http::Header& header : parser.headers()) {
    fuzz::Require(!header.value.contains('\r') && !header.value.contains('\n') &&
                      !header.value.contains('\0'),
                  "a value has no line ends");
    fuzz::Require(parser.Find(header.name) != nullptr, "a header that is there is found");
    outcome.headers.emplace_back(header.name, header.value);
  }
  return outcome;
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool HasLine(const Lines& lines, std::string_view lower) {
  return std::ranges::any_of(lines, [&](const auto& line) { return Lower(line.first) == lower; });
}

// Beast keeps lines of the same name together, in their order.
Lines Grouped(Lines lines) {
  std::multimap<std::string, std::pair<std::string, std::string>> by_name;
  for (auto& line : lines) by_name.emplace(Lower(line.first), std::move(line));
  Lines grouped;
  for (auto& [name, line] : by_name) grouped.push_back(std::move(line));
  return grouped;
}

// Only for what we have read to its end, of which the connection's end is a part.
template <bool kRequest>
void CompareWithBeast(std::string_view message, const Outcome& ours) {
  namespace beast = boost::beast::http;
  std::optional<beast::parser<kRequest, beast::string_body>> parser;
  boost::beast::error_code error;
  const auto begin = [&] {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(1 << 21);
    parser->body_limit(boost::none);
  };
  begin();
  std::size_t used = 0;
  while (used < message.size() && !parser->is_done()) {
    used += parser->put(boost::asio::buffer(message.substr(used)), error);
    // It says nothing to us, and to Beast it is a Connection.
    if (error == beast::error::bad_value && HasLine(ours.headers, "proxy-connection")) return;
    fuzz::Require(!error, "what passes here passes Beast");
    if constexpr (!kRequest) {
      if (parser->is_done() && parser->get().result_int() / 100 == 1) begin();
    }
  }
  if (!parser->is_done()) parser->put_eof(error);
  fuzz::Require(!error && parser->is_done() && used == message.size(),
                "a message ends where Beast ends it");
  fuzz::Require(parser->get().body() == ours.body, "the body is the one Beast reads");
  Lines lines;
  for (const auto& field : parser->get()) lines.emplace_back(field.name_string(), field.value());
  if (!parser->chunked()) {
    fuzz::Require(Grouped(lines) == Grouped(ours.headers),
                  "the header lines are those Beast reads");
    return;
  }
  Lines own = ours.headers;  // Beast counts trailers among them
  std::ranges::sort(lines);
  std::ranges::sort(own);
  fuzz::Require(std::ranges::includes(lines, own), "a header line is one that Beast reads");
}

// With `parser`, whatever it read before, as with a new one.
template <class P>
Outcome Again(P& parser, std::string_view bytes, std::size_t piece, const Outcome& fresh) {
  Outcome outcome = Feed(parser, bytes, piece);
  fuzz::Require(outcome == fresh, "a message is read as by a parser that saw nothing before");
  return outcome;
}

template <class P>
void Compare(std::string_view bytes, std::size_t piece) {
  P parser(kLimits);
  for (int i = 0; i < kMaxMessages; ++i) {
    P another(kLimits);
    const Outcome fresh = Feed(another, bytes, bytes.size());
    P cut(kLimits);
    fuzz::Require(Feed(cut, bytes, piece) == fresh, "it does not matter where bytes are cut");
    Again(parser, bytes, piece, fresh);
    // Also after a failure, and after all memory was given back.
    i % 2 == 0 ? parser.Reset() : parser.Release();
    if (!fresh.done) {
      Again(parser, bytes, bytes.size(), fresh);
      return;
    }
    CompareWithBeast<std::is_same_v<P, http::RequestParser>>(bytes.substr(0, fresh.used), fresh);
    bytes.remove_prefix(fresh.used);
    if (bytes.empty()) return;
  }
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
