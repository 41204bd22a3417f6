// Definitions of whatever bytes.
// - what is found is of a known rule, safe to print and bounded, and the same the next time;
// - one canonical text says the same as the other, and reads the same again when it is pretty.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/require.h"
#include "mcp/json_string.h"
#include "pins/definition.h"
#include "pins/definition_scan.h"

namespace {

using namespace switchyard;
using fuzz::Require;

void Check(pins::Kind kind, const pins::Definition& definition, const pins::ToolNames& names) {
  const auto findings = pins::ScanDefinition(kind, definition, "own", names);
  Require(findings.size() <= pins::kMostFindings, "findings are bounded");
  for (const pins::Finding& finding : findings) {
    Require(std::ranges::find(pins::RuleNames(), finding.rule) != pins::RuleNames().end(),
            "a rule is known");
    Require(pins::Visible(finding.excerpt) == finding.excerpt, "an excerpt can be printed");
    Require(finding.excerpt.size() < 2000, "an excerpt is short");
  }
  Require(findings == pins::ScanDefinition(kind, definition, "own", names), "it says the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  pins::ToolNames names;
  names.Add("mail", "mail", "send_email");
  names.Add("own", "own", "read_file");
  names.Add("fuzz", "fuzz", text.substr(0, 40));
  for (std::size_t kind = 0; kind < pins::kKinds - 1; ++kind) {
    const auto of = static_cast<pins::Kind>(kind);
    Check(of, pins::DefinitionOf(of, text), names);
  }
  if (mcp::IsUtf8(text)) Check(pins::Kind::kInstructions, pins::InstructionsOf(text), names);
  static_cast<void>(names.LookalikeOf(text.substr(0, 200), "own"));
  const auto canonical = pins::CanonicalJson(text);
  if (canonical && mcp::IsUtf8(*canonical)) {
    const auto again = pins::CanonicalJson(*canonical);
    Require(!again || *again == *canonical, "canonical is canonical");
    static_cast<void>(pins::PrettyJson(*canonical));
  }
  return 0;
}
