// Reads the envelope of one message into a Message's spans. Used by Message::Parse alone.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "mcp/json_tokens.h"
#include "mcp/message.h"
#include "mcp/message_keys.h"

namespace switchyard::mcp {

class Reader {
 public:
  // Fills `message`, which owns its bytes already; nothing moves them. `bytes` outlive the Reader.
  Reader(Message::Body& message, const JsonTokens& tokens);

  // False: the text is not JSON, and `fault()` says why.
  bool ReadEnvelope();
  // "" when the message is what the protocol wants; else the first thing that is not.
  const std::string& fault() const { return fault_; }
  bool id_is_readable() const;

 private:
  struct Field {
    std::string_view name;  // as it reads after decoding
    Span key;               // with its quotes
    Span value;
    std::size_t value_token;
  };

  // Calls `take(field)` for each member of the object at token i; returns the token behind it, 0 =
  // not JSON.
  template <class Take>
  std::size_t ForEachField(std::size_t i, int depth, Take take);
  bool DecodeName(Field& field, std::string& scratch);
  bool TakeTop(const Field& field);
  bool TakeInner(const Field& field);
  bool TakeMeta(const Field& field);
  bool TakeErrorField(const Field& field, bool& has_code);

  bool ReadValue(TopKey key, const Field& field);
  bool ReadInner(const Field& field);
  bool ReadError(const Field& field);
  void ReadMethod(const Field& field);
  void JudgeKind();
  void JudgeRequest();
  void JudgeResponse();

  bool seen(TopKey key) const { return (seen_ & (1u << static_cast<unsigned>(key))) != 0; }
  void Fault(std::string_view what);
  void DuplicateFault(std::string_view name);
  bool SyntaxFault(std::size_t token);
  std::string_view Text(Span span) const { return span.In(message_.bytes); }

  Message::Body& message_;
  const JsonTokens& tokens_;
  const bool any_escape_;
  bool escaped_known_ = false;  // a name that only reads as a known one after decoding
  bool escaped_other_ = false;
  bool folded_ = false;  // a name that differs from a known one in case alone
  bool duplicate_id_ = false;
  unsigned seen_ = 0;
  std::string fault_;
};

}  // namespace switchyard::mcp
