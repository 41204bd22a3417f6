#include "policies/lib/guardrail_inspection.h"

#include <random>
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/policies/guardrail_corpus.h"
#include "unit/policies/guardrail_rules.h"

namespace switchyard::policies::guardrail {
namespace {

using enum Action;
using ::testing::HasSubstr;
using ::testing::Not;

// Apart, lest scanners of this repository take them for real ones.
const std::string kAws = std::string("AK") + "IAQ4ZK7XW2NB5TJH3M";
const std::string kGithub = std::string("gh") + "p_16C7e42F292c6912E7710c838347Ae178B4a";

std::string Redacted(const Rules& rules, const std::string& json, Region region = Region::kResult) {
  return Inspection(rules).Json(json, region).anew.value_or("");
}

std::string TextOf(const std::string& text) {
  return R"({"content":[{"type":"text","text":")" + text + R"("}]})";
}

TEST(GuardrailInspection, PutsANameInThePlaceOfWhatItFinds) {
  const Rules rules = MakeRules({.actions = {{"all", kRedact}}});
  EXPECT_EQ(Redacted(rules, TextOf("key " + kAws + ", mail ada@example.com.")),
            TextOf("key [redacted:aws_key], mail [redacted:email]."));
  EXPECT_EQ(Redacted(rules, TextOf("nothing here")), "");
}

TEST(GuardrailInspection, FindsWhatIsWrittenWithEscapes) {
  const Rules rules = MakeRules({.actions = {{"all", kRedact}}});
  std::string escaped;
  for (const char c : kAws) {
    escaped += "\\u00" + std::string(1, "0123456789abcdef"[c >> 4]) + "0123456789abcdef"[c & 15];
  }
  EXPECT_EQ(Redacted(rules, TextOf("a\\n" + escaped + "\\tb")),
            TextOf("a\\n[redacted:aws_key]\\tb"));
}

TEST(GuardrailInspection, FindsAPrivateKeyBehindTheMentionOfOne) {
  const Rules rules = MakeRules({.actions = {{"private_key", kRedact}}});
  const std::string begin = std::string("-----BEGIN ") + "PRIVATE KEY-----";
  const std::string words = begin + " is how it starts. " + std::string(400, '.');
  const std::string key = begin + "\\n" + std::string(64, 'M') + "\\n-----END PRIVATE KEY-----";
  EXPECT_EQ(Redacted(rules, TextOf(words + key + " x")),
            TextOf(words + "[redacted:private_key] x"));
}

TEST(GuardrailInspection, LooksAtEachStringByItself) {
  const Rules rules = MakeRules({.actions = {{"all", kRedact}}});
  const std::string half = kAws.substr(0, 10), rest = kAws.substr(10);
  EXPECT_EQ(Redacted(rules, R"({"structuredContent":[")" + half + R"(",")" + rest + R"("]})"), "");
}

TEST(GuardrailInspection, ReadsStructureAndNotBinaryDataNorWhatIsHandedBack) {
  const Rules rules = MakeRules({.actions = {{"all", kRedact}}});
  const auto with = [](const std::string& text) {
    return R"({"structuredContent":{"type":"image","data":")" + text + R"(","a":[{"b":")" + text +
           R"("}]},"_meta":{"x":")" + text + R"("}})";
  };
  EXPECT_EQ(Redacted(rules, with(kAws)), with("[redacted:aws_key]"));
  EXPECT_EQ(
      Redacted(rules, R"({"content":[{"data":")" + kAws + R"(","type":"image"},)" +
                          R"({"type":"resource","resource":{"uri":"a:b","blob":")" + kAws +
                          R"("}}],"requestState":")" + kAws +
                          R"(","_meta":{"io.modelcontextprotocol/x":{"y":")" + kAws + R"("}}})"),
      "");
  const auto resource = [](const std::string& text) {
    return R"({"contents":[{"uri":"a:b","text":")" + text + R"("}]})";
  };
  EXPECT_EQ(Redacted(rules, resource(kAws)), resource("[redacted:aws_key]"));
  const auto task = [](const std::string& text) {
    return R"({"taskId":"t","result":{"structuredContent":{"blob":")" + text + R"("}}})";
  };
  EXPECT_EQ(Redacted(rules, task(kAws), Region::kNotice), task("[redacted:aws_key]"));
  const auto prompt = [](const std::string& text) {
    return R"({"messages":[{"role":"user","content":{"type":"text","text":")" + text + R"("}}]})";
  };
  EXPECT_EQ(Redacted(rules, prompt(kAws)), prompt("[redacted:aws_key]"));
}

TEST(GuardrailInspection, OfParamsReadsWhatSomebodyWrote) {
  const Rules rules = MakeRules({.actions = {{"all", kRedact}}});
  const auto params = [](const std::string& text, const std::string& other) {
    return R"({"name":")" + other + R"(","arguments":{"a":{"b":["x",")" + text +
           R"("]}},"inputResponses":{"q":{"content":{"c":")" + text + R"("}}},"_meta":{"t":")" +
           other + R"("},"requestState":")" + other + R"("})";
  };
  EXPECT_EQ(Redacted(rules, params(kAws, kAws), Region::kParams),
            params("[redacted:aws_key]", kAws));
  Inspection inspection(rules);
  EXPECT_FALSE(inspection.Json(R"({"uri":"x://y/)" + kAws + R"("})", Region::kParams).anew);
  EXPECT_TRUE(inspection.denied()) << "a URI cannot be written anew";
}

TEST(GuardrailInspection, JudgesAMembersValueByItsName) {
  const Rules rules = MakeRules({.actions = {{"secret_field", kRedact}}});
  const auto with = [](const std::string& value) {
    return R"({"structuredContent":{"db":{"password":")" + value + R"(","note":"Tr0ub4dor&3"}}})";
  };
  EXPECT_EQ(Redacted(rules, with("Tr0ub4dor&3")), with("[redacted:secret_field]"));
  EXPECT_EQ(Redacted(rules, with("changeme")), "");
}

TEST(GuardrailInspection, SeesCardsThatAreNumbers) {
  const Rules rules = MakeRules({.actions = {{"card", kRedact}}});
  EXPECT_EQ(Redacted(rules, R"({"structuredContent":{"pan":4111111111111111,"n":12345678901234}})"),
            R"({"structuredContent":{"pan":"[redacted:card]","n":12345678901234}})");
}

TEST(GuardrailInspection, LooksAtNamesOfMembersWhenAsked) {
  const std::string json = R"({"structuredContent":{"ada@example.com":1,"bob@example.com":2}})";
  EXPECT_EQ(Redacted(MakeRules({.actions = {{"email", kRedact}}}), json), "");
  EXPECT_EQ(Redacted(MakeRules({.actions = {{"email", kRedact}}, .keys = true}), json),
            R"({"structuredContent":{"[redacted:email#1]":1,"[redacted:email#2]":2}})");
}

TEST(GuardrailInspection, NumbersTellDifferentOnesApart) {
  const Rules rules = MakeRules({.actions = {{"all", kRedact}}, .numbered = true});
  EXPECT_EQ(
      Redacted(rules, TextOf("a@x.org b@x.org a@x.org " + kAws)),
      TextOf("[redacted:email#1] [redacted:email#2] [redacted:email#1] [redacted:aws_key#1]"));
}

TEST(GuardrailInspection, SaysWhereAndHowOftenAndNeverWhat) {
  const Rules rules = MakeRules({.actions = {{"all", kDeny}, {"email", kReport}}});
  Inspection inspection(rules);
  const std::string json = R"({"content":[{"text":"a@x.org"},{"text":")" + kAws + " " + kGithub +
                           R"("}],"structuredContent":{"a/b":{")" + kGithub + R"(":")" + kAws +
                           R"("}}})";
  EXPECT_FALSE(inspection.Json(json, Region::kResult).anew);
  EXPECT_TRUE(inspection.denied());
  EXPECT_EQ(Places(inspection.notes(), rules, kDeny),
            "aws_key at /content/1/text and 1 more, github_token at /content/1/text");
  EXPECT_EQ(Places(inspection.notes(), rules, kReport), "email at /content/0/text");
  EXPECT_EQ(PlacesAsJson(inspection.notes(), rules, kReport),
            R"([{"detector":"email","at":"/content/0/text","count":1}])");
  Inspection only_names(rules);
  only_names.Json(R"({"structuredContent":{"a/b":{")" + kGithub + R"(":")" + kAws + R"("}}})",
                  Region::kResult);
  EXPECT_EQ(only_names.notes().at(0).at, "/structuredContent/a~1b/...");
}

TEST(GuardrailInspection, OfTwoFindingsTheBetterKnownGivesTheName) {
  const Rules rules = MakeRules({.actions = {{"all", kRedact}}});
  EXPECT_EQ(Redacted(rules, TextOf("token=" + kGithub)), TextOf("token=[redacted:github_token]"));
  const Rules weak = MakeRules({.actions = {{"assignment", kRedact}}});
  EXPECT_EQ(Redacted(weak, TextOf("token=" + kGithub)), TextOf("token=[redacted:assignment]"));
}

TEST(GuardrailInspection, ThePatternsOfTheOperatorCountLikeTheOthers) {
  const Rules rules =
      MakeRules({.actions = {{"patterns", kRedact}},
                 .patterns = {{"employee", R"(\bE-\d{6}\b)"}, {"word", "secre+t"}}});
  EXPECT_EQ(Redacted(rules, TextOf("E-123456 E-1234567 a secreeet")),
            TextOf("[redacted:employee] E-1234567 a [redacted:word]"));
  EXPECT_EQ(Redacted(rules, TextOf("[redacted:employee] is redacted")), "");
  EXPECT_FALSE(CompilePattern("x", "a*").has_value());
  EXPECT_FALSE(CompilePattern("x", "(").has_value());
  EXPECT_FALSE(CompilePattern("x", std::string(2000, 'a')).has_value());
}

TEST(GuardrailInspection, OfWhatIsNoJsonNothingIsKnown) {
  const Rules rules = MakeRules({.actions = {{"all", kRedact}}});
  for (const char* json : {"{", R"({"a" "b"})", R"({"a":1}})", "\xff", R"({"a":"\x"})"}) {
    EXPECT_TRUE(Inspection(rules).Json(json, Region::kResult).broken) << json;
  }
}

// ---- properties
// -----------------------------------------------------------------------------------

class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) {}

  std::string Json(int depth = 0) {
    switch (Below(depth > 4 ? 2 : 5)) {
      case 0: return boost::json::serialize(boost::json::value(Text()));
      case 1: return Below(4) == 0 ? "4111111111111111" : std::to_string(Below(1000000));
      case 2: return "[" + Json(depth + 1) + "," + Json(depth + 1) + "]";
      default:
        return "{" + Key() + ":" + Json(depth + 1) + "," + Key() + ":" + Json(depth + 1) + "}";
    }
  }
  std::string Text() {
    std::string text;
    for (std::size_t i = Below(5); i > 0; --i) {
      if (Below(3) == 0) {
        text.append(std::string_view("@.:=-_/ \n\"\\x1Ae"), Below(14), 1 + Below(3));
        continue;
      }
      const std::string_view row = kCorpus[Below(std::size(kCorpus))].text;
      const std::size_t from = Below(8) == 0 ? Below(row.size()) : 0;
      text.append(row.substr(from, Below(8) == 0 ? Below(row.size()) : row.size()));
    }
    return text;
  }
  std::size_t Below(std::size_t end) { return random_() % end; }

 private:
  std::string Key() {
    constexpr std::string_view kKeys[] = {"content", "text",  "data", "password",
                                          "token",   "_meta", "type", "ada@example.com"};
    return '"' + std::string(kKeys[Below(std::size(kKeys))]) + '"';
  }
  std::mt19937 random_;
};

void ExpectSound(const Rules& rules, const std::string& json) {
  for (const Region region : {Region::kParams, Region::kResult, Region::kNotice, Region::kError}) {
    Inspection inspection(rules);
    const auto once = inspection.Json(json, region);
    ASSERT_FALSE(once.broken) << json;
    if (!once.anew) continue;
    boost::system::error_code problem;
    boost::json::parse(*once.anew, problem);
    ASSERT_FALSE(problem) << *once.anew;
    std::size_t found = 0;
    for (const Note& note : inspection.notes()) found += note.count;
    ASSERT_LE(once.anew->size(), 6 * json.size() + 64 * found) << json;
    const auto twice = Inspection(rules).Json(*once.anew, region);
    ASSERT_FALSE(twice.anew) << json << "\n" << *once.anew << "\n" << *twice.anew;
  }
}

TEST(GuardrailProperties, WhatItWritesIsJsonOfBoundedSizeAndNeedsNoSecondPass) {
  const Rules all = MakeRules({.actions = {{"all", kRedact}}, .keys = true, .numbered = true});
  const Rules odd =
      MakeRules({.actions = {{"all", kRedact}},
                 .patterns = {{"word", R"(\w+)"}, {"mark", "[\\[\\]:#]"}, {"a", "a"}}});
  Writer writer(7);
  for (int i = 0; i < 200; ++i) {
    const std::string json = R"({"content":)" + writer.Json() + R"(,"arguments":)" + writer.Json() +
                             R"(,"structuredContent":)" + writer.Json() + "}";
    ExpectSound(all, json);
    ExpectSound(odd, json);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace switchyard::policies::guardrail
