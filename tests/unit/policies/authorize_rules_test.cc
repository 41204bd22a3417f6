// What rules of authorize say: one by one, and compiled as they would one after the other.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/policies/authorize_fixture.h"

namespace switchyard::policies::authorize {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Principal Ada() {
  return {.issuer = "https://idp/a",
          .subject = "ada",
          .client = "desk",
          .scopes = {"read", "write"},
          .roles = {"admin"},
          .groups = {"sre"},
          .claims = {{"department", {"finance"}}},
          .capabilities = {"review"}};
}

TEST(AuthorizeRules, NobodyMayDoWhatNoRuleAllows) {
  EXPECT_EQ(Says("- {effect: allow, who: {subject: bob}}", {.caller = Ada()}), "hidden");
  EXPECT_EQ(Says("- {effect: allow, who: {subject: ada}}", {.caller = Ada()}), "allowed");
}

TEST(AuthorizeRules, DenyWinsWhereverItStands) {
  for (const char* rules :
       {"- {effect: deny}\n- {effect: allow}", "- {effect: allow}\n- {effect: deny}"}) {
    EXPECT_EQ(Says(rules, {.caller = Ada()}), "hidden");
  }
}

TEST(AuthorizeRules, SpeakOfCallersByAllThatTheyProved) {
  for (const char* who :
       {"{issuer: 'https://idp/*'}", "{subject: 'a?a'}", "{client: desk}", "{scope: [x, wri*]}",
        "{role: admin}", "{group: sre}", "{capability: review}", "{claim: {department: fin*}}",
        "{anonymous: false}", "{role: admin, scope: read}", "{any: [{role: x}, {group: sre}]}",
        "{all: [{scope: read}, {scope: write}]}", "{not: [{role: guest}]}", "{}"}) {
    EXPECT_EQ(Says(std::string("- {effect: allow, who: ") + who + "}", {.caller = Ada()}),
              "allowed")
        << who;
  }
  for (const char* who :
       {"{issuer: idp}", "{subject: bob}", "{client: x}", "{scope: rea}", "{role: [user, Admin]}",
        "{group: x}", "{capability: x}", "{claim: {department: sales}}", "{claim: {x: '*'}}",
        "{anonymous: true}", "{role: admin, scope: x}", "{any: [{role: x}, {group: y}]}",
        "{all: [{scope: read}, {scope: x}]}", "{not: [{role: guest}, {role: admin}]}"}) {
    EXPECT_EQ(Says(std::string("- {effect: allow, who: ") + who + "}", {.caller = Ada()}), "hidden")
        << who;
  }
}

TEST(AuthorizeRules, WhatACallerDoesNotHaveFitsNoGlob) {
  for (const char* part : {"issuer", "subject", "client", "scope", "role", "group"}) {
    EXPECT_EQ(Says(std::string("- {effect: allow, who: {") + part + ": '*'}}", {}), "hidden")
        << part;
  }
  EXPECT_EQ(Says("- {effect: allow, who: {anonymous: true}}", {}), "allowed");
}

TEST(AuthorizeRules, SpeakOfItemsByEndpointServerKindNameAndMethod) {
  const auto says = [](const std::string& what, const Ask& ask) {
    return Says("- {effect: allow, what: " + what + "}", ask);
  };
  EXPECT_EQ(says("{server: [x, s*]}", {}), "allowed");
  EXPECT_EQ(says("{server: x}", {}), "hidden");
  EXPECT_EQ(says("{endpoint: /mcp}", {}), "allowed");
  EXPECT_EQ(says("{endpoint: team}", {}), "hidden");
  EXPECT_EQ(says("{endpoint: team}", {.endpoint = "team"}), "allowed");
  EXPECT_EQ(says("{endpoint: /mcp/t*}", {.endpoint = "team"}), "allowed");
  EXPECT_EQ(says("{tool: read_*}", {.name = "read_x"}), "allowed");
  EXPECT_EQ(says("{tool: read_*}", {.name = "write_x"}), "hidden");
  EXPECT_EQ(says("{tool: '*'}", {.kind = ItemKind::kPrompt, .use = Use::kGetPrompt}), "hidden");
  EXPECT_EQ(says("{prompt: t}", {.kind = ItemKind::kPrompt, .use = Use::kGetPrompt}), "allowed");
  const Ask read = {.kind = ItemKind::kResource, .name = "file:///a/b", .use = Use::kReadResource};
  EXPECT_EQ(says("{resource: 'file:///a/*'}", read), "allowed");
  EXPECT_EQ(says("{resource: 'file:///c/*'}", read), "hidden");
  EXPECT_EQ(says("{methods: resources/read}", read), "allowed");
  EXPECT_EQ(says("{methods: [tools/call]}", read), "hidden");
}

TEST(AuthorizeRules, OfArgumentsOneIsAllowedWhereItFitsAndToldWhereNot) {
  const auto says = [](const std::string& test, const std::string& arguments) {
    return Says("- {effect: allow, when: {arguments: [" + test + "]}}", {.arguments = arguments});
  };
  EXPECT_EQ(says("{at: /n, max: 10}", R"({"n":10})"), "allowed");
  EXPECT_EQ(says("{at: /n, max: 10}", R"({"n":10.5})"), "denied");
  EXPECT_EQ(says("{at: /n, min: 1}", R"({"n":-1e300})"), "denied");
  EXPECT_EQ(says("{at: /p, glob: [/srv/*, /tmp/*]}", R"({"p":"/tmp/x"})"), "allowed");
  EXPECT_EQ(says("{at: /p, glob: /srv/*}", R"({"p":"\/srv\/\u0061"})"), "allowed");
  EXPECT_EQ(says("{at: /p, glob: /srv/*}", R"({"p":"/etc"})"), "denied");
  EXPECT_EQ(says("{at: /e, one_of: [test, '5', 'true']}", R"({"e":5.0})"), "allowed");
  EXPECT_EQ(says("{at: /e, one_of: [test, '5', 'true']}", R"({"e":true})"), "allowed");
  EXPECT_EQ(says("{at: /e, one_of: [test]}", R"({"e":"tes"})"), "denied");
  EXPECT_EQ(says("{at: /e, one_of: ['9007199254740992']}", R"({"e":9007199254740993})"), "denied")
      << "one as doubles";
  EXPECT_EQ(says("{at: /e, one_of: ['1200', '0']}", R"({"e":1.2e3})"), "allowed");
  EXPECT_EQ(says("{at: /e, one_of: ['1200', '0']}", R"({"e":-0.00})"), "allowed");
  EXPECT_EQ(says("{at: /e, one_of: ['-0.5']}", R"({"e":-5E-1})"), "allowed");
  EXPECT_EQ(says("{at: /q, regex: '(?i)select .*'}", R"({"q":"SELECT 1"})"), "allowed");
  EXPECT_EQ(says("{at: /q, regex: 'select'}", R"({"q":"select 1"})"), "denied") << "the whole text";
  EXPECT_EQ(says("{at: /a~1b/0/c, present: true}", R"({"a/b":[{"c":null}]})"), "allowed");
  EXPECT_EQ(says("{at: /x, present: false}", R"({"y":1})"), "allowed");
  EXPECT_EQ(says("{at: /x, present: false}", R"({"x":1})"), "denied");
  EXPECT_EQ(says("{at: /n, max: 10}", ""), "denied") << "what is not there fits nothing";
  EXPECT_EQ(says("{at: /p/*, glob: /srv/*}", R"({"p":["/srv/a","/srv/b"]})"), "allowed");
  EXPECT_EQ(says("{at: /p/*, glob: /srv/*}", R"({"p":["/srv/a","/etc"]})"), "denied") << "each";
}

TEST(AuthorizeRules, WhatCannotBeToldIsDenied) {
  const auto says = [](const std::string& effect, const std::string& arguments) {
    return Says("- {effect: allow, who: {role: " + std::string(effect == "deny" ? "admin" : "x") +
                    "}}\n- {effect: " + effect + ", when: {arguments: [{at: /n, max: 10}]}}",
                {.caller = Ada(), .arguments = arguments});
  };
  for (const char* arguments :
       {R"({"n":"5"})", R"({"n":[5]})", R"({"n":{}})", R"({"n":null})", R"({"n":5,"n":500})",
        R"({"n":5,"\u006e":500})", R"({"n":1e999})", R"([5)", R"("n")"}) {
    EXPECT_EQ(says("deny", arguments), "denied") << arguments;
    EXPECT_EQ(says("allow", arguments), "denied") << arguments;
  }
  EXPECT_EQ(says("deny", R"({"n":11})"), "allowed");
  EXPECT_EQ(says("deny", "{}"), "allowed") << "what is not there is not too much";
}

TEST(AuthorizeRules, KnowDaysAndHoursAtADistanceFromUtc) {
  using namespace std::chrono;
  const auto says = [](const std::string& time, sys_seconds now) {
    return Says("- {effect: allow, when: {time: [" + time + "]}}", {.now = now});
  };
  const sys_seconds monday = sys_days(2026y / 11 / 23);
  EXPECT_EQ(says("{days: [mon], hours: '08:00-18:00'}", monday + 8h), "allowed");
  EXPECT_EQ(says("{days: [mon], hours: '08:00-18:00'}", monday + 18h), "denied");
  EXPECT_EQ(says("{days: [tue]}", monday + 8h), "denied");
  EXPECT_EQ(says("{days: [tue], utc_offset: '+02:00'}", monday + 22h), "allowed");
  EXPECT_EQ(says("{days: [sun], utc_offset: '-01:00'}", monday + 30min), "allowed");
  EXPECT_EQ(says("{days: [sun], hours: '22:00-06:00'}", monday + 5h), "allowed") << "since Sunday";
  EXPECT_EQ(says("{days: [mon], hours: '22:00-06:00'}", monday + 5h), "denied");
  EXPECT_EQ(says("{days: [tue]}, {hours: '07:00-09:00'}", monday + 8h), "allowed") << "any of them";
}

TEST(AuthorizeRules, ADenialSaysWhatItDependsOn) {
  const Rulebook book(
      RulesIn("- {effect: allow, when: {arguments: [{at: /n, max: 1}]}}\n"
              "- {name: night, effect: deny, when: {time: [{hours: '22:00-06:00'}]}}"));
  const Verdict by_arguments = Decide(book, {.arguments = R"({"n":2})", .now = WallTime(12h)});
  EXPECT_TRUE(by_arguments.by_arguments && !by_arguments.by_time);
  EXPECT_EQ(by_arguments.rule, kNoRule);
  const Verdict by_time = Decide(book, {.arguments = R"({"n":1})", .now = WallTime(23h)});
  EXPECT_TRUE(!by_time.by_arguments && by_time.by_time);
  EXPECT_EQ(by_time.rule, 1U);
}

TEST(AuthorizeRules, ATemplateIsShownWhereSomethingItMakesMayBeAllowed) {
  const auto shows = [](const std::string& yaml, const std::string& uri) {
    const Rulebook book(RulesIn(yaml));
    return book.Could(book.RulesOf("s"), *book.RulesFor(Nobody(), ""), ItemKind::kTemplate, uri);
  };
  const std::string srv = "- {effect: allow, what: {resource: 'file:///srv/*'}}\n";
  EXPECT_TRUE(shows(srv, "file:///{path}"));
  EXPECT_TRUE(shows(srv, "file:///srv/logs/{day}"));
  EXPECT_FALSE(shows(srv, "file:///etc/{name}"));
  EXPECT_FALSE(shows("- {effect: allow, what: {tool: '*'}}", "file:///{path}"));
  EXPECT_FALSE(shows(srv + "- {effect: deny, what: {resource: 'file:///s*'}}", "file:///srv/{x}"));
  EXPECT_TRUE(shows(srv + "- {effect: deny, what: {resource: '*/secret'}}", "file:///srv/{x}"));
}

// One rule after the other.
Outcome Naively(const std::vector<std::shared_ptr<const Rule>>& rules, const Ask& ask) {
  bool denies = false, allows = false, may = false, denies_now = false, allows_now = false;
  const std::string path = ask.endpoint.empty() ? "/mcp" : "/mcp/" + ask.endpoint;
  for (const auto& rule : rules) {
    const bool speaks = rule->who.Holds(ask.caller) && rule->what.IsAtEndpoint(path) &&
                        rule->what.IsAtServer(ask.server) && rule->what.Has(ask.kind, ask.name) &&
                        rule->what.uses[BitOf(ask.use)];
    if (!speaks) continue;
    const bool is_allow = rule->effect == Effect::kAllow;
    if (rule->when.always()) {
      (is_allow ? allows : denies) = true;
      continue;
    }
    const Holds holds = rule->when.Judge(ask.arguments, ask.now);
    may |= is_allow;
    if (is_allow) allows_now |= holds == Holds::kYes;
    if (!is_allow) denies_now |= holds != Holds::kNo;
  }
  if (denies || (!allows && !may)) return Outcome::kHidden;
  if (denies_now) return Outcome::kDenied;
  return allows || allows_now ? Outcome::kAllowed : Outcome::kDenied;
}

// Of a small world, so that rules meet.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {}

  std::size_t Below(std::size_t n) { return random_() % n; }
  bool Often(std::size_t percent) { return Below(100) < percent; }
  template <class T>
  T Of(const std::vector<T>& all) {
    return all[Below(all.size())];
  }
  std::vector<std::string> Some(const std::vector<std::string>& all) {
    std::vector<std::string> some;
    do some.push_back(Of(all));
    while (Often(30));
    return some;
  }

  Who MakeWho(int depth = 1) {
    Who who;
    if (Often(20)) who.anonymous = Often(50);
    if (Often(40))
      who.matches.push_back({.part = Who::Part::kScope, .globs = Some({"a", "b", "*"})});
    if (Often(30))
      who.matches.push_back({.part = Who::Part::kSubject, .globs = Some({"u?", "u1", "x"})});
    if (Often(10)) {
      who.matches.push_back({.part = Who::Part::kClaim, .claim = "c", .globs = Some({"1", "2"})});
    }
    if (depth > 0 && Often(20)) who.any = {MakeWho(0), MakeWho(0)};
    if (depth > 0 && Often(20)) who.none = {MakeWho(0)};
    return who;
  }
  Rule MakeRule() {
    Rule rule{.name = "r", .effect = Often(70) ? Effect::kAllow : Effect::kDeny};
    if (Often(70)) rule.who = MakeWho();
    const std::vector<std::string> globs = {"ab",  "a*", "*b", "a?c", "abc", "*",
                                            "ab*", "b*", "?",  "**",  "*a*", "zzz"};
    if (Often(20)) rule.what.endpoints = Some({"/mcp", "/mcp/e", "*e"});
    if (Often(40)) rule.what.servers = Some({"s1", "s*", "s2"});
    if (Often(60)) rule.what.tools = Some(globs);
    if (Often(20)) rule.what.prompts = Some(globs);
    if (Often(20)) rule.what.resources = Some(globs);
    if (Often(20)) rule.what.uses = Uses(1 + Below(15));
    if (Often(25)) {
      rule.when.arguments.push_back(
          {.at = "/n", .tokens = {"n"}, .max = static_cast<double>(Below(4))});
    }
    if (Often(15))
      rule.when.time.push_back({.from = 0, .to = static_cast<int>(60 * (1 + Below(20)))});
    return rule;
  }
  Ask MakeAsk() {
    Ask ask{.server = Of<std::string>({"s1", "s2", "t"}),
            .name = Of<std::string>({"ab", "abc", "axc", "b", "zzz", "a", "bab"}),
            .arguments = Of<std::string>({"", R"({"n":1})", R"({"n":3})", R"({"n":"x"})"}),
            .endpoint = Of<std::string>({"", "e", "f"}),
            .now = WallTime(std::chrono::hours(Below(24)))};
    if (Often(80)) ask.caller.subject = Of<std::string>({"u1", "u2", "x"});
    if (Often(60)) ask.caller.scopes = Some({"a", "b", "c"});
    if (Often(30)) ask.caller.claims["c"] = {Of<std::string>({"1", "3"})};
    const std::size_t use = Below(4);
    ask.use = static_cast<Use>(use);
    if (ask.use == Use::kGetPrompt) ask.kind = ItemKind::kPrompt;
    if (ask.use == Use::kReadResource) ask.kind = ItemKind::kResource;
    if (ask.use == Use::kComplete) ask.kind = Often(50) ? ItemKind::kPrompt : ItemKind::kResource;
    return ask;
  }

 private:
  std::mt19937 random_;
};

TEST(AuthorizeRules, CompiledSayWhatTheySayOneAfterTheOther) {
  std::array<std::size_t, 3> seen{};
  for (unsigned seed = 0; seed < 3000; ++seed) {
    World world(seed);
    const std::size_t count = seed % 50 == 0 ? 700 : 1 + world.Below(14);
    std::vector<std::shared_ptr<const Rule>> rules;
    for (std::size_t i = 0; i < count; ++i) {
      Rule rule = world.MakeRule();
      if (count > 100 && world.Often(90))
        rule.who.matches.push_back(
            {.part = Who::Part::kSubject, .globs = {"u" + std::to_string(i)}});
      rules.push_back(std::make_shared<const Rule>(std::move(rule)));
    }
    const Rulebook book(rules);
    for (int i = 0; i < 30; ++i) {
      const Ask ask = world.MakeAsk();
      const Outcome outcome = Naively(rules, ask);
      ++seen.at(static_cast<std::size_t>(outcome));
      ASSERT_EQ(static_cast<int>(Decide(book, ask).outcome), static_cast<int>(outcome))
          << "seed " << seed << " question " << i << " " << ask.name << " of " << ask.server;
      bool could = false;
      for (std::size_t use = 0; use < kUseWords.size(); ++use) {
        Ask other = ask;
        other.use = static_cast<Use>(use);
        could |= UsesOf(ask.kind)[use] && Naively(rules, other) != Outcome::kHidden;
      }
      const RuleSet of_server = book.RulesOf(ask.server);
      const auto for_caller = book.RulesFor(MakeCaller(ask.caller), ask.endpoint);
      ASSERT_EQ(book.Could(of_server, *for_caller, ask.kind, ask.name), could) << "seed " << seed;
      ASSERT_TRUE(!could || book.CouldAny(of_server, *for_caller, ask.kind)) << "seed " << seed;
    }
  }
  for (const std::size_t times : seen) EXPECT_GT(times, 1000U);
}

TEST(AuthorizeRules, KeepsABoundedNumberOfCallersApart) {
  const Rulebook book(RulesIn("- {effect: allow, who: {subject: '*7'}}"));
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < 2 * Rulebook::kMaxCallers; ++i) {
      const Caller caller = MakeCaller({.subject = "u" + std::to_string(i)});
      ASSERT_EQ(book.RulesFor(caller, "")->Has(0), i % 10 == 7) << i;
    }
  }
}

}  // namespace
}  // namespace switchyard::policies::authorize
