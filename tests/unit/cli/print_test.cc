#include "cli/print.h"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

boost::json::object Object(std::string_view text) { return boost::json::parse(text).as_object(); }
boost::json::array Array(std::string_view text) { return boost::json::parse(text).as_array(); }

TEST(Print, ShowsOnlyTheFirstSentenceOfADescription) {
  EXPECT_EQ(FirstSentence("Adds two numbers. Slowly."), "Adds two numbers.");
  EXPECT_EQ(FirstSentence("\n  First line\nsecond"), "First line");
  EXPECT_EQ(FirstSentence("Uses v1.2 of it"), "Uses v1.2 of it");
  EXPECT_EQ(FirstSentence(" \n "), "");
}

TEST(Print, KeepsTerminalSequencesOfServersAwayFromTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[31mb\tc\r\nd\x7f"), "a[31mb\tc\nd");
  EXPECT_EQ(Printable("a\xC2\x9B"
                      "31mb \xC3\xA9"),
            "a31mb \xC3\xA9");
  EXPECT_EQ(OneLine("  a\n\n b\x07 "), "a b");
}

TEST(Print, NamesTheHintsThatAToolGives) {
  EXPECT_EQ(Hints(Object(R"({"annotations":{"readOnlyHint":true,"idempotentHint":true}})")),
            "read-only, idempotent");
  EXPECT_EQ(Hints(Object(R"({"annotations":{"destructiveHint":true}})")), "destructive");
  EXPECT_EQ(Hints(Object(R"({"annotations":{"readOnlyHint":true,"destructiveHint":true}})")),
            "read-only");
  EXPECT_EQ(Hints(Object("{}")), "");
}

TEST(Print, FindsTheServerByTheLongestPrefix) {
  const std::vector<Prefix> prefixes = {{.server = "git", .prefix = "git"},
                                        {.server = "files", .prefix = "git__hub"},
                                        {.server = "bare", .prefix = ""},
                                        {.server = "own", .prefix = "own", .separator = "_"}};
  EXPECT_EQ(ServerOf("git__log", prefixes), "git");
  EXPECT_EQ(ServerOf("git__hub__issue", prefixes), "files");
  EXPECT_EQ(ServerOf("other", prefixes), "bare");
  EXPECT_EQ(ServerOf("own_tool", prefixes), "own");
  EXPECT_EQ(ServerOf("gate__log", {}), "gate");
  EXPECT_EQ(ServerOf("log", {}), "");
}

TEST(Print, LinesTheToolsUpInColumns) {
  const std::string table = ToolTable(
      Array(R"([{"name":"a__add","description":"Adds. Fast.","annotations":{"readOnlyHint":true}},
                {"name":"long__name","description":""}])"),
      std::vector<std::string>{"a", "long"}, 0);
  EXPECT_EQ(table,
            "TOOL        SERVER  HINTS      DESCRIPTION\n"
            "a__add      a       read-only  Adds.\n"
            "long__name  long\n");
}

TEST(Print, ServersAreThoseThatTheGatewaySays) {
  const std::vector<Prefix> prefixes = {{.server = "a", .prefix = "x"}};
  EXPECT_THAT(ServersOf(Object(R"({"tools":[{"name":"x__t"},{"name":"x__u"},{"name":"create"}],
                  "_meta":{"switchyard/servers":[{"server":"b","items":2},{"server":"c","items":1}]}})"),
                        prefixes),
              ElementsAre("b", "b", "c"));
  for (const char* wrong : {R"([{"server":"b","items":1}])", R"([{"server":"b","items":-1}])", "7",
                            R"([7,{"items":"2"}])", "[]"}) {
    const std::string text = std::string(R"({"tools":[{"name":"x__t"},{"name":"t"}],"_meta":{)") +
                             R"("switchyard/servers":)" + wrong + "}}";
    EXPECT_THAT(ServersOf(Object(text.c_str()), prefixes), ElementsAre("a", "")) << wrong;
  }
  EXPECT_THAT(ServersOf(Object(R"({"tools":[{"name":"t"}],
                  "_meta":{"switchyard/servers":[{"server":"b","items":9000000000}]}})"),
                        {}),
              ElementsAre("b"));
  EXPECT_THAT(ServersOf(Object("{}"), {}), ElementsAre());
}

TEST(Print, NumbersOfStructuredContentReadAsPeopleWriteThem) {
  EXPECT_EQ(
      CallText(
          Object(R"({"structuredContent":{"rate":0.5,"all":[1,2.25,-0.001,1e300],"n":{"k":0.0}}})"),
          true),
      "{\"rate\":0.5,\"all\":[1,2.25,-0.001,1E300],\"n\":{\"k\":0}}\n");
}

TEST(Print, CutsATableToTheWidthOfTheTerminal) {
  const std::string table =
      ToolTable(Array(R"([{"name":"a__add","description":"Ädds very many things"}])"), {}, 32);
  EXPECT_THAT(table, HasSubstr("Ädds ver…\n"));
}

TEST(Print, NamesTheServersThatAreMissing) {
  EXPECT_EQ(
      MissingServers(Object(
          R"({"_meta":{"switchyard/missing":[{"server":"b","reason":"connect: refused"}]}})")),
      "missing: b: connect: refused\n");
  EXPECT_EQ(MissingServers(Object(R"({"_meta":{}})")), "");
  EXPECT_EQ(Outages(Object(R"({"_meta":{"switchyard/outages":[
                {"what":"server a","reason":"circuit breaker open"}, 7]}})")),
            "refused: server a: circuit breaker open\n");
}

TEST(Print, ShowsTextsPlainlyAndOtherContentAsOneLine) {
  EXPECT_EQ(CallText(Object(R"({"content":[{"type":"text","text":"one\ntwo"},
                                {"type":"image","mimeType":"image/png","data":"AAAA"},
                                {"type":"resource_link","uri":"file:///a"},
                                {"type":"resource","resource":{"uri":"x:y","text":"inside"}}]})"),
                     true),
            "one\ntwo\n[image] image/png, 4 characters of base64; --json shows them\n"
            "[link] file:///a\n[resource] x:y\ninside\n");
}

TEST(Print, ShowsStructuredContentOnceEvenWhenATextRepeatsIt) {
  EXPECT_EQ(CallText(Object(R"({"content":[{"type":"text","text":"{ \"sum\": 3 }"}],
                                "structuredContent":{"sum":3}})"),
                     true),
            "{\"sum\":3}\n");
  EXPECT_EQ(CallText(Object(R"({"content":[{"type":"text","text":"three"}],
                                "structuredContent":{"sum":3}})"),
                     true),
            "three\n{\"sum\":3}\n");
}

TEST(Print, KeepsControlCharactersOnlyWhereStdoutIsNoTerminal) {
  const boost::json::object result = Object(R"({"content":[{"type":"text","text":"\u001b[2Jx"}]})");
  EXPECT_EQ(CallText(result, true), "\x1b[2Jx\n");
  EXPECT_EQ(CallText(result, false), "[2Jx\n");
}

TEST(Print, SaysHowFarACallIs) {
  EXPECT_EQ(ProgressText(Object(R"({"progress":3,"total":10,"message":"reading"})")),
            "3/10 reading");
  EXPECT_EQ(ProgressText(Object(R"({"progress":0.5})")), "0.5");
  EXPECT_EQ(ProgressText(Object(R"({"progress":"x"})")), "");
}

TEST(Print, SuggestsTheToolsThatWereProbablyMeant) {
  const std::vector<std::string> tools = {"a__echo", "b__echo", "a__echo_all", "a__add"};
  EXPECT_THAT(NearestTools("echo", tools), ElementsAre("a__echo", "b__echo", "a__echo_all"));
  EXPECT_THAT(NearestTools("c__add", tools), ElementsAre("a__add"));
  EXPECT_THAT(NearestTools("a__ehco", tools), ElementsAre("a__echo"));
  EXPECT_THAT(NearestTools("nothing_like_it", tools), IsEmpty());
}

}  // namespace
}  // namespace switchyard::cli
