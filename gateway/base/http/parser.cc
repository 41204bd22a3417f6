#include "base/http/parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace switchyard::http {
namespace {

namespace beast = boost::beast::http;
using BeastView = boost::beast::string_view;
using ErrorCode = boost::beast::error_code;

constexpr std::size_t kPadding = 64;                 // what a JSON reader wants behind its input
constexpr std::size_t kTrustedLength = 1024 * 1024;  // reserved on the peer's word alone
constexpr std::size_t kKeptText = 4 * 1024;          // buffers above this are not kept for reuse
constexpr std::size_t kMaxFields = 256;
constexpr int kMaxInformational = 8;

std::string_view View(BeastView text) { return {text.data(), text.size()}; }

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Names that Beast's table does not know. No two are equally long.
int KnownByName(std::string_view name) {
  const auto is = [name](std::string_view known, Field field) {
    return EqualsIgnoreCase(name, known) ? static_cast<int>(field) : -1;
  };
  switch (name.size()) {
    case 8: return is("mcp-name", Field::kMcpName);
    case 10: return is("mcp-method", Field::kMcpMethod);
    case 11: return is("traceparent", Field::kTraceParent);
    case 13: return is("last-event-id", Field::kLastEventId);
    case 14: return is("mcp-session-id", Field::kMcpSessionId);
    case 20: return is("mcp-protocol-version", Field::kMcpProtocolVersion);
    default: return -1;
  }
}

int Known(beast::field field, std::string_view name) {
  switch (field) {
    case beast::field::accept: return static_cast<int>(Field::kAccept);
    case beast::field::authorization: return static_cast<int>(Field::kAuthorization);
    case beast::field::connection: return static_cast<int>(Field::kConnection);
    case beast::field::content_encoding: return static_cast<int>(Field::kContentEncoding);
    case beast::field::content_length: return static_cast<int>(Field::kContentLength);
    case beast::field::content_type: return static_cast<int>(Field::kContentType);
    case beast::field::expect: return static_cast<int>(Field::kExpect);
    case beast::field::host: return static_cast<int>(Field::kHost);
    case beast::field::location: return static_cast<int>(Field::kLocation);
    case beast::field::origin: return static_cast<int>(Field::kOrigin);
    case beast::field::retry_after: return static_cast<int>(Field::kRetryAfter);
    case beast::field::transfer_encoding: return static_cast<int>(Field::kTransferEncoding);
    case beast::field::upgrade: return static_cast<int>(Field::kUpgrade);
    case beast::field::user_agent: return static_cast<int>(Field::kUserAgent);
    case beast::field::unknown: return KnownByName(name);
    default: return -1;
  }
}

}  // namespace

// What the facade needs of Beast's parser; the callbacks go back to the facade.
struct Parser::Engine {
  virtual ~Engine() = default;
  virtual void Restart(Parser& owner) = 0;
  virtual std::size_t Put(std::string_view bytes, ErrorCode& error) = 0;
  virtual void PutEof(ErrorCode& error) = 0;
  virtual bool done() const = 0;
  virtual bool keep_alive() const = 0;
  virtual bool chunked() const = 0;
  virtual bool upgrade() const = 0;
  virtual std::optional<std::uint64_t> content_length() const = 0;
  virtual Origin peer() const = 0;
};

template <bool kRequest>
struct Parser::EngineOf final : Parser::Engine {
  class Framing final : public beast::basic_parser<kRequest> {
   public:
    explicit Framing(Parser& owner) : owner_(owner) {
      this->eager(true);
      this->body_limit(boost::none);  // ours counts what lies untaken
      this->header_limit(static_cast<std::uint32_t>(owner.limits_.header + kPadding));
    }

   private:
    void Check(bool good, ErrorCode& error) {
      if (!good) error = beast::error::bad_field;  // never shown: failure_ has the reason
    }

    void on_request_impl(beast::verb, BeastView method, BeastView target, int version,
                         ErrorCode&) override {
      owner_.start_[0] = View(method);
      owner_.start_[1] = View(target);
      owner_.version_ = version;
    }
    void on_response_impl(int status, BeastView reason, int version, ErrorCode&) override {
      owner_.start_[0] = View(reason);
      owner_.status_ = status;
      owner_.version_ = version;
    }
    void on_field_impl(beast::field field, BeastView name, BeastView value,
                       ErrorCode& error) override {
      Check(owner_.OnField(View(name), View(value), Known(field, View(name))), error);
    }
    void on_header_impl(ErrorCode& error) override { Check(owner_.OnHeader(), error); }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
    std::size_t on_body_impl(BeastView piece, ErrorCode& error) override {
      Check(owner_.OnBody(View(piece)), error);
      return piece.size();
    }
    void on_chunk_header_impl(std::uint64_t, BeastView, ErrorCode&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, BeastView piece, ErrorCode& error) override {
      Check(owner_.OnBody(View(piece)), error);
      return piece.size();
    }
    void on_finish_impl(ErrorCode&) override {}

    Parser& owner_;
  };

  void Restart(Parser& owner) override { framing.emplace(owner); }
  std::size_t Put(std::string_view bytes, ErrorCode& error) override {
    return framing->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  }
  void PutEof(ErrorCode& error) override { framing->put_eof(error); }
  bool done() const override { return framing->is_done(); }
  bool keep_alive() const override { return framing->keep_alive(); }
  bool chunked() const override { return framing->chunked(); }
  bool upgrade() const override { return framing->upgrade(); }
  std::optional<std::uint64_t> content_length() const override {
    const auto length = framing->content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
  }
  Origin peer() const override { return kRequest ? Origin::kClient : Origin::kServer; }

  std::optional<Framing> framing;
};

Parser::Parser(std::unique_ptr<Engine> engine, Limits limits)
    : engine_(std::move(engine)), limits_(limits) {
  engine_->Restart(*this);
}

Parser::~Parser() = default;

RequestParser::RequestParser(Limits limits) : Parser(std::make_unique<EngineOf<true>>(), limits) {}

ResponseParser::ResponseParser(Limits limits)
    : Parser(std::make_unique<EngineOf<false>>(), limits) {}

std::unexpected<Error> Parser::Failed(std::string_view why, Code code) const {
  const bool request = engine_->peer() == Origin::kClient;
  if (code == Code::kProtocol && request) code = Code::kInvalid;
  return Failure(code, engine_->peer(),
                 std::string(request ? "bad HTTP request: " : "bad HTTP response: ").append(why));
}

bool Parser::Refuse(Code code, std::string_view why) {
  failure_ = Failed(why, code).error();
  return false;
}

Result<std::size_t> Parser::Put(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !done_) {
    const std::string_view rest = bytes.substr(used);
    Result<std::size_t> taken = !header_done_      ? PutHeader(rest)
                                : pending_.empty() ? PutBody(rest)
                                                   : PutPending(rest);
    if (!taken) return taken;
    used += *taken;
    if (!done_ || status_ / 100 != 1) continue;
    if (++informational_ > kMaxInformational) return Failed("too many 1xx answers");
    const int seen = informational_;
    Reset();
    informational_ = seen;
  }
  return used;
}

// Said at once, for a peer that speaks something else (TLS, say) need not ever end a line.
bool Parser::MayBegin(std::string_view bytes) const {
  if (engine_->peer() == Origin::kClient) {
    return !text_.empty() || IsLetter(bytes.front());
  }
  constexpr std::string_view kStart = "HTTP/1.";
  if (text_.size() >= kStart.size()) return true;
  const std::string_view rest = kStart.substr(text_.size());
  return bytes.starts_with(rest.substr(0, bytes.size()));
}

// Collects the header block line by line, so that Beast sees it once and whole and its views point
// into text_.
Result<std::size_t> Parser::PutHeader(std::string_view bytes) {
  if (!MayBegin(bytes)) return Failed("not HTTP/1");
  std::size_t end = 0;
  bool complete = false;
  while (!complete) {
    const void* found = std::memchr(bytes.data() + end, '\n', bytes.size() - end);
    if (found == nullptr) break;
    const std::size_t at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    const std::size_t length = line_ + (at - end);
    const char before = at > 0 ? bytes[at - 1] : text_.empty() ? '\0' : text_.back();
    if (before != '\r') return Failed("a line of the header ends without CR");
    complete = length == 1;
    line_ = 0;
    end = at + 1;
  }
  if (!complete) {
    line_ += bytes.size() - end;
    end = bytes.size();
  }
  if (end > limits_.header - std::min(limits_.header, text_.size())) {
    return Failed("header over " + std::to_string(limits_.header) + " bytes", Code::kTooLarge);
  }
  text_.append(bytes.substr(0, end));
  if (complete) {
    if (Result<void> parsed = ParseHeader(); !parsed) return std::unexpected(parsed.error());
  }
  return end;
}

Result<void> Parser::ParseHeader() {
  ErrorCode error;
  const std::size_t used = engine_->Put(text_, error);
  if (failure_) return std::unexpected(*failure_);
  if (error) return Failed(error.message());
  if (used != text_.size()) return Failed("header ends early");
  header_done_ = true;
  done_ = engine_->done();
  return {};
}

Result<std::size_t> Parser::PutBody(std::string_view bytes) {
  ErrorCode error;
  std::size_t used = engine_->Put(bytes, error);
  if (failure_) return std::unexpected(*failure_);
  if (error == beast::error::need_more) {
    pending_.assign(bytes.substr(used));
    used = bytes.size();
  } else if (error) {
    return Failed(error.message());
  }
  done_ = engine_->done();
  return used;
}

// Beast wants an incomplete chunk header or trailer again together with what follows. Fed by whole
// lines: that is also what its assertions expect.
Result<std::size_t> Parser::PutPending(std::string_view bytes) {
  const std::size_t line_end = bytes.find('\n');
  const std::size_t take = line_end == bytes.npos ? bytes.size() : line_end + 1;
  if (take > limits_.header - std::min(limits_.header, pending_.size())) {
    return Failed("chunk header over " + std::to_string(limits_.header) + " bytes",
                  Code::kTooLarge);
  }
  pending_.append(bytes.substr(0, take));
  if (line_end == bytes.npos) return take;
  ErrorCode error;
  const std::size_t used = engine_->Put(pending_, error);
  if (failure_) return std::unexpected(*failure_);
  if (error && error != beast::error::need_more) return Failed(error.message());
  pending_.erase(0, used);
  done_ = engine_->done();
  return take;
}

Result<void> Parser::PutEof() {
  if (done_) return {};
  if (!header_done_)
    return Failed(text_.empty() ? "closed before headers" : "closed in the header");
  ErrorCode error;
  engine_->PutEof(error);
  if (error) return Failed("closed in the body");
  done_ = engine_->done();
  return {};
}

bool Parser::OnField(std::string_view name, std::string_view value, int known) {
  if (header_done_) return true;  // a trailer: Beast refused those that frame, nobody reads others
  // A folded value comes from a buffer of Beast's, or with a line end between the colon and it.
  const char* const begin = text_.data();
  const char* const gap = name.data() + name.size() + 1;
  if (value.data() < gap || value.data() > begin + text_.size() ||
      std::find(gap, value.data(), '\r') != value.data()) {
    return Refuse(Code::kProtocol, "folded header line");
  }
  if (headers_.size() == kMaxFields) return Refuse(Code::kTooLarge, "too many header lines");
  if (known >= 0) {
    Seen& seen = seen_[static_cast<std::size_t>(known)];
    if (seen.count++ == 0) seen.first = static_cast<std::uint16_t>(headers_.size());
  }
  headers_.push_back({name, value});
  return true;
}

bool Parser::OnHeader() {
  const bool request = engine_->peer() == Origin::kClient;
  if (count(Field::kContentLength) > 1 || Get(Field::kContentLength).contains(',')) {
    return Refuse(Code::kProtocol, "more than one Content-Length");
  }
  if (Has(Field::kTransferEncoding)) {
    if (Has(Field::kContentLength)) {
      return Refuse(Code::kProtocol, "both Content-Length and Transfer-Encoding");
    }
    if (count(Field::kTransferEncoding) > 1 ||
        !EqualsIgnoreCase(Get(Field::kTransferEncoding), "chunked") || version_ < 11) {
      return Refuse(Code::kProtocol, "transfer coding other than chunked");
    }
  }
  if (request && (count(Field::kHost) > 1 || (version_ >= 11 && !Has(Field::kHost)))) {
    return Refuse(Code::kProtocol, "exactly one Host is needed");
  }
  if (!request && status_ == 101) return Refuse(Code::kProtocol, "status 101 without an upgrade");
  content_length_ = engine_->content_length();
  if (!content_length_) return true;
  const bool streamed =
      !request && EqualsIgnoreCase(MediaType(Get(Field::kContentType)), "text/event-stream");
  if (*content_length_ > limits_.body && !streamed) {
    header_done_ = true;  // the fault is the body's: the caller tells 413 from 431 by this
    return Refuse(Code::kTooLarge, "body over " + std::to_string(limits_.body) + " bytes");
  }
  if (!streamed && !engine_->done()) {
    body_.reserve(std::min<std::size_t>(*content_length_, kTrustedLength) + kPadding);
  }
  return true;
}

bool Parser::OnBody(std::string_view piece) {
  if (piece.size() > limits_.body - std::min(limits_.body, body_.size())) {
    return Refuse(Code::kTooLarge, "body over " + std::to_string(limits_.body) + " bytes");
  }
  const std::size_t needed = body_.size() + piece.size() + kPadding;
  if (needed > body_.capacity() && !body_.empty()) {
    // What has come so far vouches for some of what was announced.
    std::size_t wanted = needed * 2;
    if (content_length_ && *content_length_ < needed * 8) wanted = *content_length_ + kPadding;
    body_.reserve(std::max(needed, wanted));
  }
  body_.append(piece);
  return true;
}

bool Parser::keep_alive() const { return engine_->keep_alive(); }
bool Parser::chunked() const { return engine_->chunked(); }
bool Parser::upgrade() const { return engine_->upgrade(); }

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
  pending_.clear();
  content_length_.reset();
  failure_.reset();
  start_[0] = start_[1] = {};
  status_ = 0;
  line_ = 0;
  version_ = 11;
  informational_ = 0;
  header_done_ = done_ = false;
  engine_->Restart(*this);
}

void Parser::Release() {
  Reset();
  text_ = {};
  headers_ = {};
  pending_ = {};
}

}  // namespace switchyard::http
