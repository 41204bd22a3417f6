#include "telemetry/log.h"

#include <array>
#include <fcntl.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "telemetry/call_log.h"
#include "telemetry/json_text.h"

namespace switchyard::telemetry {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// A pipe whose reader may be as slow as it likes.
class Pipe {
 public:
  Pipe() {
    if (::pipe(ends_.data()) != 0) std::abort();
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int in() const { return ends_[1]; }
  std::string Read() {
    std::string text(1 << 20, '\0');
    const ssize_t size = ::read(ends_[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

 private:
  std::array<int, 2> ends_;
};

std::string Quoted(std::string_view text, std::size_t limit = 100) {
  Line line;
  AppendQuoted(line, text, limit);
  return {line.data(), line.size()};
}

TEST(JsonText, WhateverAClientSendsBecomesAJsonString) {
  EXPECT_EQ(Quoted("plain"), "\"plain\"");
  EXPECT_EQ(Quoted("a\"b\\c\n\t\x01\x7f"), R"("a\"b\\c\n\t\u0001\u007f")");
  EXPECT_EQ(Quoted("caf\xc3\xa9 \xf0\x9f\x98\x80"), "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"");
  EXPECT_EQ(Quoted("\xff\xc3"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(Quoted("\xed\xa0\x80").find("\xed"), std::string::npos);  // a surrogate
  EXPECT_EQ(Quoted("abcdef", 3), "\"abc...\"");
}

TEST(JsonText, TimesAreUtcWithMilliseconds) {
  Line line;
  AppendTime(line, std::chrono::system_clock::time_point(std::chrono::milliseconds(1767225600123)));
  EXPECT_EQ(std::string(line.data(), line.size()), "2026-01-01T00:00:00.123Z");
}

TEST(LineWriter, LinesComeOutWholeAndInOrder) {
  Pipe pipe;
  LineWriter writer(pipe.in());
  writer.Append("one");
  writer.Append("two");
  writer.Flush();
  EXPECT_EQ(pipe.Read(), "one\ntwo\n");
}

TEST(LineWriter, WhatIsPendingIsWrittenAtTheEnd) {
  Pipe pipe;
  {
    LineWriter(pipe.in()).Append("last words");
  }
  EXPECT_EQ(pipe.Read(), "last words\n");
}

TEST(LineWriter, ASlowReaderCostsLinesAndNeverHoldsUpTheWriter) {
  Pipe pipe;
  LineWriter writer(pipe.in(), 64 * 1024);
  const std::string line(1000, 'x');
  // More than the pipe, the batch in hand and the queue can take, and nobody reads.
  for (int i = 0; i < 1000; ++i) writer.Append(line);
  EXPECT_GT(writer.dropped(), 0U);
  EXPECT_LT(writer.dropped(), 1000U);
}

TEST(Log, AnEntryIsOneJsonObjectALine) {
  Pipe pipe;
  {
    Log log("info", LogFormat::kJson, pipe.in());
    spdlog::debug("not shown");
    spdlog::warn("server {}: said \"{}\"", "x", "a\nb");
  }
  const auto entry = boost::json::parse(pipe.Read());
  EXPECT_EQ(entry.at("level").as_string(), "warning");
  EXPECT_EQ(entry.at("message").as_string(), "server x: said \"a\nb\"");
  EXPECT_THAT(std::string(entry.at("time").as_string()), EndsWith("Z"));
}

TEST(Log, TextKeepsAnEntryOnOneLine) {
  Pipe pipe;
  {
    Log log("info", LogFormat::kText, pipe.in());
    spdlog::info("a\nb");
  }
  EXPECT_THAT(pipe.Read(), EndsWith(" info a b\n"));
}

CallLine SomeCall() {
  return {.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1767225600123)),
          .endpoint = "/mcp",
          .subject = {},
          .client = "agent \"x\"",
          .era = "modern",
          .server = "files",
          .tool = "read",
          .method = "tools/call",
          .stand_in = "",
          .trace = "4bf92f3577b34da6a3ce929d0e0e4736",
          .outcome = Outcome::kError,
          .code = "deadline",
          .message = "server files: no answer within 60s",
          .detail = "",
          .duration = std::chrono::microseconds(1500),
          .bytes_in = 10,
          .bytes_out = 0};
}

TEST(CallLog, ALineHasWhatOneAsksALogFor) {
  Pipe pipe;
  {
    LineWriter writer(pipe.in());
    CallLog(writer, LogFormat::kJson).Write(SomeCall());
  }
  EXPECT_EQ(pipe.Read(),
            R"({"time":"2026-01-01T00:00:00.123Z","level":"info","event":"call",)"
            R"("endpoint":"/mcp","client":"agent \"x\"","era":"modern","server":"files",)"
            R"("tool":"read","method":"tools/call","outcome":"error","code":"deadline",)"
            R"("error":"server files: no answer within 60s","duration_ms":1.500,"bytes_in":10,)"
            R"("bytes_out":0,"trace":"4bf92f3577b34da6a3ce929d0e0e4736"})"
            "\n");
}

TEST(CallLog, SeveralAttemptsAreSaidInBothForms) {
  Pipe pipe;
  CallLine call = SomeCall();
  call.attempts = 2;
  {
    LineWriter writer(pipe.in());
    CallLog(writer, LogFormat::kJson).Write(call);
    CallLog(writer, LogFormat::kText).Write(call);
  }
  const std::string lines = pipe.Read();
  EXPECT_NE(lines.find(R"("bytes_out":0,"attempts":2,"trace":)"), std::string::npos) << lines;
  EXPECT_NE(lines.find(" out=0 attempts=2 trace="), std::string::npos) << lines;
}

TEST(CallLog, TextIsForPeople) {
  Pipe pipe;
  {
    LineWriter writer(pipe.in());
    CallLog(writer, LogFormat::kText).Write(SomeCall());
  }
  EXPECT_THAT(pipe.Read(), HasSubstr(" info call endpoint=/mcp client=\"agent \\\"x\\\"\" "
                                     "era=modern server=files tool=read"));
}

}  // namespace
}  // namespace switchyard::telemetry
