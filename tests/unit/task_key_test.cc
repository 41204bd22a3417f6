// The key of ids of tasks.
#include "task_key.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temp_dir.h"
#include "unit/downstream/loop.h"

namespace switchyard {
namespace {

using ::testing::HasSubstr;
using tests::TempDir;
namespace fs = std::filesystem;

TEST(TaskKey, IsTheSameAfterARestartWhereThereIsADirectory) {
  const TempDir dir;
  const auto key = TaskKeyIn(dir.Path(""));
  ASSERT_TRUE(key.has_value()) << key.error().message;
  EXPECT_EQ(*TaskKeyIn(dir.Path("")), *key);
  EXPECT_NE(*TaskKeyIn(""), *key);
  EXPECT_NE(*TaskKeyIn(""), *TaskKeyIn(""));
  EXPECT_EQ(fs::status(dir.Path("task_ids.key")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST(TaskKey, WhatIsNoneIsRefusedWithWhatToDo) {
  const TempDir dir;
  ASSERT_TRUE(TaskKeyIn(dir.Path("")).has_value());
  fs::permissions(dir.Path("task_ids.key"), fs::perms::group_read, fs::perm_options::add);
  EXPECT_THAT(TaskKeyIn(dir.Path("")).error().message, HasSubstr("chmod 600"));
  fs::remove(dir.Path("task_ids.key"));
  fs::create_symlink(dir.Path("elsewhere"), dir.Path("task_ids.key"));
  EXPECT_THAT(TaskKeyIn(dir.Path("")).error().message, HasSubstr("task_ids.key"));
  EXPECT_FALSE(fs::exists(dir.Path("elsewhere")));
}

TEST(TaskKey, OneThatIsCutIsRefused) {
  TempDir dir;
  dir.Write("task_ids.key", "short");
  fs::permissions(dir.Path("task_ids.key"), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_THAT(TaskKeyIn(dir.Path("")).error().message, HasSubstr("is no key; remove it"));
}

}  // namespace
}  // namespace switchyard
