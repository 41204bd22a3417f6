#include "base/http/framing.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

#include "base/http/grammar.h"

namespace switchyard::http {

void Framing::Begin(Kind kind, std::uint64_t length, std::size_t line_limit) {
  switch (kind) {
    case Kind::kNone: next_ = Next::kNothing; break;
    case Kind::kLength: next_ = length > 0 ? Next::kBytes : Next::kNothing; break;
    case Kind::kChunked: next_ = Next::kChunkHeader; break;
    case Kind::kUntilClose: next_ = Next::kAnything; break;
  }
  left_ = length;
  line_limit_ = line_limit;
  trailers_ = 0;
  line_.clear();
}

std::expected<Framing::Step, Fault> Framing::Put(std::string_view bytes) {
  switch (next_) {
    case Next::kNothing: return Step{};
    case Next::kAnything: return Step{.used = bytes.size(), .body = bytes};
    case Next::kBytes:
    case Next::kChunkBytes: {
      const std::string_view piece =
          bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
      left_ -= piece.size();
      if (left_ == 0) next_ = next_ == Next::kBytes ? Next::kNothing : Next::kChunkEnd;
      return Step{.used = piece.size(), .body = piece};
    }
    default: return PutLine(bytes);
  }
}

std::expected<Framing::Step, Fault> Framing::PutLine(std::string_view bytes) {
  const std::size_t feed = bytes.find('\n');
  const std::size_t used = feed == bytes.npos ? bytes.size() : feed + 1;
  if (line_.size() + used > line_limit_) {
    return Refuse("chunk header over " + std::to_string(line_limit_) + " bytes", Code::kTooLarge);
  }
  std::string_view line = bytes.substr(0, used);
  if (feed == bytes.npos || !line_.empty()) line = line_.append(line);
  if (feed == bytes.npos) return Step{.used = used};
  if (!line.ends_with("\r\n")) return Refuse("a line of chunk framing ends without CR");
  line.remove_suffix(2);
  const std::expected<void, Fault> taken = OnLine(line);
  line_.clear();
  if (!taken) return std::unexpected(taken.error());
  return Step{.used = used};
}

std::expected<void, Fault> Framing::OnLine(std::string_view line) {
  if (next_ == Next::kChunkHeader) return OnChunkHeader(line);
  if (next_ == Next::kTrailer) return OnTrailer(line);
  if (!line.empty()) return Refuse("a chunk is longer than it says");
  next_ = Next::kChunkHeader;
  return {};
}

std::expected<void, Fault> Framing::OnChunkHeader(std::string_view line) {
  const char* const end = line.data() + line.size();
  const auto [at, error] = std::from_chars(line.data(), end, left_, 16);
  // from_chars takes a sign of unsigned numbers for no digit, and no prefix.
  if (error != std::errc()) return Refuse("a chunk without a size");
  const std::string_view extensions(at, end);
  if (!IsFieldValue(extensions) || !AreChunkExtensions(extensions)) {
    return Refuse("a chunk header is not a hexadecimal size and extensions");
  }
  next_ = left_ > 0 ? Next::kChunkBytes : Next::kTrailer;
  return {};
}

std::expected<void, Fault> Framing::OnTrailer(std::string_view line) {
  if (line.empty()) {
    next_ = Next::kNothing;
    return {};
  }
  trailers_ += line.size();
  if (trailers_ > line_limit_) {
    return Refuse("trailers over " + std::to_string(line_limit_) + " bytes", Code::kTooLarge);
  }
  const std::optional<FieldLine> trailer = ParseFieldLine(line);
  if (!trailer || !IsFieldValue(line)) return Refuse("a trailer that is no header line");
  if (trailer->known == Field::kContentLength || trailer->known == Field::kTransferEncoding ||
      trailer->known == Field::kConnection) {
    return Refuse("a trailer that frames the message");
  }
  return {};
}

bool Framing::PutEof() {
  if (next_ == Next::kAnything) next_ = Next::kNothing;
  return done();
}

}  // namespace switchyard::http
