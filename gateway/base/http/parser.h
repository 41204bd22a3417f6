// Incremental HTTP/1.1 parsing (RFC 9112), stricter than it asks for: everything is refused that
// two readers could read in two ways: Content-Length twice or next to Transfer-Encoding, any coding
// but `chunked`, folded or bare line ends, two Hosts, two of any header that has one value,
// trailers that repeat framing. Nothing passes that Boost.Beast refuses, extensions of chunks
// excepted; tests/fuzz/http_fuzz.cc holds it to that.
//
// Usage: Put() what was read until done(), take what is needed, Reset(), Put() the rest. Owned by a
// connection, used on its thread only. All views live until Reset() or Release().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/fields.h"
#include "base/http/framing.h"
#include "base/result.h"

namespace switchyard::http {

struct Header {
  std::string_view name;   // as sent
  std::string_view value;  // without surrounding blanks; no CR, LF, NUL or other controls but TAB
};

struct Limits {
  std::size_t header = 16 * 1024;       // start line and fields; also trailers and chunk headers
  std::size_t body = 64 * 1024 * 1024;  // what may lie untaken
};

class Parser {
 public:
  Parser(const Parser&) = delete;

  // Consumes all of `bytes` unless the message ends in it: then what follows belongs to the next
  // one. After an Error only Reset() and Release() may be called; its origin is the peer.
  Result<std::size_t> Put(std::string_view bytes);
  // The peer closed: ends a response without length, fails for a message cut short.
  Result<void> PutEof();

  bool started() const { return !text_.empty(); }  // a byte of this message was seen
  bool header_done() const { return header_done_; }
  bool done() const { return done_; }

  // From here on only after header_done().
  int version() const { return version_; }  // 10 or 11
  bool keep_alive() const { return keep_alive_; }
  std::optional<std::uint64_t> content_length() const { return content_length_; }

  // The first value; "" when absent.
  std::string_view Get(Field field) const;
  bool Has(Field field) const { return count(field) > 0; }
  int count(Field field) const { return seen_[static_cast<std::size_t>(field)].count; }
  // Any name, in any case; nullptr when absent. With `after` the next one behind it.
  const Header* Find(std::string_view name, const Header* after = nullptr) const;
  const std::vector<Header>& headers() const { return headers_; }

  // What came of the body and was not taken. Has room for 64 more bytes when it came with a
  // Content-Length. May be taken piece by piece while the message is still arriving.
  std::string TakeBody();
  const std::string& body() const { return body_; }

  // For the next message; keeps small buffers. Limits may change between messages only.
  void Reset();
  // Like Reset(), and gives all memory back: for a connection that idles.
  void Release();
  void set_body_limit(std::size_t limit) { limits_.body = limit; }

 protected:
  Parser(Origin peer, Limits limits) : peer_(peer), limits_(limits) {}
  ~Parser() = default;

  std::string_view start_[2];  // request: method, target; response: reason
  int status_ = 0;

 private:
  struct Seen {
    std::uint16_t first = 0;
    std::uint16_t count = 0;
  };
  template <class T>
  using Parsed = std::expected<T, Fault>;

  bool MayBegin(std::string_view bytes) const;
  Parsed<std::size_t> PutHeader(std::string_view bytes);
  Parsed<std::size_t> PutBody(std::string_view bytes);
  Parsed<void> ParseHeader();
  Parsed<void> ParseStart(std::string_view line);
  Parsed<void> ParseField(std::string_view line);
  Parsed<void> ReadLength();
  Parsed<void> BeginBody();
  Parsed<void> ReadConnection();
  Parsed<void> OnBody(std::string_view piece);
  std::unexpected<Error> Failed(const Fault& fault) const;

  const Origin peer_;
  Limits limits_;
  Framing framing_;
  std::string text_;                  // the header block as received
  std::vector<std::uint32_t> lines_;  // where in text_ the LFs are
  std::vector<Header> headers_;       // views into text_
  std::array<Seen, static_cast<std::size_t>(Field::kCount)> seen_{};
  std::string body_;
  std::optional<std::uint64_t> content_length_;
  std::uint32_t repeated_ = 0;  // a bit for each Field that came more than once
  int version_ = 11;
  int informational_ = 0;
  bool header_done_ = false;
  bool done_ = false;
  bool keep_alive_ = false;
};

class RequestParser final : public Parser {
 public:
  explicit RequestParser(Limits limits = {}) : Parser(Origin::kClient, limits) {}
  std::string_view method() const { return start_[0]; }
  std::string_view target() const { return start_[1]; }
  bool expects_continue() const { return EqualsIgnoreCase(Get(Field::kExpect), "100-continue"); }
};

// Skips 1xx answers. 101 is refused: nothing here asks for an upgrade.
class ResponseParser final : public Parser {
 public:
  explicit ResponseParser(Limits limits = {}) : Parser(Origin::kServer, limits) {}
  int status() const { return status_; }
  std::string_view reason() const { return start_[0]; }
};

}  // namespace switchyard::http
