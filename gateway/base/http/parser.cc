#include "base/http/parser.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/http/grammar.h"

namespace switchyard::http {
namespace {

constexpr std::size_t kPadding = 64;                 // what a JSON reader wants behind its input
constexpr std::size_t kTrustedLength = 1024 * 1024;  // reserved on the peer's word alone
constexpr std::size_t kKeptText = 4 * 1024;          // buffers above this are not kept for reuse
constexpr std::size_t kMaxFields = 256;
constexpr int kMaxInformational = 8;

constexpr std::uint32_t Bit(Field field) { return 1U << static_cast<unsigned>(field); }

// Whoever stands between a client and this gateway may read the other one.
constexpr std::uint32_t kOnceARequest = Bit(Field::kAuthorization) | Bit(Field::kContentType) |
                                        Bit(Field::kLastEventId) | Bit(Field::kMcpMethod) |
                                        Bit(Field::kMcpName) | Bit(Field::kMcpProtocolVersion) |
                                        Bit(Field::kMcpSessionId) | Bit(Field::kOrigin);

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::unexpected<Fault> TooLong(std::string_view what, std::size_t limit) {
  return Refuse(std::string(what) + " over " + std::to_string(limit) + " bytes", Code::kTooLarge);
}

// Whether one of `count` bytes is a control character, but TAB and the line ends, or a CR without
// its LF. Looks one byte further. No branch in the loop: the compiler makes vectors of it.
bool HasBadText(const char* text, std::size_t count) {
  std::uint8_t bad = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    const auto next = static_cast<std::uint8_t>(text[i + 1]);
    const std::uint8_t control = (byte < ' ') | (byte == 127);
    const std::uint8_t allowed = (byte == '\t') | (byte == '\n') | (byte == '\r');
    const std::uint8_t bare = (byte == '\r') & (next != '\n');
    bad |= static_cast<std::uint8_t>((control & ~allowed) | bare);
  }
  return bad != 0;
}

// The block ends with a line end. In steps of one size, the last of which may overlap the one
// before: a rest would be looked at byte by byte, which costs more than all before it.
bool IsText(std::string_view block) {
  constexpr std::size_t kStep = 32;
  const std::size_t count = block.size() - 1;
  if (count < kStep) return !HasBadText(block.data(), count);
  bool bad = HasBadText(block.data() + count - kStep, kStep);
  for (std::size_t i = 0; i + kStep < count; i += kStep) {
    bad |= HasBadText(block.data() + i, kStep);
  }
  return !bad;
}

}  // namespace

std::unexpected<Error> Parser::Failed(const Fault& fault) const {
  const bool request = peer_ == Origin::kClient;
  const Code code = fault.code == Code::kProtocol && request ? Code::kInvalid : fault.code;
  return Failure(code, peer_, (request ? "bad HTTP request: " : "bad HTTP response: ") + fault.why);
}

Result<std::size_t> Parser::Put(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !done_) {
    const std::string_view rest = bytes.substr(used);
    const Parsed<std::size_t> taken = header_done_ ? PutBody(rest) : PutHeader(rest);
    if (!taken) return Failed(taken.error());
    used += *taken;
    if (!done_ || status_ / 100 != 1) continue;
    if (++informational_ > kMaxInformational) return Failed({.why = "too many 1xx answers"});
    const int seen = informational_;
    Reset();
    informational_ = seen;
  }
  return used;
}

// Said at once, for a peer that speaks something else (TLS, say) need not ever end a line.
bool Parser::MayBegin(std::string_view bytes) const {
  if (peer_ == Origin::kClient) return !text_.empty() || IsLetter(bytes.front());
  constexpr std::string_view kStart = "HTTP/1.";
  if (text_.size() >= kStart.size()) return true;
  const std::string_view rest = kStart.substr(text_.size());
  return bytes.starts_with(rest.substr(0, bytes.size()));
}

// Collects the header block, whose views are to point into one string, and finds its line ends.
Parser::Parsed<std::size_t> Parser::PutHeader(std::string_view bytes) {
  if (!MayBegin(bytes)) return Refuse("not HTTP/1");
  const std::size_t before = text_.size();
  std::size_t used = bytes.size();
  bool complete = false;
  for (std::size_t at = 0; !complete && (at = bytes.find('\n', at)) != bytes.npos; ++at) {
    const char last = at > 0 ? bytes[at - 1] : text_.empty() ? '\0' : text_.back();
    if (last != '\r') return Refuse("a line of the header ends without CR");
    const std::size_t begin = lines_.empty() ? 0 : lines_.back() + 1;
    complete = before + at - begin == 1;
    if (lines_.size() > kMaxFields + 1) return Refuse("too many header lines", Code::kTooLarge);
    lines_.push_back(static_cast<std::uint32_t>(before + at));
    if (complete) used = at + 1;
  }
  if (used > limits_.header - std::min(limits_.header, before)) {
    return TooLong("header", limits_.header);
  }
  text_.append(bytes.substr(0, used));
  if (complete) {
    if (const Parsed<void> parsed = ParseHeader(); !parsed) return std::unexpected(parsed.error());
  }
  return used;
}

Parser::Parsed<void> Parser::ParseHeader() {
  if (!IsText(text_)) return Refuse("a control character in the header");
  const std::string_view text = text_;
  if (Parsed<void> start = ParseStart(text.substr(0, lines_[0] - 1)); !start) return start;
  headers_.reserve(lines_.size());
  for (std::size_t i = 1; i + 1 < lines_.size(); ++i) {
    const std::size_t begin = lines_[i - 1] + 1;
    if (Parsed<void> field = ParseField(text.substr(begin, lines_[i] - 1 - begin)); !field) {
      return field;
    }
  }
  if (Parsed<void> length = ReadLength(); !length) return length;
  const bool request = peer_ == Origin::kClient;
  if (request && (count(Field::kHost) > 1 || (version_ >= 11 && !Has(Field::kHost)))) {
    return Refuse("exactly one Host is needed");
  }
  if (const std::uint32_t twice = repeated_ & kOnceARequest; request && twice != 0) {
    const Seen& seen = seen_[static_cast<std::size_t>(std::countr_zero(twice))];
    return Refuse(std::string(headers_[seen.first].name) + " more than once");
  }
  if (status_ == 101) return Refuse("status 101 without an upgrade");
  if (Parsed<void> body = BeginBody(); !body) return body;
  if (Parsed<void> connection = ReadConnection(); !connection) return connection;
  header_done_ = true;
  done_ = framing_.done();
  return {};
}

Parser::Parsed<void> Parser::ParseStart(std::string_view line) {
  if (peer_ == Origin::kClient) {
    const std::optional<RequestLine> request = ParseRequestLine(line);
    if (!request) return Refuse("the first line is not `METHOD target HTTP/1.1`");
    start_[0] = request->method;
    start_[1] = request->target;
    version_ = request->version;
    return {};
  }
  const std::optional<StatusLine> response = ParseStatusLine(line);
  if (!response) return Refuse("the first line is not `HTTP/1.1 status reason`");
  start_[0] = response->reason;
  status_ = response->status;
  version_ = response->version;
  return {};
}

Parser::Parsed<void> Parser::ParseField(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return Refuse("folded header line");
  const std::optional<FieldLine> field = ParseFieldLine(line);
  if (!field) return Refuse("a header line is not `name: value`");
  if (field->known) {
    Seen& seen = seen_[static_cast<std::size_t>(*field->known)];
    if (seen.count++ == 0) {
      seen.first = static_cast<std::uint16_t>(headers_.size());
    } else {
      repeated_ |= Bit(*field->known);
    }
  }
  headers_.push_back({field->name, field->value});
  return {};
}

Parser::Parsed<void> Parser::ReadLength() {
  if (Has(Field::kTransferEncoding)) {
    if (Has(Field::kContentLength)) return Refuse("both Content-Length and Transfer-Encoding");
    if (count(Field::kTransferEncoding) > 1 ||
        !EqualsIgnoreCase(Get(Field::kTransferEncoding), "chunked") || version_ < 11) {
      return Refuse("transfer coding other than chunked");
    }
    return {};
  }
  if (!Has(Field::kContentLength)) return {};
  const std::string_view text = Get(Field::kContentLength);
  if (count(Field::kContentLength) > 1 || text.contains(',')) {
    return Refuse("more than one Content-Length");
  }
  std::uint64_t length = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, length);
  if (error != std::errc() || at != end) return Refuse("Content-Length is not a number");
  content_length_ = length;
  return {};
}

Parser::Parsed<void> Parser::BeginBody() {
  const bool request = peer_ == Origin::kClient;
  const bool bodiless = !request && (status_ / 100 == 1 || status_ == 204 || status_ == 304);
  using Kind = Framing::Kind;
  const Kind kind = bodiless                        ? Kind::kNone
                    : Has(Field::kTransferEncoding) ? Kind::kChunked
                    : content_length_               ? Kind::kLength
                    : request                       ? Kind::kNone
                                                    : Kind::kUntilClose;
  framing_.Begin(kind, content_length_.value_or(0), limits_.header);
  if (kind != Kind::kLength || framing_.done()) return {};
  const bool streamed =
      !request && EqualsIgnoreCase(MediaType(Get(Field::kContentType)), "text/event-stream");
  if (streamed) return {};
  if (*content_length_ > limits_.body) {
    header_done_ = true;  // the fault is the body's: the caller tells 413 from 431 by this
    return TooLong("body", limits_.body);
  }
  body_.reserve(std::min<std::size_t>(*content_length_, kTrustedLength) + kPadding);
  return {};
}

// RFC 9112 9.3: 1.1 lives on unless told to close, 1.0 only when told to live.
Parser::Parsed<void> Parser::ReadConnection() {
  keep_alive_ = version_ >= 11;
  bool close = false;
  for (const Header* header = nullptr;
       Has(Field::kConnection) && (header = Find("connection", header)) != nullptr;) {
    if (!IsTokenList(header->value)) return Refuse("Connection is not a list of names");
    close |= ListHas(header->value, "close");
    if (ListHas(header->value, "keep-alive")) keep_alive_ = true;
  }
  if (close || framing_.until_close()) keep_alive_ = false;
  return {};
}

Parser::Parsed<std::size_t> Parser::PutBody(std::string_view bytes) {
  const Parsed<Framing::Step> step = framing_.Put(bytes);
  if (!step) return std::unexpected(step.error());
  if (!step->body.empty()) {
    if (const Parsed<void> kept = OnBody(step->body); !kept) return std::unexpected(kept.error());
  }
  done_ = framing_.done();
  return step->used;
}

Result<void> Parser::PutEof() {
  if (done_) return {};
  if (!header_done_) {
    return Failed({.why = text_.empty() ? "closed before headers" : "closed in the header"});
  }
  if (!framing_.PutEof()) return Failed({.why = "closed in the body"});
  done_ = true;
  return {};
}

Parser::Parsed<void> Parser::OnBody(std::string_view piece) {
  if (piece.size() > limits_.body - std::min(limits_.body, body_.size())) {
    return TooLong("body", limits_.body);
  }
  const std::size_t needed = body_.size() + piece.size() + kPadding;
  if (needed > body_.capacity() && !body_.empty()) {
    // What has come so far vouches for some of what was announced.
    std::size_t wanted = needed * 2;
    if (content_length_ && *content_length_ < needed * 8) wanted = *content_length_ + kPadding;
    body_.reserve(std::max(needed, wanted));
  }
  body_.append(piece);
  return {};
}

std::string_view Parser::Get(Field field) const {
  const Seen& seen = seen_[static_cast<std::size_t>(field)];
  return seen.count == 0 ? std::string_view() : headers_[seen.first].value;
}

const Header* Parser::Find(std::string_view name, const Header* after) const {
  const Header* const end = headers_.data() + headers_.size();
  const Header* at = after == nullptr ? headers_.data() : after + 1;
  at = std::find_if(at, end, [name](const Header& h) { return EqualsIgnoreCase(h.name, name); });
  return at == end ? nullptr : at;
}

std::string Parser::TakeBody() { return std::exchange(body_, {}); }

void Parser::Reset() {
  if (text_.capacity() > kKeptText) text_ = {};
  text_.clear();
  headers_.clear();
  seen_ = {};
  body_ = {};
  content_length_.reset();
  repeated_ = 0;
  start_[0] = start_[1] = {};
  status_ = 0;
  lines_.clear();
  version_ = 11;
  informational_ = 0;
  header_done_ = done_ = keep_alive_ = false;
}

void Parser::Release() {
  Reset();
  text_ = {};
  headers_ = {};
  lines_ = {};
  framing_.Release();
}

}  // namespace switchyard::http
