#include "orchestration/planning/sampling.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "auth/strict_json.h"
#include "base/digest.h"
#include "core/askable.h"
#include "mcp/raw_object.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

constexpr int kMostTokens = 4096;          // that the client's model may say
constexpr std::size_t kDigestLength = 16;  // of 64 digits

std::string KeyOf(const Brief& brief, int round) {
  const std::string of = fmt::format("{}\n{}", brief.most, brief.text);
  return fmt::format("switchyard_plan_{}_{}", round, Sha256(of).substr(0, kDigestLength));
}

std::string QuestionOf(const Brief& brief, int round) {
  const json::object message{{"role", "user"},
                             {"content", {{"type", "text"}, {"text", DataOf(brief)}}}};
  const json::object params{{"messages", json::array{message}},
                            {"systemPrompt", RulesOf(brief)},
                            {"maxTokens", kMostTokens}};
  return json::serialize(json::object{
      {KeyOf(brief, round), {{"method", "sampling/createMessage"}, {"params", params}}}});
}

// Of one block; false: it is no text.
bool AddText(const json::value& block, std::string& text) {
  const json::object* const object = block.if_object();
  if (object == nullptr) return false;
  const json::string* const type = auth::StringIn(*object, "type");
  const json::string* const said = auth::StringIn(*object, "text");
  if (type == nullptr || *type != "text" || said == nullptr) return false;
  text.append(*said);
  return true;
}

}  // namespace

bool SamplingPlanner::MayAsk(const Call& call) const {
  return MayAskForInput(call.message.method()) && call.depth == 0 && call.client != nullptr &&
         call.client->tasks != Tasks::kWanted && Askable::Of(call).sampling;
}

switchyard::Task<Result<Heard>> SamplingPlanner::Ask(Brief brief, int round, const Call& call,
                                                     Deadline /*deadline*/) const {
  const mcp::RawObject answers = mcp::RawObject::Parse(call.message.Get(mcp::Key::kInputResponses));
  for (int at = round; at <= Planners::kRounds; ++at) {
    const std::string key = KeyOf(brief, at);
    if (!answers.Has(key)) continue;
    co_return Heard{.words = SampledIn(std::string(answers.Get(key))), .round = at};
  }
  co_return Heard{.round = round, .question = QuestionOf(brief, round)};
}

std::string SampledIn(const std::string& raw) {
  if (raw.size() > kMostAnswer) return "";
  const auto object = auth::ReadObject(raw);
  const json::value* const content = object ? object->if_contains("content") : nullptr;
  if (content == nullptr) return "";
  std::string text;
  if (const json::array* const blocks = content->if_array()) {
    for (const json::value& block : *blocks) {
      if (!AddText(block, text)) return "";
    }
    return text;
  }
  return AddText(*content, text) ? text : "";
}

}  // namespace switchyard::orchestration
