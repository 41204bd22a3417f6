#include "mcp/sse_parser.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

using namespace std::string_literals;

std::string Show(const SseEvent& event) {
  std::string text = event.event + "|" + event.data + "|" + event.id;
  if (event.retry_ms) text += "|" + std::to_string(*event.retry_ms);
  return text;
}

void Drain(SseParser& parser, std::vector<std::string>& out) {
  while (const auto event = parser.Next()) out.push_back(Show(*event));
}

// The events of a stream, fed in pieces of `step` bytes.
std::vector<std::string> Events(std::string_view stream, std::size_t step = std::string::npos) {
  SseParser parser;
  std::vector<std::string> events;
  while (!stream.empty()) {
    EXPECT_TRUE(parser.Feed(stream.substr(0, step)));
    stream.remove_prefix(std::min(step, stream.size()));
    Drain(parser, events);
  }
  return events;
}

using List = std::vector<std::string>;

TEST(SseParser, ReadsByTheRulesOfTheStandard) {
  const std::pair<std::string, List> kCases[] = {
      {"data: a\n\n", {"|a|"}},
      {"data:a\n\n", {"|a|"}},
      {"data:  a\n\n", {"| a|"}},
      {"data: a\r\n\r\n", {"|a|"}},
      {"data: a\r\r", {"|a|"}},
      {"data: a\n\r\n", {"|a|"}},
      {"data: a\r\n\ndata: b\r\n\r", {"|a|", "|b|"}},
      {"event: message\ndata: a\n\n", {"message|a|"}},
      {"data: a\ndata: b\ndata: c\n\n", {"|a\nb\nc|"}},
      {"data\n\n", {"||"}},
      {"data:\n\n", {"||"}},
      {"data\ndata\n\n", {"|\n|"}},
      {"data:\ndata: a\n\n", {"|\na|"}},
      {"id: 7\ndata:\n\n", {"||7"}},
      {"event: x\n\ndata: a\n\n", {"|a|"}},
      {"event: x\nevent: y\ndata: a\n\n", {"y|a|"}},
      {"event\ndata: a\n\n", {"|a|"}},
      {": comment\n\n:\n\ndata: a\n\n", {"|a|"}},
      {":data: a\n\n", {}},
      {"unknown: x\ndata: a\n\n", {"|a|"}},
      {"Data: a\n\n", {}},
      {" data: a\n\n", {}},
      {"data : a\n\n", {}},
      {"datax: a\n\ndat: a\n\neventful\n\n", {}},
      {"data: a: b\n\n", {"|a: b|"}},
      {"retry: 1500\ndata: a\n\n", {"|a||1500"}},
      {"retry: 15x\ndata: a\n\n", {"|a|"}},
      {"retry: -1\ndata: a\n\n", {"|a|"}},
      {"retry: \ndata: a\n\n", {"|a|"}},
      {"retry: 99999999999999\ndata: a\n\n", {"|a|"}},
      {"retry: 5\n\ndata: a\n\n", {"|a|"}},
      {"id: 1\ndata: a\n\ndata: b\n\n", {"|a|1", "|b|"}},
      {"id: a\0b\ndata: a\n\n"s, {"|a|"}},
      {"data: a\0b\n\n"s, {"|a\0b|"s}},
      {"\xEF\xBB\xBF"
       "data: a\n\n",
       {"|a|"}},
      {"\xEF\xBB\xBF\xEF\xBB\xBF"
       "data: a\n\ndata: b\n\n",
       {"|b|"}},
      {"\xEF\xBB"
       "data: a\n\ndata: b\n\n",
       {"|b|"}},
      {"\xEF\ndata: b\n\n", {"|b|"}},
      {"data: \xEF\xBB\xBF\n\n", {"|\xEF\xBB\xBF|"}},
      {"\n\n\n\r\r\n", {}},
      {"data: unfinished\n", {}},
      {"data: unfinished", {}},
      {"", {}},
  };
  for (const auto& [stream, expected] : kCases) {
    EXPECT_EQ(Events(stream), expected) << stream;
    for (const std::size_t step : {1u, 2u, 3u, 5u}) {
      EXPECT_EQ(Events(stream, step), expected) << stream << " in pieces of " << step;
    }
  }
}

TEST(SseParser, DoesNotDependOnWhereTheBytesAreCut) {
  const std::string stream =
      "\xEF\xBB\xBF: hello\r\nid: 1\r\nevent: message\rdata: {\"a\":1,\r\ndata: \"b\":2}\r\n\r\n"
      "retry:30\n\ndata\n\nid\ndata:  x\r\r";
  const List whole = Events(stream);
  ASSERT_EQ(whole, (List{"message|{\"a\":1,\n\"b\":2}|1", "||", "| x|"}));
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    SseParser parser;
    List events;
    ASSERT_TRUE(parser.Feed(std::string_view(stream).substr(0, cut)));
    Drain(parser, events);
    ASSERT_TRUE(parser.Feed(std::string_view(stream).substr(cut)));
    Drain(parser, events);
    ASSERT_EQ(events, whole) << "cut at " << cut;
  }
}

TEST(SseParser, RemembersIdAndRetryThatCameWithoutAnEvent) {
  SseParser parser;
  ASSERT_TRUE(parser.Feed("id: 42\nretry: 250\n\n"));
  EXPECT_FALSE(parser.Next());
  EXPECT_EQ(parser.last_event_id(), "42");
  EXPECT_EQ(parser.retry_ms(), 250u);
  ASSERT_TRUE(parser.Feed("data: a\n\n"));
  EXPECT_EQ(parser.last_event_id(), "42");
}

TEST(SseParser, AnEmptyIdForgetsTheLastOne) {
  SseParser parser;
  ASSERT_TRUE(parser.Feed("id: 42\ndata: a\n\nid\ndata: b\n\n"));
  EXPECT_EQ(parser.last_event_id(), "");
}

TEST(SseParser, AnEventMayFillTheCapButNotExceedIt) {
  SseParser fits(10);
  ASSERT_TRUE(fits.Feed("data: 0123456789\n\n"));
  EXPECT_EQ(fits.Next()->data, "0123456789");
  SseParser lines(10);
  ASSERT_TRUE(lines.Feed("data: 0123\ndata: 56789\n\n"));
  EXPECT_EQ(lines.Next()->data, "0123\n56789");
  for (const char* stream :
       {"data: 0123456789X", "data: 01234\ndata: 56789",
        "data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n",
        "data: 0123456789\ndata\n"}) {
    for (const std::size_t step : {1u, 7u, 1000u}) {
      SseParser parser(10);
      Result<void> result;
      for (std::string_view rest = stream; !rest.empty() && result;) {
        result = parser.Feed(rest.substr(0, step));
        rest.remove_prefix(std::min(step, rest.size()));
      }
      ASSERT_FALSE(result) << stream;
      EXPECT_EQ(result.error().code, Code::kTooLarge);
      EXPECT_EQ(result.error().origin, Origin::kServer);
      EXPECT_FALSE(parser.Next());
    }
  }
}

TEST(SseParser, TheCapIsPerEvent) {
  SseParser parser(10);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(parser.Feed("data: 01234567\n\n"));
}

TEST(SseParser, AfterTooMuchNothingMoreIsTaken) {
  SseParser parser(4);
  EXPECT_FALSE(parser.Feed("data: ok\n\ndata: too long\n\ndata: no\n\n"));
  EXPECT_EQ(parser.Next()->data, "ok");
  EXPECT_FALSE(parser.Next());
  EXPECT_FALSE(parser.Feed("\n\ndata: no\n\n"));
  EXPECT_FALSE(parser.Next());
}

TEST(SseParser, OtherFieldsHaveACapOfTheirOwn) {
  const std::string longest(SseParser::kMaxFieldBytes, 'x');
  for (const char* field : {"id: ", "event: ", "retry: "}) {
    SseParser fits;
    EXPECT_TRUE(fits.Feed(field + longest + "\n")) << field;
    SseParser exceeds;
    EXPECT_FALSE(exceeds.Feed(field + longest + "x\n")) << field;
  }
}

TEST(SseParser, CommentsAndUnknownFieldsMayBeEndless) {
  SseParser parser(16);
  ASSERT_TRUE(parser.Feed(":"));
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(parser.Feed(std::string(1000, 'x')));
  ASSERT_TRUE(parser.Feed("\n" + std::string(100'000, 'y')));
  ASSERT_TRUE(parser.Feed(":" + std::string(100'000, 'z') + "\ndata: a\n\n"));
  EXPECT_EQ(parser.Next()->data, "a");
}

TEST(SseParser, ReadsALongOneLineEventInPieces) {
  const std::string text(1'000'000, 'j');
  const std::string stream = "data: " + text + "\n\n";
  SseParser parser;
  for (std::size_t at = 0; at < stream.size(); at += 16'384) {
    ASSERT_TRUE(parser.Feed(std::string_view(stream).substr(at, 16'384)));
  }
  EXPECT_EQ(parser.Next()->data, text);
}

}  // namespace
}  // namespace switchyard::mcp
