#include "edge/content.h"

#include <string>

#include <gtest/gtest.h>

namespace switchyard::edge {
namespace {

using mcp::Version;

std::string Read(const std::string& result, Version version) {
  mcp::Message message = mcp::Message::FromResult("7", result);
  ContentForLegacy(message, version);
  EXPECT_EQ(message.id(), "7");
  return std::string(message.result());
}

constexpr char kLinks[] =
    R"({"content":[{"type":"text","text":"a"},{"type":"resource_link","uri":"x://y","name":"y"}]})";

TEST(ContentForLegacy, ALinkIsATextWithItsUriBelow20250618) {
  EXPECT_EQ(Read(kLinks, Version::k2025_03_26),
            R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"x://y"}]})");
  EXPECT_EQ(
      Read(
          R"({"messages":[{"role":"user","content":{"type":"resource_link","uri":"x://y","name":"y"}}]})",
          Version::k2025_03_26),
      R"({"messages":[{"role":"user","content":{"type":"text","text":"x://y"}}]})");
}

TEST(ContentForLegacy, ALinkStaysWhereItIsKnownByteForByte) {
  const std::string spaced =
      R"({ "content" : [{"type":"resource_link","uri":"x://y","name":"y"}] })";
  EXPECT_EQ(Read(spaced, Version::k2025_06_18), spaced);
}

TEST(ContentForLegacy, StructuredContentIsAnObjectOrATextInLegacyRevisions) {
  EXPECT_EQ(Read(R"({"content":[],"structuredContent":[1,2]})", Version::k2025_11_25),
            R"({"content":[{"type":"text","text":"[1,2]"}]})");
  EXPECT_EQ(Read(R"({"structuredContent":[1,2],"content":[{"type":"text","text":"two"}]})",
                 Version::k2025_11_25),
            R"({"content":[{"type":"text","text":"two"}]})");
  const std::string object = R"({ "content" : [], "structuredContent" : {"sum":1.50} })";
  EXPECT_EQ(Read(object, Version::k2025_06_18), object);
  EXPECT_EQ(Read(object, Version::k2025_03_26),
            R"({"content":[{"type":"text","text":"{\"sum\":1.50}"}]})");
}

TEST(ContentForLegacy, HoweverDeepAResultIs) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_EQ(Read(R"({"content":[],"structuredContent":)" + deep + "}", Version::k2025_11_25),
            R"({"content":[{"type":"text","text":")" + deep + "\"}]}");
  EXPECT_EQ(Read(R"({"content":[{"type":"resource_link","uri":"x://y"}],"more":)" + deep + "}",
                 Version::k2025_03_26),
            R"({"content":[{"type":"text","text":"x://y"}],"more":)" + deep + "}");
}

TEST(ContentForLegacy, OtherResultsAreNotTouched) {
  const std::string result = R"({ "content" : [ {"type":"text","text":"a resource_link"} ] })";
  EXPECT_EQ(Read(result, Version::k2025_11_25), result);
  EXPECT_EQ(Read(R"({"contents":[]})", Version::k2025_03_26), R"({"contents":[]})");
}

TEST(ContentForLegacy, AudioIsAnEmbeddedResourceBelow20250326) {
  const std::string audio =
      R"({"content":[{"type":"audio","data":"UklG","mimeType":"audio/wav","annotations":{"priority":1}}]})";
  EXPECT_EQ(
      Read(audio, Version::k2024_11_05),
      R"({"content":[{"type":"resource","resource":{"uri":"attachment:audio","mimeType":"audio/wav","blob":"UklG"},"annotations":{"priority":1}}]})");
  EXPECT_EQ(
      Read(
          R"({"messages":[{"role":"user","content":{"type":"audio","data":"UklG","mimeType":"a/b"}}]})",
          Version::k2024_11_05),
      R"({"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"attachment:audio","mimeType":"a/b","blob":"UklG"}}}]})");
  EXPECT_EQ(Read(audio, Version::k2025_03_26), audio);
}

TEST(ContentForLegacy, ALinkHasIconsFrom20251125On) {
  const std::string link =
      R"({"content":[{"type":"resource_link","uri":"x://y","name":"y","icons":[{"src":"https://i"}]}]})";
  EXPECT_EQ(Read(link, Version::k2025_06_18),
            R"({"content":[{"type":"resource_link","uri":"x://y","name":"y"}]})");
  EXPECT_EQ(Read(link, Version::k2025_11_25), link);
  EXPECT_EQ(Read(link, Version::k2025_03_26), R"({"content":[{"type":"text","text":"x://y"}]})");
}

TEST(ProgressForLegacy, HasAMessageFrom20250326On) {
  const std::string params = R"({"progressToken":"p","progress":1,"message":"half"})";
  for (const auto& [version, read] :
       {std::pair{Version::k2024_11_05, std::string(R"({"progressToken":"p","progress":1})")},
        std::pair{Version::k2025_03_26, params}}) {
    mcp::Message progress = mcp::Message::Make("", "notifications/progress", params);
    ProgressForLegacy(progress, version);
    EXPECT_EQ(progress.params(), read);
    EXPECT_EQ(progress.method(), mcp::Method::kProgress);
  }
}

// What was changed on the way here, such as rewritten URIs, must not be lost.
TEST(ContentForLegacy, KeepsTheEditsOfEarlierStages) {
  mcp::Message message = mcp::Message::FromResult("7", std::string(kLinks));
  const auto at = static_cast<std::uint32_t>(message.bytes().find("x://y"));
  message.edits().Replace({at, at + 5}, "z://exposed");
  ContentForLegacy(message, Version::k2025_03_26);
  EXPECT_TRUE(message.result().contains(R"("text":"z://exposed")")) << message.result();
}

}  // namespace
}  // namespace switchyard::edge
