// What ${...} stood for is shown nowhere, whichever key it stands at: of all that
// config/example.yaml shows, which is every key, and in the words of the policies that there are.
#include <set>
#include <sstream>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ascii.h"
#include "base/clock.h"
#include "cli/check_as.h"
#include "config/check.h"
#include "config/load.h"
#include "policies/registry.h"
#include "unit/config/fixtures.h"
#include "unit/config/schema_checker.h"

namespace switchyard::config {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSecret = "zq7hidden";

struct Leaf {
  std::string path;
  json::value* value = nullptr;
};

// Of strings.
void Collect(json::value& at, const std::string& path, std::vector<Leaf>& out) {
  if (at.is_object()) {
    for (auto& [key, member] : at.get_object()) {
      Collect(member, path + "." + std::string(key), out);
    }
  } else if (at.is_array()) {
    for (std::size_t i = 0; i < at.get_array().size(); ++i) {
      Collect(at.get_array()[i], path + "[" + std::to_string(i) + "]", out);
    }
  } else if (at.is_string()) {
    out.push_back({.path = path, .value = &at});
  }
}

// As YAML: JSON, with numbers as people write them.
std::string Yaml(const json::value& value) {
  std::string out;
  if (value.is_object()) {
    for (const auto& [key, member] : value.get_object()) {
      out.append(out.empty() ? "" : ", ").append(json::serialize(json::string(key)));
      out.append(": ").append(Yaml(member));
    }
    return "{" + out + "}";
  }
  if (value.is_array()) {
    for (const auto& item : value.get_array()) out.append(out.empty() ? "" : ", ") += Yaml(item);
    return "[" + out + "]";
  }
  return value.is_double() ? fmt::format("{}", value.get_double()) : json::serialize(value);
}

// A secret of the form of what stood there, so that readers get as far as they can.
std::string Like(std::string_view text) {
  if (text.contains("://")) return "https://zq7hidden.example/zq7hidden";
  if (text.starts_with('/')) return "/zq7hidden";
  return text.contains('/') ? "5/zq7hidden" : "zQ7hidden";
}

class ExpandedValues : public testing::Test {
 protected:
  // All that `check` says of the document, in all its ways; what it finds is what a reload logs.
  std::string Said(const json::value& document) {
    environment_.files["c.yaml"] = Yaml(document);
    std::string said = Check(false, {});
    if (!said.contains(" is fine\n")) return said;
    ++fine_;
    said += Check(true, {});
    said += Check(false, {.tool = "billing/invoice_pay", .endpoint = "reading"});
    said += Check(true, {.tool = "files/search_files", .endpoint = ""});
    std::ostringstream out, err;
    cli::CheckAsOptions as;
    as.file = "c.yaml";
    as.caller = "ada";
    as.tool = "billing/invoice_pay";
    cli::RunCheckAs(as, environment_, clock_, out, err);
    return said + out.str() + err.str();
  }

  std::string Check(bool as_json, const ExplainRequest& explain) {
    std::ostringstream out, err;
    RunCheck("c.yaml", as_json, out, err, keys_, environment_, explain);
    return out.str() + err.str();
  }

  const std::vector<PolicyKey> keys_ = policies::PolicyKeys();
  FakeEnvironment environment_;
  ManualClock clock_;
  int fine_ = 0;
};

TEST_F(ExpandedValues, AreShownNowhereWhateverTheKey) {
  json::value document = YamlToJson(ReadSource("config/example.yaml"));
  ASSERT_THAT(Said(document), HasSubstr(" is fine\n"));
  std::vector<Leaf> leaves;
  Collect(document, "", leaves);
  EXPECT_GT(leaves.size(), 200U);
  for (const Leaf& leaf : leaves) {
    const std::string like = Like(leaf.value->as_string());
    json::value before = std::exchange(*leaf.value, "${SECRET}");
    for (const std::string& secret : std::set<std::string>{like, "zQ7hidden"}) {
      environment_.variables["SECRET"] = secret;
      EXPECT_THAT(LowerAscii(Said(document)), Not(HasSubstr(kSecret)))
          << leaf.path << " " << secret;
    }
    *leaf.value = std::move(before);
  }
  EXPECT_GT(fine_, 80);  // and so explained as well
}

TEST_F(ExpandedValues, OfAFileAreShownNowhereEither) {
  environment_.files["/run/rate"] = "100/zq7hidden\n";
  environment_.files["c.yaml"] =
      "servers: {a: {command: x}}\npolicies: {rate_limit: {rate: '${file:/run/rate}'}}\n";
  const std::string said = Check(false, {});
  EXPECT_THAT(said, Not(HasSubstr(kSecret)));
  EXPECT_THAT(said, HasSubstr("got ${file:/run/rate}"));
}

TEST_F(ExpandedValues, QueriesOfUrlsOfPoliciesAreNotExplained) {
  environment_.files["c.yaml"] = R"(servers: {a: {command: x}}
policies:
  opa: {url: "https://opa.example/v1/data/x?key=hunter2"}
  guardrail: {hook: {url: "https://dlp.example/mcp?key=hunter2"}}
)";
  for (const bool as_json : {false, true}) {
    const std::string said = Check(as_json, {.tool = "a/b", .endpoint = ""});
    EXPECT_THAT(said, Not(HasSubstr("hunter2")));
    EXPECT_THAT(said, HasSubstr("https://opa.example/v1/data/x?key=***"));
    EXPECT_THAT(said, HasSubstr("https://dlp.example/mcp?key=***"));
  }
}

}  // namespace
}  // namespace switchyard::config
