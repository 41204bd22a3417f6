#include "policies/lib/json_schema.h"

#include "policies/lib/json_schema/check.h"
#include "policies/lib/json_schema/compile.h"

namespace switchyard {

using json_schema::JsonDoc;

JsonSchema::JsonSchema(std::string_view schema)
    : tree_(json_schema::Compile(std::string(schema))) {}
JsonSchema::~JsonSchema() = default;

const std::vector<std::string>& JsonSchema::notes() const { return tree_->notes; }

JsonSchema::Answer JsonSchema::Check(std::string_view value, bool formats) const {
  return Check(JsonDoc::Parse(value), formats);
}

JsonSchema::Answer JsonSchema::Check(const JsonDoc::Read& doc, bool formats) const {
  if (!doc && doc.error() == JsonDoc::kTooDeep) return {.verdict = Verdict::kGaveUp};
  if (!doc) {
    return {.verdict = Verdict::kDoesNotFit,
            .problems = {{.pointer = "",
                          .expected = "JSON",
                          .got = "a text that is none: " + std::string(doc.error()),
                          .keyword = ""}}};
  }
  json_schema::Check quick(*tree_, *doc, formats, nullptr);
  const bool fits = quick.Run();
  if (quick.gave_up()) return {.verdict = Verdict::kGaveUp};
  if (fits) return {};
  Answer answer{.verdict = Verdict::kDoesNotFit};
  // Once more and all the way, for words. It may find less than it looks for, but it was wrong.
  json_schema::Check thorough(*tree_, *doc, formats, &answer.problems);
  thorough.Run();
  if (answer.problems.empty()) {
    answer.problems.push_back({.pointer = "",
                               .expected = "what the schema allows",
                               .got = "something else",
                               .keyword = ""});
  }
  return answer;
}

}  // namespace switchyard
