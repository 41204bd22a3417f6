// Where the body of an HTTP/1.1 message ends (RFC 9112 sections 6 and 7): after a length, after the
// last chunk and its trailers, or with the connection. Holds at most one unfinished line of
// framing; the body's bytes are only pointed at. Of extensions of chunks nothing is read; a trailer
// that would frame the message anew is refused, all others are dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace switchyard::http {

// Why bytes are not HTTP; the parser knows who sent them and makes an Error of it.
struct Fault {
  std::string why;
  Code code = Code::kProtocol;
};
inline std::unexpected<Fault> Refuse(std::string why, Code code = Code::kProtocol) {
  return std::unexpected(Fault{.why = std::move(why), .code = code});
}

class Framing {
 public:
  enum class Kind : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

  // `line_limit` bounds a chunk's header and all trailers together, in bytes. Keeps its buffer.
  void Begin(Kind kind, std::uint64_t length, std::size_t line_limit);
  bool done() const { return next_ == Next::kNothing; }
  bool until_close() const { return next_ == Next::kAnything; }

  struct Step {
    std::size_t used = 0;  // of the bytes given; all of them, or up to the end of a line or piece
    std::string_view body = {};  // the part of them that is the body's
  };
  // Takes the next step; to be called again with the rest until all is used or done().
  std::expected<Step, Fault> Put(std::string_view bytes);
  // The connection ended; false when that cuts the body short.
  bool PutEof();
  void Release() { line_ = {}; }

 private:
  enum class Next : std::uint8_t {
    kNothing,
    kAnything,     // until the end of the connection
    kBytes,        // of a length
    kChunkHeader,  // its size and extensions
    kChunkBytes,
    kChunkEnd,  // the line end behind its bytes
    kTrailer,
  };

  std::expected<Step, Fault> PutLine(std::string_view bytes);
  std::expected<void, Fault> OnLine(std::string_view line);
  std::expected<void, Fault> OnChunkHeader(std::string_view line);
  std::expected<void, Fault> OnTrailer(std::string_view line);

  Next next_ = Next::kNothing;
  std::uint64_t left_ = 0;  // bytes of the body, or of this chunk
  std::size_t line_limit_ = 0;
  std::size_t trailers_ = 0;  // bytes of them so far
  std::string line_;          // one that has not ended yet
};

}  // namespace switchyard::http
