#include "audit/log_file.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/files.h"
#include "unit/audit/support.h"

namespace switchyard::audit {
namespace {

using testing::Body;
using ::testing::HasSubstr;
using testing::IsWhole;
using testing::LinesOf;
using ::testing::StartsWith;
using testing::TextOf;
using namespace std::chrono_literals;

class AuditFile : public ::testing::Test {
 protected:
  config::Audit Settings() const {
    config::Audit settings;
    settings.path = place_.log();
    settings.max_size = std::size_t{1} << 30;
    settings.max_age = 24h * 365;
    return settings;
  }
  std::unique_ptr<LogFile> Open(const config::Audit& settings, Disk disk = Disk::Real()) {
    Result<std::unique_ptr<LogFile>> opened = LogFile::Open(settings, clock_, std::move(disk));
    if (opened) return std::move(*opened);
    problem_ = opened.error().message;
    return nullptr;
  }
  std::unique_ptr<LogFile> Open() { return Open(Settings()); }
  void Write(LogFile& log, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) log.Append(Body(clock_, ++number_));
    EXPECT_TRUE(log.Flush());
  }
  Verifier::Summary Summary() const { return testing::Verify(place_.log()).summary; }

  testing::Place place_;
  ManualClock clock_;
  std::uint64_t number_ = 0;
  std::string problem_;
};

TEST_F(AuditFile, BeginsWithItsIdAndIsForItsUserAlone) {
  Write(*Open(), 3);
  const std::vector<std::string> lines = LinesOf(TextOf(place_.log()));
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_THAT(lines[0], StartsWith(R"({"v":1,"seq":1,"time":")"));
  EXPECT_THAT(lines[0], HasSubstr(R"("event":"genesis","id":")"));
  EXPECT_THAT(lines[0], HasSubstr(R"("mac":"sha256")"));
  EXPECT_THAT(lines[0], HasSubstr(R"("prev":")" + std::string(64, '0') + "\""));
  EXPECT_THAT(lines[1], HasSubstr(R"("event":"opened")"));
  EXPECT_TRUE(IsWhole(place_.log()));
  struct stat status{};
  ASSERT_EQ(::stat(place_.log().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(AuditFile, ThatOthersMayReadIsClosedToThem) {
  Write(*Open(), 1);
  ASSERT_EQ(::chmod(place_.log().c_str(), 0644), 0);
  Open();
  struct stat status{};
  ASSERT_EQ(::stat(place_.log().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(AuditFile, GoesOnWhereItWasAfterARestart) {
  Write(*Open(), 3);
  Write(*Open(), 2);
  EXPECT_TRUE(IsWhole(place_.log()));
  EXPECT_EQ(Summary().last_seq, 8U) << "genesis, opened, 3, opened, 2";
  EXPECT_EQ(Summary().events["opened"], 2U);
}

TEST_F(AuditFile, IsWrittenByOneAtATime) {
  const auto first = Open();
  EXPECT_EQ(Open(), nullptr);
  EXPECT_THAT(problem_, HasSubstr("audit.path: " + place_.log() + ": is written by another"));
}

TEST_F(AuditFile, SaysWhyItCannotBeOpened) {
  config::Audit settings = Settings();
  settings.path = place_.path() + "/none/audit.jsonl";
  EXPECT_EQ(Open(settings), nullptr);
  EXPECT_THAT(problem_, HasSubstr("cannot be written: No such file or directory; name a file in"));
  settings.path = place_.path();
  EXPECT_EQ(Open(settings), nullptr);
  testing::Put(place_.log(), "something else\n");
  EXPECT_EQ(Open(), nullptr);
  EXPECT_THAT(problem_, HasSubstr("its last record does not verify"));
}

// Wherever the last line ends that a killed process was writing.
TEST_F(AuditFile, IsLookedAtWithoutBeingTouched) {
  config::Audit settings;
  EXPECT_TRUE(LogFile::Inspect(settings)) << "there is none";
  settings.path = place_.log();
  EXPECT_TRUE(LogFile::Inspect(settings));
  EXPECT_TRUE(std::filesystem::is_empty(place_.path()));
  std::filesystem::create_directory(place_.log());
  EXPECT_THAT(LogFile::Inspect(settings).error().message, HasSubstr("is no regular file"));
  settings.path = place_.path() + "/none/audit.jsonl";
  EXPECT_EQ(LogFile::Inspect(settings).error().message,
            settings.path + ": there is no directory " + place_.path() + "/none; make it");
  std::ofstream(place_.path() + "/file") << "x";
  settings.path = place_.path() + "/file/audit.jsonl";
  EXPECT_THAT(LogFile::Inspect(settings).error().message, HasSubstr("cannot write to"));
}

TEST_F(AuditFile, ALineThatIsTornAnywhereIsCutAndThatIsRecorded) {
  Write(*Open(), 2);
  const std::string whole = TextOf(place_.log());
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t end = last + 1; end < whole.size(); ++end) {
    testing::Put(place_.log(), whole.substr(0, end));
    EXPECT_TRUE(testing::Verify(place_.log()).torn);
    Write(*Open(), 1);
    ASSERT_TRUE(IsWhole(place_.log())) << "torn after " << end - last << " bytes";
    const std::vector<std::string> lines = LinesOf(TextOf(place_.log()));
    ASSERT_EQ(lines.size(), 6U);
    EXPECT_THAT(lines[3],
                HasSubstr(R"("event":"repaired","cut_bytes":)" + std::to_string(end - last) + ","));
  }
}

TEST_F(AuditFile, AFirstLineThatIsTornIsCutToo) {
  testing::Put(place_.log(), R"({"v":1,"seq":1,"ti)");
  Write(*Open(), 1);
  EXPECT_TRUE(IsWhole(place_.log()));
  EXPECT_EQ(Summary().events["repaired"], 1U);
  EXPECT_TRUE(Summary().from_the_beginning);
}

TEST_F(AuditFile, RotatesBySizeAndTheChainGoesOn) {
  config::Audit settings = Settings();
  settings.max_size = 4096;
  Write(*Open(settings), 100);
  EXPECT_GT(RotatedFilesOf(place_.log()).size(), 3U);
  for (const std::string& file : RotatedFilesOf(place_.log())) {
    EXPECT_LE(TextOf(file).size(), 4096U);
    EXPECT_TRUE(IsWhole(file)) << "by itself";
  }
  EXPECT_TRUE(IsWhole(place_.log()));
  EXPECT_EQ(Summary().events["call"], 100U);
  const std::string first = LinesOf(TextOf(place_.log())).front();
  EXPECT_THAT(first, HasSubstr(R"("event":"rotated","previous_file":"audit.jsonl.0)"));
  Write(*Open(settings), 100);
  EXPECT_TRUE(IsWhole(place_.log()));
}

TEST_F(AuditFile, RotatesByAgeAlsoOfWhatARestartFinds) {
  config::Audit settings = Settings();
  settings.max_age = 1h;
  {
    const auto log = Open(settings);
    Write(*log, 2);
    clock_.Advance(59min);
    Write(*log, 1);
    EXPECT_EQ(RotatedFilesOf(place_.log()).size(), 0U);
  }
  clock_.Advance(1min);
  Write(*Open(settings), 1);
  EXPECT_EQ(RotatedFilesOf(place_.log()).size(), 1U);
  EXPECT_TRUE(IsWhole(place_.log()));
}

TEST_F(AuditFile, OldFilesAreRemovedAndTheRestIsStillWhole) {
  config::Audit settings = Settings();
  settings.max_size = 4096;
  settings.keep_files = 2;
  Write(*Open(settings), 100);
  EXPECT_EQ(RotatedFilesOf(place_.log()).size(), 2U);
  EXPECT_TRUE(IsWhole(place_.log()));
  EXPECT_FALSE(Summary().from_the_beginning);
  EXPECT_EQ(Summary().last_seq, Summary().first_seq + Summary().records - 1);
}

TEST_F(AuditFile, AFileThatWasKeptAndIsGoneIsMissed) {
  config::Audit settings = Settings();
  settings.max_size = 4096;
  settings.keep_files = 3;
  Write(*Open(settings), 100);
  const std::vector<std::string> files = RotatedFilesOf(place_.log());
  ASSERT_EQ(files.size(), 3U);
  std::filesystem::remove(files[0]);
  const Verified verified = testing::Verify(place_.log());
  ASSERT_TRUE(verified.problem);
  EXPECT_THAT(verified.problem->reason, HasSubstr("are missing, which the log kept"));
  std::filesystem::remove(files[1]);
  EXPECT_TRUE(testing::Verify(place_.log()).problem);
}

TEST_F(AuditFile, ARestartBetweenTheTwoRenamesOfARotationGoesOn) {
  Write(*Open(), 3);
  std::filesystem::rename(place_.log(), RotatedName(place_.log(), 1));
  testing::Put(place_.log() + ".new", "");
  Write(*Open(), 1);
  EXPECT_TRUE(IsWhole(place_.log()));
  EXPECT_EQ(Summary().events["call"], 4U);
}

TEST_F(AuditFile, UnderAKeyOnlyWhoHasItGoesOn) {
  config::Audit settings = Settings();
  settings.key = config::Secret("sixteen bytes ok");
  Write(*Open(settings), 2);
  EXPECT_TRUE(IsWhole(place_.log(), "sixteen bytes ok"));
  EXPECT_FALSE(IsWhole(place_.log(), "another key, too"));
  EXPECT_THAT(testing::Verify(place_.log()).problem->reason, HasSubstr("--key-file"));
  EXPECT_EQ(Open(), nullptr);
  EXPECT_THAT(problem_, HasSubstr("was written with another key or none"));
  settings.key = config::Secret("another key, too");
  EXPECT_EQ(Open(settings), nullptr);
}

// Whatever a full disk takes of what, and however often there is room again.
TEST_F(AuditFile, AFullDiskLosesNothing) {
  std::minstd_rand random(7);
  const testing::SmallDisk small;
  const auto log = Open(Settings(), small.disk());
  for (int round = 0; round < 200; ++round) {
    *small.room = static_cast<std::int64_t>(random() % 700);
    log->Append(Body(clock_, ++number_));
    const bool written = log->Flush().has_value();
    EXPECT_EQ(written, log->waiting() == 0);
  }
  *small.room = 1 << 30;
  EXPECT_TRUE(log->Flush());
  EXPECT_TRUE(IsWhole(place_.log()));
  EXPECT_EQ(Summary().events["call"], 200U);
}

TEST_F(AuditFile, WhatADiskDidNotTakeAnotherLogTakesOver) {
  const testing::SmallDisk small;
  const auto log = Open(Settings(), small.disk());
  EXPECT_TRUE(log->Flush());
  *small.room = 300;  // one record and a half
  for (int i = 0; i < 3; ++i) log->Append(Body(clock_, ++number_));
  EXPECT_FALSE(log->Flush());
  config::Audit other = Settings();
  other.path = place_.path() + "/other.jsonl";
  const auto next = Open(other);
  for (std::string& body : log->TakeUnsaved()) next->Append(std::move(body));
  EXPECT_TRUE(next->Flush());
  EXPECT_TRUE(IsWhole(other.path));
  EXPECT_EQ(testing::Verify(other.path).summary.events["call"], 2U);
  EXPECT_EQ(testing::Verify(place_.log()).summary.events["call"], 1U);
  EXPECT_TRUE(testing::Verify(place_.log()).torn);
}

}  // namespace
}  // namespace switchyard::audit
