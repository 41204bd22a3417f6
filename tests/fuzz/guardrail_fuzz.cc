// What guardrail makes of a message. Lines: a digit (what kind of object), JSON or any text.
// - what it writes is JSON of the same shape and needs no second pass;
// - without what it looks for it writes nothing;
// - a text that is no JSON is said to be none, and a text by itself is looked at all the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "fuzz/require.h"
#include "mcp/message.h"
#include "policies/lib/guardrail_inspection.h"
#include "unit/policies/guardrail_rules.h"

namespace {

using namespace switchyard;
using namespace switchyard::policies::guardrail;
using fuzz::Require;
namespace json = boost::json;

const Rules& Everything() {
  static const Rules rules = MakeRules({.actions = {{"all", Action::kRedact}},
                                        .patterns = {{"employee", R"(\bE-\d{6}\b)"}, {"a", "aa+"}},
                                        .keys = true,
                                        .numbered = true});
  return rules;
}

json::value Read(std::string_view text, boost::system::error_code& problem) {
  return json::parse(text, problem, {}, {.max_depth = mcp::Message::kMaxDepth});
}

// But for strings, numbers and names.
bool AreAlike(const json::value& one, const json::value& other) {
  if (one.is_object() && other.is_object()) return true;  // a name that stands twice is one here
  if (const json::array* array = one.if_array()) {
    const json::array* also = other.if_array();
    if (also == nullptr || also->size() != array->size()) return false;
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (!AreAlike(array->at(i), also->at(i))) return false;
    }
    return true;
  }
  return one == other || other.is_string();
}

void CheckText(std::string_view text) {
  Inspection inspection(Everything());
  const auto once = inspection.Text(text);
  Require(once.has_value() == !inspection.notes().empty(), "what was found is redacted");
  if (once) Require(!Inspection(Everything()).Text(*once), "a text needs no second pass");
}

void CheckJson(const std::string& raw, Region region) {
  const auto once = Inspection(Everything()).Json(raw, region);
  boost::system::error_code problem;
  const json::value before = Read(raw, problem);
  if (once.broken) return;
  if (!once.anew) return;
  Require(!Inspection(Everything()).Json(*once.anew, region).anew, "JSON needs no second pass");
  if (problem) return;  // half a surrogate pair, a number out of range: grammar allows both
  const json::value after = Read(*once.anew, problem);
  Require(!problem, "what it writes is JSON");
  Require(AreAlike(before, after), "of the same shape");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(data, size);
  const std::string which = lines.Next(), raw = lines.Rest();
  CheckText(raw);
  CheckJson(raw, static_cast<Region>(which.empty() ? 0 : which[0] % 4));
  return 0;
}
