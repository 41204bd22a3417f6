#include "store/approval_file.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::store {
namespace {

using approvals::Approval;
using ::testing::HasSubstr;

class ApprovalFileTest : public ::testing::Test {
 protected:
  ApprovalFileTest() {
    std::string name = ::testing::TempDir() + "approvals-XXXXXX";
    directory = mkdtemp(name.data());
  }
  ~ApprovalFileTest() override { std::filesystem::remove_all(directory); }

  std::string path() const { return directory + "/approvals.db"; }
  std::unique_ptr<ApprovalFile> Open() {
    Result<std::unique_ptr<ApprovalFile>> file = ApprovalFile::Open(path());
    EXPECT_TRUE(file) << file.error().message;
    return file ? std::move(*file) : nullptr;
  }
  static Approval Make(char id) {
    return {.id = std::string(32, id), .request = {.subject = "ada"}};
  }
  static std::vector<std::string> Load(ApprovalFile& file) {
    std::vector<std::string> all;
    const Result<void> loaded = file.Load([&all](const Approval& approval) {
      all.push_back(approval.id.substr(0, 1) + std::string(ToString(approval.state)));
    });
    EXPECT_TRUE(loaded) << loaded.error().message;
    return all;
  }

  std::string directory;
};

TEST_F(ApprovalFileTest, KeepsWhatWasPutAndForgetsWhatWasErasedOrUsed) {
  {
    const auto file = Open();
    for (const char id : {'a', 'b', 'c'}) ASSERT_TRUE(file->Put(Make(id)));
    Approval denied = Make('a');
    denied.state = approvals::State::kDenied;
    ASSERT_TRUE(file->Put(denied));
    ASSERT_TRUE(file->Erase(Make('b').id));
  }
  const auto file = Open();
  EXPECT_THAT(Load(*file), ::testing::ElementsAre("adenied", "cpending"));
  ASSERT_TRUE(file->Use(Make('c').id));
  EXPECT_THAT(Load(*Open()), ::testing::ElementsAre("adenied"));
}

TEST_F(ApprovalFileTest, IsForThisUserAlone) {
  const auto file = Open();
  struct stat info{};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(ApprovalFileTest, WhatIsNoneIsRefusedAndSaysSo) {
  std::ofstream(path()) << std::string(4096, 'x');
  const auto file = ApprovalFile::Open(path());
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("approvals.db"));
  EXPECT_FALSE(ApprovalFile::Inspect(path()));
}

TEST_F(ApprovalFileTest, ARowThatMakesNoSenseIsRefused) {
  {
    const auto file = Open();
    ASSERT_TRUE(file->Put(Make('a')));
  }
  Result<sqlite::Database> database = sqlite::Database::Open(path(), {});
  ASSERT_TRUE(database);
  ASSERT_TRUE(database->Execute("UPDATE approval SET body = '{}'"));
  const auto file = Open();
  EXPECT_FALSE(file->Load([](const Approval&) {}));
}

}  // namespace
}  // namespace switchyard::store
