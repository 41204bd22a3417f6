#include "audit/record.h"

#include <chrono>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/body.h"
#include "audit/chain.h"
#include "audit/query.h"
#include "unit/audit/support.h"

namespace switchyard::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

Record Read(const Event& event) {
  Head head;
  const std::string line = Link(Hasher(), head, BodyOf(event));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto record = RecordReader().Read(line);
  EXPECT_TRUE(record) << record.error() << ": " << line;
  return record.value_or(Record());
}

TEST(AuditRecord, HasWhoWhatAndWhatCameOfIt) {
  const WallTime time =
      std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + 23h + 59min + 59s + 123456us;
  const Record record = Read({.time = time,
                              .duration = 1500us,
                              .issuer = "i",
                              .subject = "ada",
                              .session = SessionName("secret"),
                              .endpoint = "/mcp",
                              .server = "files",
                              .method = "tools/call",
                              .item_key = "tool",
                              .item = "read",
                              .digest = "d",
                              .decided_by = "authorize",
                              .decision = "allowed",
                              .rule = "r",
                              .outcome = "ok",
                              .calls = 1,
                              .money = 250});
  EXPECT_EQ(record.time, "2026-01-31T23:59:59.123456Z");
  EXPECT_EQ(record.event, "call");
  EXPECT_EQ(record.subject, "ada");
  EXPECT_EQ(record.item, "read");
  EXPECT_EQ(record.rule, "r");
  EXPECT_EQ(record.outcome, "ok");
  EXPECT_EQ(record.duration_us, 1500);
  EXPECT_EQ(record.session.size(), 16U);
  EXPECT_THAT(BodyOf({.calls = 1, .money = 250}),
              HasSubstr(R"("cost":{"calls":1,"money_millionths":250})"));
  EXPECT_THAT(BodyOf({.session = SessionName("secret")}), Not(HasSubstr("secret")));
}

TEST(AuditRecord, TellsWhatChangesWhoMayDoWhat) {
  const Record account = Read({.kind = Event::Kind::kAccount,
                               .subject = "ada",
                               .server = "notes",
                               .item_key = "authorization_server",
                               .item = "https://as.example",
                               .decision = "connected",
                               .approver = "browser"});
  EXPECT_EQ(account.event + " " + account.item + " " + account.decision,
            "account https://as.example connected");
  const Record pin = Read({.kind = Event::Kind::kPin,
                           .item_key = "item",
                           .item = "prompt:p",
                           .definition = "abc",
                           .decision = "quarantined"});
  EXPECT_EQ(pin.event + " " + pin.item + " " + pin.definition, "pin prompt:p abc");
  const Event reload{.kind = Event::Kind::kReload,
                     .configuration = "new",
                     .configuration_before = "old",
                     .changed = "auth, policies"};
  const Record read = Read(reload);
  EXPECT_EQ(read.event + " " + read.configuration + " " + read.changed,
            "reload new auth, policies");
  EXPECT_THAT(BodyOf(reload), HasSubstr(R"("configuration_before":"old")"));
}

// Names come from clients and servers.
TEST(AuditRecord, IsARecordWhateverStandsInItsNames) {
  std::minstd_rand random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string name(random() % 40, ' ');
    for (char& c : name) c = static_cast<char>(random() % 256);
    if (round % 10 == 0) name += R"(","hash":"0","x":{)";
    if (round % 50 == 0) name.append(5000, 'x');
    Read({.subject = name,
          .agent = name,
          .acting_as = name,
          .item_key = "tool",
          .item = name,
          .reason = name});
  }
}

TEST(AuditRecord, TimesAreReadAsTheyAreWritten) {
  const WallTime time = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + 23h;
  EXPECT_EQ(ParseTime("2026-01-31T23:00:00Z"), time);
  EXPECT_EQ(ParseTime("2026-01-31T23:00Z"), time);
  EXPECT_EQ(ParseTime("2026-01-31 23:00"), time);
  EXPECT_EQ(ParseTime("2026-02-01T00:30:00+01:30"), time);
  EXPECT_EQ(ParseTime("2026-01-31T23:00:00.000001Z"), time + 1us);
  EXPECT_EQ(ParseTime("2026-01-31"), time - 23h);
  EXPECT_EQ(ParseTime(TimeText(time)), time);
  for (const char* text : {"", "x", "2026", "2026-13-01", "9999-12-31", "2026-02-30",
                           "2026-01-31T25:00Z", "2026-01-31T23:00:00", "2026-01-31T",
                           "2026-01-31T23:00Zx", "2026-01-31T23:00:00.Z", "-026-01-31"}) {
    if (std::string(text) == "2026-01-31T23:00:00") {
      EXPECT_TRUE(ParseTime(text)) << "UTC";
    } else {
      EXPECT_FALSE(ParseTime(text)) << text;
    }
  }
}

TEST(AuditQuery, FindsByWhoWhatAndWhen) {
  const Record record = Read({.time = WallTime(1h),
                              .subject = "ada",
                              .session = SessionName("abc"),
                              .acting_as = "planner-1",
                              .server = "files",
                              .item_key = "tool",
                              .item = "read_all",
                              .outcome = "denied"});
  EXPECT_TRUE(Filter{}.Matches(record));
  EXPECT_TRUE((Filter{.principal = "ad*", .tool = "read_*", .outcome = "denied"}).Matches(record));
  EXPECT_TRUE(Filter{.session = "abc"}.Matches(record)) << "by its id";
  EXPECT_TRUE(Filter{.acting_as = "planner-*"}.Matches(record));
  EXPECT_TRUE(Filter{.session = SessionName("abc")}.Matches(record)) << "by its name";
  for (const Filter& filter :
       {Filter{.principal = "bob"}, Filter{.tool = "write"}, Filter{.server = "x"},
        Filter{.outcome = "ok"}, Filter{.event = "gap"}, Filter{.session = "abd"},
        Filter{.rule = "r"}, Filter{.trace = "t"}, Filter{.acting_as = "coder-*"}}) {
    EXPECT_FALSE(filter.Matches(record));
  }
  EXPECT_TRUE(Filter{.since = TimeText(WallTime(1h))}.Matches(record));
  EXPECT_FALSE(Filter{.since = TimeText(WallTime(1h + 1us))}.Matches(record));
  EXPECT_FALSE(Filter{.until = TimeText(WallTime(1h))}.Matches(record));
}

}  // namespace
}  // namespace switchyard::audit
