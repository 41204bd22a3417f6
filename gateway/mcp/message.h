// One JSON-RPC message: bytes that we own, read once, and the spans of what the gateway looks at.
//
// Parse() makes one pass over simdjson's index and refuses what would let two readers see two
// messages: duplicate or escaped keys among those we read, ids that are not strings or integers, a
// second document. What we do not read is passed on untouched. A Message is a value: movable,
// copied only by Clone(); one stage at a time touches it. Its bytes stay where they are when it is
// moved.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mcp/json_string.h"
#include "mcp/method.h"
#include "mcp/splice.h"

namespace switchyard::mcp {

enum class Kind : std::uint8_t { kRequest, kNotification, kResult, kError };

// The members of `params` (requests, notifications) or `result` (responses) that we look at.
enum class Key : std::uint8_t {
  kName,
  kUri,
  kArguments,
  kMeta,
  kCursor,
  kRef,
  kTask,
  kTaskId,
  kLevel,
  kProtocolVersion,
  kCapabilities,
  kClientInfo,
  kNotifications,
  kRequestId,
  kProgressToken,
  kProgress,
  kRequestState,
  kInputResponses,
  kInputRequests,
  kResultType,
  kTtlMs,
  kCacheScope,
  kIsError,
  kContent,
  kStructuredContent,
  kNextCursor,
  kTools,
  kPrompts,
  kResources,
  kResourceTemplates,
  kContents,
  kServerInfo,
  kInstructions,
  kSupportedVersions,
  kReason,
  kContext,
  kCount,
};

// The members of `_meta` that we look at.
enum class MetaKey : std::uint8_t {
  kProtocolVersion,
  kClientCapabilities,
  kClientInfo,
  kLogLevel,
  kProgressToken,
  kSubscriptionId,
  kServerInfo,
  kTraceParent,
  kCount,
};

// What a peer's text must be like. kFull also validates what we do not read (requests of clients);
// kEnvelope trusts the inner parts of a reply, which only its receiver reads.
enum class Check : std::uint8_t { kFull, kEnvelope };

class Message {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
  static constexpr int kMaxDepth = 1024;

  Message() = default;  // empty: everything reads as absent
  Message(Message&&) noexcept = default;
  Message& operator=(Message&&) noexcept = default;
  Message Clone() const;  // edits included

  // On failure the Error (kInvalid, kClient; a reader of servers' bytes says kProtocol, kServer)
  // has rpc_code -32700 (not JSON) or -32600 (not JSON-RPC as the specification wants it) and, when
  // `readable_id` is given and the id could be read, its raw JSON goes there.
  //
  // Line breaks between tokens become spaces, so a Message always fits on a line (stdio) and in a
  // `data:` field (SSE). params and result are always objects. At most kMaxBytes and kMaxDepth.
  static Result<Message> Parse(std::string bytes, Check check = Check::kFull,
                               std::string* readable_id = nullptr);

  // Local answers. `result` is the JSON of the result object. Shared ones are written without a
  // copy and not read: their members are absent. The others read like received ones.
  static Message FromResult(std::string_view raw_id, std::shared_ptr<const std::string> result);
  static Message FromResult(std::string_view raw_id, std::string result);
  // A request or notification of our own; `params` is JSON or empty. raw_id "" = notification.
  static Message Make(std::string_view raw_id, std::string_view method, std::string_view params);
  // raw_id "" leaves `id` out (it could not be read). `data` is JSON or empty.
  static Message MakeError(std::string_view raw_id, int code, std::string_view message,
                           std::string_view data = {});

  Kind kind() const { return body().kind; }
  bool is_response() const { return kind() == Kind::kResult || kind() == Kind::kError; }
  Method method() const { return body().method; }
  // Without quotes; of a method that we know always its plain name, else the raw text.
  std::string_view method_name() const;
  std::string_view id() const;  // raw JSON, quotes included; "" = none (an error's may be null)

  // Raw JSON of the whole `params`, `result` or `error` value; "" = absent.
  std::string_view params() const { return body().params.In(body().bytes); }
  std::string_view result() const { return body().result.In(bytes()); }
  std::string_view error() const { return body().error.In(body().bytes); }
  int error_code() const { return body().error_code; }  // 0 unless kError

  // Raw JSON of a member; "" = absent.
  std::string_view Get(Key key) const { return member(key).value.In(body().bytes); }
  std::string_view Get(MetaKey key) const { return member(key).value.In(body().bytes); }
  // The text of a member that is a JSON string, unescaped; "" when absent or not a string.
  std::string GetString(Key key) const;
  std::string GetString(MetaKey key) const;
  bool Has(Key key) const { return member(key).present(); }
  bool Has(MetaKey key) const { return member(key).present(); }

  Member member(Key key) const { return body().members[static_cast<std::size_t>(key)].ToMember(); }
  Member member(MetaKey key) const { return body().meta[static_cast<std::size_t>(key)].ToMember(); }
  Span id_span() const { return body().id; }
  Span params_span() const { return body().params; }  // the object with its braces
  Span result_span() const { return body().result; }

  // The other members of `_meta`, raw `"key":value` joined by commas: what a hop must keep though
  // it does not know it.
  std::string OtherMeta() const;

  // Bytes as received; for a shared local answer only the result value.
  std::string_view bytes() const {
    return body().shared ? std::string_view(*body().shared) : body().bytes;
  }
  std::size_t size() const { return bytes().size(); }

  // Spans speak of the bytes as received; edits change what is written, not what is read.
  Edits& edits() { return own().edits; }
  const Edits& edits() const { return body().edits; }
  void SetId(std::string raw_id);
  // What is read is what will be written, but for the id.
  bool ReadsAsWritten() const { return !body().shared && body().edits.TouchOnly(body().id); }
  // Replaces the result of a kResult (converted or capped content) and drops the edits within it.
  void SetResult(std::string result);

  // The whole message as it goes out, with its edits. Valid while *this lives and is not edited.
  void AppendTo(Pieces& out) const;
  std::string ToText() const;

 private:
  friend class Reader;  // fills the spans (message_reader.cc)

  // A Member in 12 bytes instead of 16: a value ends where its member ends.
  struct Place {
    std::uint32_t begin = 0, value = 0, end = 0;
    Member ToMember() const { return {.whole = {begin, end}, .value = {value, end}}; }
    bool present() const { return end != 0; }
  };

  // On the heap, for a Message moves through many stages (and below malloc's 1 KiB fast path).
  struct Body {
    std::string bytes;  // received, or built by us; of a shared local answer the id
    std::shared_ptr<const std::string> shared;  // a shared local answer: the result value
    Kind kind = Kind::kNotification;
    Method method = Method::kUnknown;
    int error_code = 0;
    Span id, method_name, params, result, error;
    std::array<Place, static_cast<std::size_t>(Key::kCount)> members{};
    std::array<Place, static_cast<std::size_t>(MetaKey::kCount)> meta{};
    Edits edits;
  };

  static const Body kEmpty;
  static Message Build(std::string text, std::string_view raw_id);  // text of ours

  const Body& body() const { return body_ ? *body_ : kEmpty; }
  Body& own();  // made when there is none yet

  std::unique_ptr<Body> body_;
};

}  // namespace switchyard::mcp
