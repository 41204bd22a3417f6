#include "mcp/message.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "mcp/answered_id.h"
#include "mcp/error_map.h"
#include "mcp/json_tokens.h"
#include "mcp/message_reader.h"

namespace switchyard::mcp {
namespace {

constexpr std::string_view kHead = R"({"jsonrpc":"2.0")";
constexpr std::size_t kMostFrame = 64;  // what is around method, id and params
constexpr std::string_view kHeadToId = R"({"jsonrpc":"2.0","id":)";
constexpr std::string_view kIdToResult = R"(,"result":)";

std::unexpected<Error> Refuse(int rpc_code, std::string message) {
  return Failure(Error{.code = Code::kInvalid,
                       .origin = Origin::kClient,
                       .message = std::move(message),
                       .rpc_code = rpc_code});
}

std::unexpected<Error> NotJson(std::string_view why) {
  return Refuse(kParseError, std::string("not JSON: ").append(why));
}

std::unexpected<Error> TooLarge() {
  return Failure(Error{.code = Code::kTooLarge,
                       .origin = Origin::kClient,
                       .message = "message is larger than 1 GiB",
                       .rpc_code = kInvalidRequest});
}

// Only whitespace between tokens can be a line break: a raw one in a string is not JSON.
void FoldLines(std::string& bytes) {
  if (bytes.find('\n') == std::string::npos && bytes.find('\r') == std::string::npos) return;
  std::replace_if(bytes.begin(), bytes.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

std::string Describe(std::size_t fault, bool too_deep) {
  return too_deep ? "nested deeper than " + std::to_string(Message::kMaxDepth)
                  : "unexpected content at byte " + std::to_string(fault);
}

// Everything that does not need the envelope. Replies of servers are checked as deep as they are
// read: their receivers read the rest.
Result<void> CheckText(const JsonTokens& tokens, Check check) {
  const char first = tokens.at(0);
  if (check == Check::kFull || first != '{') {
    bool too_deep = false;
    const std::size_t fault = tokens.FindFault(Message::kMaxDepth, too_deep);
    if (fault != JsonTokens::kNoFault) return NotJson(Describe(fault, too_deep));
  }
  if (first == '[') {
    return Refuse(kInvalidRequest, "batches are not served: send one message at a time");
  }
  if (first != '{') return Refuse(kInvalidRequest, "a message must be a JSON object");
  return {};
}

// The reader stops where it gets lost; the full check knows why.
std::string ReasonOf(const JsonTokens& tokens, std::string_view lost) {
  bool too_deep = false;
  const std::size_t fault = tokens.FindFault(Message::kMaxDepth, too_deep);
  return fault == JsonTokens::kNoFault ? std::string(lost) : Describe(fault, too_deep);
}

void AppendId(std::string& text, std::string_view raw_id) {
  if (!raw_id.empty()) text.append(R"(,"id":)").append(raw_id);
}

}  // namespace

const Message::Body Message::kEmpty;

Message::Body& Message::own() {
  if (!body_) body_ = std::make_unique<Body>();
  return *body_;
}

Message Message::Clone() const {
  Message copy;
  if (body_) copy.body_ = std::make_unique<Body>(*body_);
  return copy;
}

Result<Message> Message::Parse(std::string bytes, Check check, std::string* readable_id) {
  if (bytes.size() > kMaxBytes) return TooLarge();
  Message message;
  Body& body = message.own();
  body.bytes = std::move(bytes);
  // Whoever waits for a reply that cannot be read is to hear of it.
  const auto refuse = [&](std::unexpected<Error> why) {
    const bool reply = readable_id != nullptr && check == Check::kEnvelope;
    if (reply) *readable_id = AnsweredId(body.bytes);
    return why;
  };
  const auto tokens = JsonTokens::Find(body.bytes);
  if (!tokens) return refuse(NotJson(tokens.error()));
  Result<void> text = CheckText(*tokens, check);
  if (!text) return refuse(Failure(std::move(text.error())));
  Reader reader(body, *tokens);
  if (!reader.ReadEnvelope()) return refuse(NotJson(ReasonOf(*tokens, reader.fault())));
  if (!reader.fault().empty()) {
    if (readable_id != nullptr && reader.id_is_readable()) *readable_id = body.id.In(body.bytes);
    return refuse(Refuse(kInvalidRequest, reader.fault()));
  }
  FoldLines(body.bytes);
  return message;
}

Message Message::Build(std::string text, std::string_view raw_id) {
  Result<Message> message = Parse(std::move(text), Check::kEnvelope);
  if (message) return std::move(*message);
  // No assertion: results hold what servers and clients wrote deeper in other messages, where
  // nobody has looked at it yet (a `_meta` that is no object, a member that stands there twice).
  std::string error(kHead);
  if (IsJsonInteger(raw_id) || Unquote(raw_id)) AppendId(error, raw_id);
  error.append(R"(,"error":{"code":-32603,"message":"the gateway built an unreadable answer"}})");
  return std::move(Parse(std::move(error), Check::kEnvelope)).value_or(Message());
}

Message Message::FromResult(std::string_view raw_id, std::shared_ptr<const std::string> result) {
  assert(result && !raw_id.empty());
  Message message;
  Body& body = message.own();
  body.kind = Kind::kResult;
  body.bytes = raw_id;
  body.result = {0, static_cast<std::uint32_t>(result->size())};
  body.shared = std::move(result);
  return message;
}

Message Message::FromResult(std::string_view raw_id, std::string result) {
  std::string text;
  text.reserve(kHeadToId.size() + raw_id.size() + kIdToResult.size() + result.size() + 1);
  text.append(kHeadToId).append(raw_id).append(kIdToResult).append(result).append("}");
  return Build(std::move(text), raw_id);
}

Message Message::Make(std::string_view raw_id, std::string_view method, std::string_view params) {
  std::string text;
  text.reserve(kMostFrame + raw_id.size() + method.size() + params.size());  // a stream keeps it
  text.append(kHead);
  AppendId(text, raw_id);
  text.append(R"(,"method":)").append(Quote(method));
  if (!params.empty()) text.append(R"(,"params":)").append(params);
  text.append("}");
  return Build(std::move(text), raw_id);
}

Message Message::MakeError(std::string_view raw_id, int code, std::string_view message,
                           std::string_view data) {
  std::string text(kHead);
  AppendId(text, raw_id);
  text.append(R"(,"error":{"code":)").append(std::to_string(code));
  text.append(R"(,"message":)").append(Quote(message));
  if (!data.empty()) text.append(R"(,"data":)").append(data);
  text.append("}}");
  return Build(std::move(text), raw_id);
}

std::string_view Message::method_name() const {
  const Body& body = this->body();
  return body.method == Method::kUnknown ? body.method_name.In(body.bytes) : Info(body.method).name;
}

std::string_view Message::id() const {
  const Body& body = this->body();
  if (body.shared) return body.bytes;
  const std::string_view raw = body.id.In(body.bytes);
  return raw == "null" ? std::string_view() : raw;
}

std::string Message::GetString(Key key) const { return Unquote(Get(key)).value_or(std::string()); }

std::string Message::GetString(MetaKey key) const {
  return Unquote(Get(key)).value_or(std::string());
}

std::string Message::OtherMeta() const {
  const std::string_view meta = Get(Key::kMeta);
  if (!meta.starts_with('{')) return {};
  const Span whole = member(Key::kMeta).value;
  std::array<Span, static_cast<std::size_t>(MetaKey::kCount) + 1> known;
  std::size_t count = 0;
  for (const Place& place : body().meta) {
    if (place.present()) known[count++] = {place.begin, place.end};
  }
  known[count++] = {whole.end - 1, whole.end};
  std::sort(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(count),
            [](Span a, Span b) { return a.begin < b.begin; });
  // What is between two known members is whole members: a value never starts or ends with a comma.
  constexpr std::string_view kBetween = ", \t\r\n";
  std::string others;
  std::uint32_t at = whole.begin + 1;
  for (std::size_t i = 0; i < count; ++i) {
    std::string_view gap = Span{at, known[i].begin}.In(body().bytes);
    at = known[i].end;
    const std::size_t first = gap.find_first_not_of(kBetween);
    if (first == std::string_view::npos) continue;
    gap = gap.substr(first, gap.find_last_not_of(kBetween) + 1 - first);
    if (!others.empty()) others += ',';
    others.append(gap);
  }
  return others;
}

void Message::SetId(std::string raw_id) {
  Body& body = own();
  if (body.shared) {
    body.bytes = std::move(raw_id);
  } else if (body.id.present()) {
    body.edits.Replace(body.id, std::move(raw_id));
  } else {
    const auto inside = static_cast<std::uint32_t>(body.bytes.find('{') + 1);
    body.edits.Insert(inside, R"("id":)" + raw_id + ",");
  }
}

void Message::SetResult(std::string result) {
  assert(kind() == Kind::kResult);
  own().edits.Replace(body().result, std::move(result));
}

void Message::AppendTo(Pieces& out) const {
  const Body& body = this->body();
  if (!body.shared) return body.edits.AppendTo(body.bytes, out);
  out.push_back(kHeadToId);
  out.push_back(body.bytes);
  out.push_back(kIdToResult);
  body.edits.AppendTo(*body.shared, out);
  out.push_back("}");
}

std::string Message::ToText() const {
  Pieces pieces;
  AppendTo(pieces);
  return Join(pieces);
}

}  // namespace switchyard::mcp
