#include "catalog/result_uris.h"

#include <gtest/gtest.h>

#include "support/json.h"

namespace switchyard::catalog {
namespace {

using tests::Parse;

std::string Mapped(std::string_view result) {
  const mcp::Message message =
      MapUris(mcp::Message::FromResult("1", std::string(result)),
              [](std::string_view uri) { return "gw:" + std::string(uri); });
  // Stages that come later read what is written.
  EXPECT_EQ(message.ToText(), message.bytes());
  return std::string(message.result());
}

TEST(ResultUris, LinksAndEmbeddedResourcesOfToolsAreMapped) {
  EXPECT_EQ(
      Mapped(R"({"content":[{"type":"resource_link","uri":"a:1","name":"uri"},)"
             R"({"type":"resource","resource":{"uri":"a:\/2","text":"\"uri\""}},)"
             R"({"type":"text","text":"a:3"},{"type":"text","uri":"a:4"}],"x":{"uri":"a:5"}})"),
      R"({"content":[{"type":"resource_link","uri":"gw:a:1","name":"uri"},)"
      R"({"type":"resource","resource":{"uri":"gw:a:/2","text":"\"uri\""}},)"
      R"({"type":"text","text":"a:3"},{"type":"text","uri":"a:4"}],"x":{"uri":"a:5"}})");
}

TEST(ResultUris, MessagesOfPromptsAndContentsOfResourcesAreMapped) {
  EXPECT_EQ(
      Mapped(
          R"({"messages":[{"role":"user","content":{"type":"resource_link","uri":"a:1"}},{"role":"user","content":[{"type":"resource","resource":{"uri":"a:2"}}]}]})"),
      R"({"messages":[{"role":"user","content":{"type":"resource_link","uri":"gw:a:1"}},{"role":"user","content":[{"type":"resource","resource":{"uri":"gw:a:2"}}]}]})");
  EXPECT_EQ(Mapped(R"({"contents":[{"uri":"a:1"},{"uri":"a:2"}]})"),
            R"({"contents":[{"uri":"gw:a:1"},{"uri":"gw:a:2"}]})");
}

TEST(ResultUris, TheUserInterfaceOfAResultIsMapped) {
  EXPECT_EQ(Mapped(R"({"content":[],"_meta":{"ui":{"resourceUri":"ui://x"}}})"),
            R"({"content":[],"_meta":{"ui":{"resourceUri":"gw:ui://x"}}})");
}

TEST(ResultUris, WhatHasNoneOrIsOddStaysAsItIs) {
  for (const char* result :
       {R"({"content":[{"type":"text","text":"x"}]})", R"({"content":7,"uri":1})",
        R"({"content":[7,{"type":"resource_link","uri":7},{"type":"resource","resource":[]}]})",
        R"({"messages":{"uri":1},"contents":[[],{"uri":null}],"_meta":{"ui":"\"uri\""}})"}) {
    EXPECT_EQ(Mapped(result), result);
  }
}

TEST(ResultUris, NotFoundNamesWhatWasAskedFor) {
  const auto named = [](int code, std::string_view data) {
    return tests::At(
        Parse(NameInError(mcp::Message::MakeError("1", code, "no", data), "gw:a").ToText()),
        "/error");
  };
  EXPECT_EQ(named(-32602, ""), Parse(R"({"code":-32602,"message":"no","data":{"uri":"gw:a"}})"));
  EXPECT_EQ(named(-32602, R"({"uri":"a","k":1})"),
            Parse(R"({"code":-32602,"message":"no","data":{"uri":"gw:a","k":1}})"));
  EXPECT_EQ(named(-32602, "7"), Parse(R"({"code":-32602,"message":"no","data":7})"));
  EXPECT_EQ(named(-32603, ""), Parse(R"({"code":-32603,"message":"no"})"));
}

}  // namespace
}  // namespace switchyard::catalog
