// JSON Schema 2020-12 and draft 7, for what servers say of their tools' arguments and results.
//
// A schema is compiled once and then immutable: any number of threads may ask it at a time. Asking
// reads the value's text in place, in bounded depth and work, and allocates nothing for a small
// value that fits. Nothing is fetched. What this validator cannot check (notes()) it lets pass: it
// never refuses what it did not understand.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policies/lib/json_schema/json_doc.h"
#include "policies/lib/json_schema/problem.h"

namespace switchyard {

namespace json_schema {
struct Tree;
}

class JsonSchema {
 public:
  explicit JsonSchema(std::string_view schema);
  ~JsonSchema();
  JsonSchema(const JsonSchema&) = delete;

  // What is not checked, and why, a sentence each: for the log.
  const std::vector<std::string>& notes() const;

  enum class Verdict : std::uint8_t {
    kFits,
    kDoesNotFit,
    kGaveUp,  // more depth or work than one value may cost
  };
  struct Answer {
    Verdict verdict = Verdict::kFits;
    std::vector<json_schema::Problem> problems = {};  // at most 5, at least one if it does not fit
  };
  // The text of one JSON value, followed by a readable byte. With `formats`, `format` is checked,
  // too; else it is an annotation.
  Answer Check(std::string_view value, bool formats = false) const;
  Answer Check(const json_schema::JsonDoc::Read& value, bool formats = false) const;

 private:
  const std::unique_ptr<const json_schema::Tree> tree_;
};

}  // namespace switchyard
