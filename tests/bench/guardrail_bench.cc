// What guardrail costs for a KiB of text, in a few kinds of texts, a line each. A benchmark, not a
// test: it fails nothing. Build it optimised:
//
//   cmake --preset release -DSWITCHYARD_TESTS=ON && cmake --build --preset release -t
//   guardrail_bench
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "mcp/json_string.h"
#include "policies/lib/guardrail_inspection.h"
#include "tests/unit/policies/guardrail_rules.h"

namespace {

using namespace switchyard;
using namespace switchyard::policies::guardrail;

constexpr std::size_t kSize = std::size_t{64} << 10;

std::string Repeated(std::string_view piece) {
  std::string text;
  while (text.size() < kSize) text.append(piece);
  return text;
}

double NanosecondsPerKib(std::size_t bytes, const auto& run) {
  double best = 1e12;
  for (int round = 0; round < 20; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i) run();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count() / 10);
  }
  return best * 1024 / static_cast<double>(bytes);
}

void Measure(const char* name, const std::string& text) {
  const Rules all = MakeRules({.actions = {{"all", Action::kRedact}}});
  const Rules secrets = MakeRules({.actions = {{"secrets", Action::kRedact}}});
  const Rules patterns = MakeRules(
      {.actions = {{"all", Action::kRedact}},
       .patterns = {{"employee", R"(\bE-\d{6}\b)"}, {"project", "(?i)project [a-z]+ secret"}}});
  const std::string json = R"({"content":[{"type":"text","text":)" + mcp::Quote(text) + "}]}";
  const auto of = [&](const Rules& rules) {
    return NanosecondsPerKib(json.size(),
                             [&] { (void)Inspection(rules).Json(json, Region::kResult); });
  };
  std::printf("%-28s %8.0f %8.0f %8.0f\n", name, of(secrets), of(all), of(patterns));
}

}  // namespace

int main() {
  std::printf("%-28s %8s %8s %8s   ns per KiB\n", "", "secrets", "all", "patterns");
  Measure("prose", Repeated("The gateway reads what a server says, and hands it on to whom it may "
                            "concern. Nothing of it is kept, but for what was asked for.\n"));
  Measure("source code", Repeated("  const std::size_t end = RunEnd(text, at, kDigit, 20);\n  if "
                                  "(!match || !Wants(detector)) return at + 1;  // nothing\n"));
  Measure("JSON in a text", Repeated(R"({"id":"3f2504e0-4f89-41d3-9a0c-0305e82c3301","name":"Ada",)"
                                     R"("age":36,"tags":["a","b"],"at":"2026-11-22T17:32:08Z"},)"));
  Measure("a log",
          Repeated("2026-11-22 17:32:08.123 INFO  worker=3 call=81234 tool=read ms=12.5\n"));
  Measure("base64",
          Repeated("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhg"));
  Measure("an address a line",
          Repeated("ada.lovelace@example.com, 12 Some Street, Some Town, UK\n"));
  Measure("a secret a line",
          Repeated("password = Tr0ub4dor&3 and more text to fill up the line\n"));
  return 0;
}
