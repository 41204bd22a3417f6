// A schema and a value: the first line, the rest.
// - neither compiling nor checking runs away, whatever they are;
// - the answer is the same when it is asked again, and has problems exactly when it is no;
// - what does not fit fits the negation, unless something of the schema is not checked.
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/require.h"
#include "mcp/message.h"
#include "policies/lib/json_schema.h"

namespace {

bool IsMessage(const std::string& params) {
  return switchyard::mcp::Message::Parse(R"({"jsonrpc":"2.0","id":1,"method":"x","params":)" +
                                         params + "}")
      .has_value();
}

// Nothing that closes one bracket and opens another passes both.
bool IsOneValue(const std::string& text) {
  return IsMessage(R"({"arguments":)" + text + "}") && IsMessage(R"({"a":[)" + text + "]}");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard;
  using fuzz::Require;
  using Verdict = JsonSchema::Verdict;
  fuzz::Lines lines(data, size);
  const std::string text = lines.Next(), value = lines.Rest();
  const JsonSchema schema(text);
  for (const bool formats : {false, true}) {
    const JsonSchema::Answer answer = schema.Check(value, formats);
    Require(schema.Check(value, formats).verdict == answer.verdict, "asked again, the same");
    const bool refused = answer.verdict == Verdict::kDoesNotFit;
    Require(refused == !answer.problems.empty(), "who is refused is told why");
    Require(answer.problems.size() <= 5, "not more than five problems");
    for (const auto& problem : answer.problems) {
      Require(problem.ToSentence("value").size() < 4000, "a readable sentence");
    }
    const bool json = IsOneValue(value);
    if (!json || !schema.notes().empty() || answer.verdict == Verdict::kGaveUp) continue;
    // A schema with $id, or a reference to its root, would mean something else within another.
    if (text.find('#') != std::string::npos || text.find("id") != std::string::npos ||
        text.find("ref\"") != std::string::npos || text.find("Ref\"") != std::string::npos ||
        text.find("\\u") != std::string::npos || text.find("$schema") != std::string::npos) {
      continue;
    }
    const Verdict negated = JsonSchema(R"({"not":)" + text + "}").Check(value, formats).verdict;
    Require(negated != answer.verdict, "it or its negation");
  }
  return 0;
}
