// Message::Parse on any bytes, against another JSON reader:
// - what is accepted goes out as it came in, but for line breaks between tokens;
// - under the full check, JSON is what Boost.JSON takes for JSON;
// - of a reply that is not accepted, the id is found that an accepted one would have;
// - every span lies within the bytes, and edits of what the gateway edits keep the message
// readable.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "mcp/answered_id.h"
#include "mcp/json_tokens.h"
#include "mcp/message.h"
#include "mcp/meta.h"

namespace {

using switchyard::Result;
using switchyard::mcp::Check;
using switchyard::mcp::Key;
using switchyard::mcp::Kind;
using switchyard::mcp::Message;
using switchyard::mcp::MetaKey;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

enum class Json { kYes, kNo, kUnsure };

Json AskBoost(const std::string& text) {
  boost::json::parse_options options;
  options.max_depth = Message::kMaxDepth;
  boost::system::error_code problem;
  boost::json::parse(text, problem, {}, options);
  if (!problem) return Json::kYes;
  // Limits of its own, not of the grammar; and it refuses half a surrogate pair, under many names.
  using boost::json::error;
  const bool unsure = problem == error::too_deep || problem == error::exponent_overflow ||
                      text.find("\\ud") != std::string::npos ||
                      text.find("\\uD") != std::string::npos;
  return unsure ? Json::kUnsure : Json::kNo;
}

Message ReadBack(const std::string& text, Check check, const char* what) {
  Result<Message> again = Message::Parse(text, check);
  if (!again) std::fprintf(stderr, "%s\n%s\n", text.c_str(), again.error().message.c_str());
  Require(again.has_value(), what);
  return std::move(*again);
}

void CheckReading(const Message& message, const std::string& input) {
  std::string expected = input;
  std::replace(expected.begin(), expected.end(), '\n', ' ');
  std::replace(expected.begin(), expected.end(), '\r', ' ');
  Require(message.ToText() == expected, "a message without edits goes out as it came in");
  Require(message.kind() != Kind::kRequest || !message.id().empty(), "a request has an id");
  std::size_t seen = message.OtherMeta().size() + message.method_name().size();
  for (int i = 0; i < static_cast<int>(Key::kCount); ++i) {
    const auto key = static_cast<Key>(i);
    seen += message.Get(key).size() + message.GetString(key).size();
    const auto member = message.member(key);
    Require(!member.present() || input[member.whole.begin] == '"', "a member starts with its key");
  }
  for (int i = 0; i < static_cast<int>(MetaKey::kCount); ++i) {
    const auto key = static_cast<MetaKey>(i);
    seen += message.Get(key).size() + message.GetString(key).size();
  }
  Require(seen < input.size() * 200 + 200, "members lie within the bytes");
}

void CheckEdits(const Message& message, Check check) {
  Message other = message.Clone();
  other.SetId("987");
  Require(ReadBack(other.ToText(), check, "readable with another id").id() == "987",
          "the id is set");
  if (message.kind() == Kind::kResult) {
    Message legacy = message.Clone();
    switchyard::mcp::StripModernResult(legacy, legacy.edits());
    const Message stripped = ReadBack(legacy.ToText(), check, "readable without modern members");
    Require(!stripped.Has(Key::kResultType) && !stripped.Has(MetaKey::kServerInfo), "stripped");
    Message modern = message.Clone();
    switchyard::mcp::AddResultType(modern, modern.edits(), switchyard::mcp::CacheHint{});
    Require(ReadBack(modern.ToText(), check, "readable with a type").Has(Key::kResultType),
            "added");
    other.SetResult("{}");
    Require(ReadBack(other.ToText(), check, "readable with another result").result() == "{}",
            "set");
  } else if (message.kind() != Kind::kError) {
    const std::string meta =
        switchyard::mcp::ModernRequestMeta({.progress_token = "5"}, message.OtherMeta());
    switchyard::mcp::SetParamsMeta(other, other.edits(), meta);
    const Message sent = ReadBack(other.ToText(), check, "readable with another _meta");
    Require(sent.Get(MetaKey::kProgressToken) == "5", "_meta is set");
    Require(sent.OtherMeta() == message.OtherMeta(), "unknown members of _meta are kept");
    Require(sent.Get(Key::kName) == message.Get(Key::kName), "the rest stays");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  std::string id;
  const Result<Message> full = Message::Parse(input, Check::kFull, &id);
  const bool not_json = !full && full.error().rpc_code == -32700;
  const bool too_deep = not_json && full.error().message.find("deeper") != std::string::npos;
  const Json judged = AskBoost(input);
  if (judged != Json::kUnsure && !too_deep) {
    Require(not_json == (judged == Json::kNo), "two readers agree on what is JSON");
  }
  std::string answered;
  const Result<Message> envelope = Message::Parse(input, Check::kEnvelope, &answered);
  const std::string_view found = switchyard::mcp::AnsweredId(input);
  Require(envelope || found == answered, "the id of an answer that cannot be read");
  if (envelope && envelope->is_response() && switchyard::mcp::IsJsonInteger(envelope->id())) {
    Require(found == envelope->id(), "two readers agree on whose answer it is");
  }
  Require(!full || envelope, "the full check only adds refusals");
  if (full) {
    CheckReading(*full, input);
    CheckEdits(*full, Check::kFull);
  }
  if (envelope) {
    CheckReading(*envelope, input);
    CheckEdits(*envelope, Check::kEnvelope);
  }
  return 0;
}
