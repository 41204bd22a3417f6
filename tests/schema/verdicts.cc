// What the gateway's JSON Schema validator says, for tests that ask others the same. A line of
// input is {"schema": ..., "values": [...], "formats": true}; a line of output is
// {"verdicts": "10?", "notes": [...], "problems": [...]}: 1 fits, 0 does not, ? gave up; the
// problems are those of the last value. With --time LINE it says how long one check of each value
// takes.
#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp/json_string.h"
#include "mcp/scan.h"
#include "policies/lib/json_schema.h"

namespace {

using namespace switchyard;

std::string Strings(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ',';
    out += mcp::Quote(text);
  }
  return out + ']';
}

std::vector<std::string_view> ValuesOf(const mcp::Field& field) {
  auto values = mcp::ElementsOf(field.value);
  return values ? std::move(*values) : std::vector<std::string_view>();
}

std::string Answer(const std::string& line) {
  const auto fields = mcp::MembersOf(line);
  const mcp::Field* schema = fields ? mcp::Find(*fields, "schema") : nullptr;
  const mcp::Field* values = fields ? mcp::Find(*fields, "values") : nullptr;
  const mcp::Field* formats = fields ? mcp::Find(*fields, "formats") : nullptr;
  if (schema == nullptr || values == nullptr) return R"({"error":"no schema or no values"})";
  const JsonSchema compiled(schema->value);
  std::string verdicts;
  std::vector<std::string> problems;
  for (const std::string_view value : ValuesOf(*values)) {
    const bool check_formats = formats != nullptr && formats->value == "true";
    const JsonSchema::Answer answer = compiled.Check(value, check_formats);
    verdicts += answer.verdict == JsonSchema::Verdict::kFits         ? '1'
                : answer.verdict == JsonSchema::Verdict::kDoesNotFit ? '0'
                                                                     : '?';
    problems.clear();
    for (const auto& problem : answer.problems) problems.push_back(problem.ToSentence("value"));
  }
  return R"({"verdicts":")" + verdicts + R"(","notes":)" + Strings(compiled.notes()) +
         R"(,"problems":)" + Strings(problems) + "}";
}

std::string Time(const std::string& line) {
  const auto fields = mcp::MembersOf(line);
  const JsonSchema compiled(mcp::Find(*fields, "schema")->value);
  std::string out;
  for (const std::string_view value : ValuesOf(*mcp::Find(*fields, "values"))) {
    constexpr int kTimes = 200'000;
    std::size_t fitting = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kTimes; ++i) {
      fitting += compiled.Check(value).verdict == JsonSchema::Verdict::kFits ? 1 : 0;
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    out += std::to_string(took.count() / kTimes) +
           (fitting != 0 ? " ns, fits\n" : " ns, does not fit\n");
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--time") {
    std::cout << Time(argv[2]);
    return 0;
  }
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) std::cout << Answer(line) << '\n';
}
