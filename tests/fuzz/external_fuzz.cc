// What external decisions and hooks say, of whatever bytes.
// - nothing that is not clear allows;
// - a rewrite is a JSON object, as it was said.
#include <cstddef>
#include <cstdint>
#include <string>

#include "auth/strict_json.h"
#include "fuzz/require.h"
#include "mcp/json_string.h"
#include "policies/guardrail/hook.h"
#include "policies/opa/question.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard;
  using fuzz::Require;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const Result<policies::opa::Said> said = policies::opa::SaidIn(text)) {
    Require(!said->allow || text.contains("true"), "it said so");
    Require(mcp::IsUtf8(said->reason) && said->reason.size() < 1024, "a reason is a short text");
  }
  if (const auto said = policies::guardrail::HookSaidIn(text)) {
    using policies::guardrail::HookAction;
    Require(mcp::IsUtf8(said->reason), "a reason is a text");
    Require((said->action == HookAction::kRewrite) == !said->body.empty(), "a rewrite has a body");
    if (said->action == HookAction::kRewrite) {
      Require(text.contains(said->body), "as it was said");
      Require(auth::ReadObject(said->body).has_value(), "it is an object");
    }
  }
  return 0;
}
