#include "config/hide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/text_check.h"

namespace switchyard::config {
namespace {

const std::vector<Expansion> kOne = {{.value = "s3cret-Value", .shown = "${TOKEN}"}};

std::string With(const std::string& value, const std::string& text, Text kind = Text::kSentence) {
  return Hide(text, {{.value = value, .shown = "${X}"}}, kind);
}

TEST(Hide, AValueReadsAsTheFileHasIt) {
  EXPECT_EQ(Hide("must be a path, got \"s3cret-Value\"", kOne), "must be a path, got \"${TOKEN}\"");
  EXPECT_EQ(Hide("got a/s3cret-Value.db", kOne), "got a/${TOKEN}.db");
  EXPECT_EQ(Hide("tokens of https://h/s3cret-value/", kOne), "tokens of https://h/${TOKEN}/");
  EXPECT_EQ(Hide("nothing of it", kOne), "nothing of it");
  EXPECT_EQ(Hide("", kOne), "");
}

TEST(Hide, AValueThatWasCutOrMadePrintableIsFoundAsWell) {
  const std::string longer(200, 'q');
  EXPECT_EQ(With(longer, "got " + Quote("a" + longer)), "got \"a${X}...\"");
  EXPECT_EQ(With("two\nlines", "got " + Quote("two\nlines")), "got \"${X}\"");
  EXPECT_EQ(With("two\nlines", "is two\nlines here"), "is ${X} here");
}

TEST(Hide, APartOfItInQuotesIsAPartOfIt) {
  EXPECT_EQ(With("100/fortnight", "unknown unit \"fortnight\""), "unknown unit \"${X}\"");
  EXPECT_EQ(With("100/fortnight", "unknown unit \"night\""), "unknown unit \"night\"");
}

TEST(Hide, ANumberToWhichAMessageAddsAUnitIsFoundAsWell) {
  EXPECT_EQ(With("12345", "for example 12345s, got \"12345\""), "for example ${X}s, got \"${X}\"");
}

TEST(Hide, WordsOfTheSentenceStay) {
  const auto stays = [](const char* value, const char* text) {
    EXPECT_EQ(With(value, text), text) << value;
  };
  stays("must", "mustard must be fine");
  stays("http", "scheme must be http or https");
  stays("json", "must be one of json, text");
  stays("server", "1 server");
  stays("1000", "must be between 1 and 1000");
  stays("0", "127.0.0.1:8080 is taken");
  stays("", "as it was");
  EXPECT_EQ(With("http", "scheme must be http or https, got \"http\""),
            "scheme must be http or https, got \"${X}\"");
  EXPECT_EQ(With("server", "got \"server\"; a server has a name"),
            "got \"${X}\"; a server has a name");
  EXPECT_EQ(With("a longer one", "says a longer one here"), "says ${X} here");
}

TEST(Hide, AShortValueIsFoundWhereItIsAllThatThereIs) {
  EXPECT_EQ(With("0", "must be between 0 and 10, got 0"), "must be between 0 and 10, got ${X}");
  EXPECT_EQ(With("0", "got 0; between 1 and 10"), "got ${X}; between 1 and 10");
  EXPECT_EQ(With("ab", "a table, got \"ab\""), "a table, got \"${X}\"");
  EXPECT_EQ(With("ab", "got \"ab/cab\""), "got \"ab/cab\"");
  EXPECT_EQ(With("0", "got 127.0.0.1"), "got 127.0.0.1");
}

TEST(Hide, WhatStandsAsWrittenIsLeftAlone) {
  EXPECT_EQ(Hide("got \"${LONG_TOKEN}\"", {{.value = "LONG_TOKEN", .shown = "${B}"}}),
            "got \"${LONG_TOKEN}\"");
  EXPECT_EQ(Hide("got \"a-b-c-d-e-f\"",
                 {{.value = "b-c-d", .shown = "${B}"}, {.value = "a-b-c-d-e-f", .shown = "${A}"}}),
            "got \"${A}\"");
}

TEST(Hide, AllOfAValueIsAValue) {
  EXPECT_EQ(With("ab", "ab", Text::kValue), "${X}");
  EXPECT_EQ(With("0", "127.0.0.1:8080", Text::kValue), "127.0.0.1:8080");
  EXPECT_EQ(With("abcd", "xabcdx", Text::kValue), "x${X}x");
}

}  // namespace
}  // namespace switchyard::config
