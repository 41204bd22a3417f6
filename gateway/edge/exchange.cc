#include "edge/exchange.h"

#include <iterator>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/json.hpp>
#include <fmt/compile.h>
#include <fmt/format.h>

#include "base/http/status.h"
#include "edge/refusal_count.h"

namespace switchyard::edge {
namespace {

// Milliseconds after which a client that lost its stream comes back.
constexpr std::string_view kRetry = "1000";

std::vector<std::string> ScopesIn(const std::string& data) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(data, error);
  const boost::json::value* list = error ? nullptr : value.find_pointer("/scopes", error);
  std::vector<std::string> scopes;
  if (list == nullptr || !list->is_array()) return scopes;
  for (const boost::json::value& one : list->get_array()) {
    if (one.is_string()) scopes.emplace_back(one.get_string());
  }
  return scopes;
}

}  // namespace

// A write that is unwound half way leaves the client in the middle of a piece: nothing that follows
// would make sense.
class Exchange::Writing {
 public:
  Writing(Exchange& exchange, const http::Gather& out) : exchange_(exchange) {
    exchange_.write_ = &out;
  }
  Writing(const Writing&) = delete;
  ~Writing() {
    exchange_.sent_ += exchange_.write_->written();
    if (!exchange_.write_->done()) exchange_.failed_ = true;
    exchange_.write_ = nullptr;
  }

 private:
  Exchange& exchange_;
};

Exchange::Exchange(ReadAhead& io, http::RequestParser& request, RefusalCount* refusals)
    : io_(io),
      request_(request),
      refusals_(refusals),
      chunks_(request.version() >= 11),
      keep_alive_(request.header_done() && request.keep_alive()) {}

std::uint64_t Exchange::sent() const { return sent_ + (write_ == nullptr ? 0 : write_->written()); }

std::string_view Exchange::Header(std::string_view name) const {
  const http::Header* header = request_.Find(name);
  return header == nullptr ? std::string_view() : header->value;
}

bool Exchange::Accepts(std::string_view media_type) const {
  if (request_.Get(http::Field::kAccept).empty()) return true;
  for (const http::Header* line = nullptr;
       (line = request_.Find("accept", line)) != nullptr;) {  // several are one list
    if (boost::algorithm::contains(line->value, "*/*")) return true;
    if (boost::algorithm::icontains(line->value, media_type)) return true;
  }
  return false;
}

void Exchange::Lasts() {
  kept_ =
      std::make_unique<Kept>(Kept{.target = std::string(request_.target()), .authorization = {}});
  if (!request_.Has(http::Field::kAuthorization)) return;
  kept_->authorization.emplace(request_.Get(http::Field::kAuthorization));
}

bool Exchange::MustEnd() {
  if (kept_ == nullptr || over_ || challenger_ == nullptr) return false;
  over_ = !challenger_->StillLetsIn(*this);
  return over_;
}

void Exchange::AskForScopes(const Error& error) {
  if (challenger_ == nullptr || error.code != Code::kForbidden) return;
  const std::vector<std::string> scopes = ScopesIn(error.data);
  if (scopes.empty()) return;
  const std::string challenge = challenger_->StepUp(*this, scopes);
  if (!challenge.empty()) AddHeader("WWW-Authenticate", challenge);
}

void Exchange::CountRefusal(int status) {
  if (refusals_ != nullptr) refusals_->Add(status);
}

void Exchange::AddHeader(std::string_view name, std::string_view value) {
  extra_headers_.append(name).append(": ").append(value).append("\r\n");
}

Task<void> Exchange::Respond(int status, std::string_view content_type, std::string_view body) {
  mcp::Pieces pieces;
  if (!body.empty()) pieces.push_back(body);
  co_await Respond(status, content_type, pieces);
}

Task<void> Exchange::Respond(int status, std::string_view content_type, const mcp::Pieces& body) {
  answered_ = true;
  fmt::basic_memory_buffer<char, 512> head;
  auto out = std::back_inserter(head);
  const std::size_t size = mcp::TotalSize(body);
  fmt::format_to(out, FMT_COMPILE("HTTP/1.1 {} {}\r\n"), status, http::StatusText(status));
  if (!content_type.empty()) {
    fmt::format_to(out, FMT_COMPILE("Content-Type: {}\r\n"), content_type);
  }
  if (status != 204) fmt::format_to(out, FMT_COMPILE("Content-Length: {}\r\n"), size);
  if (!keep_alive_) {
    head.append(std::string_view("Connection: close\r\n"));
  } else if (!chunks_) {
    head.append(std::string_view("Connection: keep-alive\r\n"));  // not a matter of course in 1.0
  }
  head.append(extra_headers_);
  head.append(std::string_view("\r\n"));
  mcp::Pieces pieces;
  pieces.push_back(std::string_view(head.data(), head.size()));
  if (request_.method() != "HEAD") {
    pieces.insert(pieces.end(), body.begin(), body.end());
    bytes_out_ += size;
  }
  co_await Write(pieces);
}

// HTTP/1.1 chunked, so that the connection lives on; X-Accel-Buffering keeps proxies from holding
// events back (SH = basic/transports/streamable-http).
std::string Exchange::StreamHead() {
  answered_ = streaming_ = true;
  std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
      "X-Accel-Buffering: no\r\n";
  if (chunks_) {
    head.append("Transfer-Encoding: chunked\r\n");
  } else {
    keep_alive_ = false;
  }
  if (!keep_alive_) head.append("Connection: close\r\n");
  head.append(extra_headers_).append("\r\n");
  return head;
}

Task<bool> Exchange::BeginStream() {
  const std::string head = StreamHead();
  mcp::Pieces pieces;
  pieces.push_back(head);
  const bool sent = co_await Write(pieces);
  request_.Release();  // a stream may last for days; nobody reads its headers any more
  co_return sent;
}

Task<bool> Exchange::Send(const mcp::Pieces& data, std::string_view id) {
  std::string prefix;
  if (!id.empty()) prefix.append("id: ").append(id).append("\n");
  prefix.append("event: message\ndata: ");
  return SendEvent(std::move(prefix), data);  // no frame of its own
}

Task<bool> Exchange::SendEndpoint(std::string_view uri) {
  mcp::Pieces data;
  data.push_back(uri);
  const bool sent = co_await SendEvent("event: endpoint\ndata: ", data);
  co_return sent;
}

std::string Exchange::Priming(std::string_view id) {
  return std::string("id: ").append(id).append("\nretry: ").append(kRetry).append("\ndata: ");
}

Task<bool> Exchange::SendPriming(std::string_view id) {
  const mcp::Pieces nothing;
  const bool sent = co_await SendEvent(Priming(id), nothing);
  co_return sent;
}

bool Exchange::BeginStreamNow(std::string_view id) {
  if (answered_ || writing() || failed_ || io_.gone()) return false;
  std::string text = StreamHead();
  const std::string event = Priming(id) + "\n\n";
  if (chunks_) text.append(fmt::format(FMT_COMPILE("{:x}\r\n"), event.size()));
  text.append(event).append(chunks_ ? "\r\n" : "");
  const std::string_view piece = text;
  if (!SendOrFail(std::span(&piece, 1))) failed_ = true;
  request_.Release();
  return true;
}

Task<bool> Exchange::SendEvent(std::string prefix, const mcp::Pieces& data) {
  const std::size_t size = prefix.size() + mcp::TotalSize(data) + 2;
  std::string head;
  if (chunks_) head = fmt::format(FMT_COMPILE("{:x}\r\n"), size);
  head.append(prefix);
  mcp::Pieces pieces;
  pieces.push_back(head);
  pieces.insert(pieces.end(), data.begin(), data.end());
  pieces.push_back(chunks_ ? "\n\n\r\n" : "\n\n");
  bytes_out_ += mcp::TotalSize(data);
  const bool sent = co_await Write(pieces);
  co_return sent;
}

Task<void> Exchange::EndStream() {
  streaming_ = false;
  if (!chunks_) co_return;
  mcp::Pieces pieces;
  pieces.push_back("0\r\n\r\n");
  co_await Write(pieces);
}

void Exchange::KeepAlive() {
  if (!streaming_ || writing() || failed_) return;
  static constexpr std::string_view kComment = "3\r\n:\n\n\r\n";
  static constexpr std::string_view kBareComment = ":\n\n";
  SendOrFail(std::span(chunks_ ? &kComment : &kBareComment, 1));
}

// Without waiting. What went out in part could be followed by anything: the stream is of no more
// use. True: all of it was sent.
bool Exchange::SendOrFail(std::span<const std::string_view> pieces) {
  http::Gather out(pieces);
  const boost::system::error_code error = io_.SendNow(out);
  sent_ += out.written();
  if (error || (!out.done() && out.written() > 0)) failed_ = true;
  if (!error) io_.FlushLater();
  return out.done();
}

Task<bool> Exchange::Write(const mcp::Pieces& pieces) {
  if (failed_ || io_.gone()) {
    failed_ = true;
    co_return false;
  }
  http::Gather out(std::span(pieces.data(), pieces.size()));
  const Writing writing(*this, out);
  boost::system::error_code error = io_.SendNow(out);
  if (!error && !(out.done() && io_.flushed())) error = co_await io_.Send(out);
  co_return !error;
}

}  // namespace switchyard::edge
