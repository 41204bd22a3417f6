#include <gtest/gtest.h>

#include "policies/guardrail/hook.h"

namespace switchyard::policies::guardrail {
namespace {

TEST(AHook, SaysOneOfThreeThings) {
  EXPECT_EQ(HookSaidIn(R"({"action":"allow"})")->action, HookAction::kAllow);
  EXPECT_EQ(HookSaidIn(R"({"action":"deny","reason":"r"})")->reason, "r");
  const auto rewrite =
      HookSaidIn(R"({"body":{"n":1.0,"big":12345678901234567890123},"action":"rewrite"})");
  EXPECT_EQ(rewrite->action, HookAction::kRewrite);
  EXPECT_EQ(rewrite->body, R"({"n":1.0,"big":12345678901234567890123})") << "to the byte";
  for (const char* bad :
       {"", "{}", "[]", R"({"action":"Allow"})", R"({"action":true})", R"({"action":"rewrite"})",
        R"({"action":"rewrite","body":[]})", R"({"action":"rewrite","body":"{}"})",
        R"({"action":"deny","action":"allow"})", R"({"action":"allow"} x)"}) {
    EXPECT_FALSE(HookSaidIn(bad)) << bad;
  }
}

}  // namespace
}  // namespace switchyard::policies::guardrail
