#include "credentials/vault.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::credentials {
namespace {

using config::Secret;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

const std::string kOld(64, 'a');  // as hexadecimal digits
const std::string kNew(64, 'b');

KeyRing Keys(const std::vector<std::string>& texts) {
  std::vector<Secret> secrets;
  for (const std::string& text : texts) secrets.emplace_back(text);
  return KeyRing::Read("credentials.keys", secrets).value();
}

class VaultTest : public testing::Test {
 protected:
  VaultTest() {
    std::string pattern = (fs::temp_directory_path() / "vault_test_XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~VaultTest() override { fs::remove_all(root_); }

  std::string directory() const { return (root_ / "vault").string(); }
  Result<Vault> Open(const std::vector<std::string>& keys = {kOld}) const {
    return Vault::Open(directory(), Keys(keys));
  }
  std::vector<fs::path> Files(const std::string& suffix = ".secret") const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(directory())) {
      if (entry.path().string().ends_with(suffix)) files.push_back(entry.path());
    }
    return files;
  }
  static std::string Text(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  fs::path root_;
  const Label alice_{"https://as.example", "issuer alice", "github", "token"};
  const Label bob_{"https://as.example", "issuer bob", "github", "token"};
};

TEST_F(VaultTest, KeepsASecretForTheNextProcess) {
  {
    Vault vault = Open().value();
    ASSERT_TRUE(vault.Put(alice_, "the refresh token"));
    EXPECT_EQ(vault.Get(alice_), "the refresh token");
  }
  const Vault again = Open().value();
  EXPECT_EQ(again.Get(alice_), "the refresh token");
  EXPECT_EQ(again.Get(bob_), std::nullopt);
  EXPECT_EQ(again.size(), 1U);
}

TEST_F(VaultTest, NothingIsReadableInTheFiles) {
  Vault vault = Open().value();
  ASSERT_TRUE(vault.Put(alice_, "the refresh token"));
  ASSERT_EQ(Files().size(), 1U);
  for (const std::string part : {"refresh", "alice", "github", "as.example"}) {
    EXPECT_THAT(Text(Files().front()), Not(HasSubstr(part)));
    EXPECT_THAT(Files().front().string(), Not(HasSubstr(part)));
  }
}

TEST_F(VaultTest, OnlyItsUserMayReadIt) {
  fs::create_directory(directory());
  fs::permissions(directory(), fs::perms::all);
  Vault vault = Open().value();
  ASSERT_TRUE(vault.Put(alice_, "x"));
  struct stat info{};
  ASSERT_EQ(::stat(directory().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  ASSERT_EQ(::stat(Files().front().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(VaultTest, AWrongKeyIsAnErrorThatSaysWhatToDo) {
  {
    ASSERT_TRUE(Open().value().Put(alice_, "x"));
  }
  const Result<Vault> other = Open({kNew});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("credentials.keys: the vault"));
  EXPECT_THAT(other.error().message, HasSubstr("put it back behind the new one"));
  EXPECT_THAT(other.error().message, Not(HasSubstr(kOld)));
}

TEST_F(VaultTest, AWrongKeyIsSeenWhereNothingWasKeptYet) {
  {
    ASSERT_TRUE(Open());
  }
  EXPECT_FALSE(Open({kNew}));
}

TEST_F(VaultTest, AKeyIsReplacedByPuttingANewOneInFront) {
  {
    Vault vault = Open().value();
    ASSERT_TRUE(vault.Put(alice_, "a"));
    ASSERT_TRUE(vault.Put(bob_, "b"));
  }
  EXPECT_EQ(Open({kNew, kOld}).value().rewritten(), 2U);
  EXPECT_EQ(Open({kNew, kOld}).value().rewritten(), 0U);
  const Vault rotated = Open({kNew}).value();
  EXPECT_EQ(rotated.Get(alice_), "a");
  EXPECT_EQ(rotated.Get(bob_), "b");
  EXPECT_FALSE(Open({kOld}));
}

// As after a kill -9 in the middle of a rotation.
TEST_F(VaultTest, AHalfDoneRotationStillNeedsTheOldKey) {
  {
    Vault vault = Open().value();
    ASSERT_TRUE(vault.Put(alice_, "a"));
    ASSERT_TRUE(vault.Put(bob_, "b"));
  }
  const std::string old = Text(Files().front());
  const fs::path where = Files().front();
  {
    ASSERT_TRUE(Open({kNew, kOld}));
  }
  std::ofstream(where) << old;
  EXPECT_FALSE(Open({kNew}));
  EXPECT_EQ(Open({kNew, kOld}).value().size(), 2U);
}

TEST_F(VaultTest, TheKeyIsReplacedWhileItIsInUse) {
  Vault vault = Open().value();
  ASSERT_TRUE(vault.Put(alice_, "a"));
  EXPECT_FALSE(vault.Use(Keys({kNew})));
  EXPECT_EQ(vault.Get(alice_), "a");
  ASSERT_TRUE(vault.Use(Keys({kNew, kOld})));
  EXPECT_EQ(vault.Get(alice_), "a");
  EXPECT_EQ(vault.rewritten(), 1U);
}

TEST_F(VaultTest, IsOneGatewaysAtATime) {
  {
    const Vault vault = Open().value();
    const Result<Vault> second = Open();
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("another gateway uses it"));
  }
  EXPECT_TRUE(Open());
}

TEST_F(VaultTest, AFileUnderAnothersNameDoesNotOpen) {
  {
    Vault vault = Open().value();
    ASSERT_TRUE(vault.Put(alice_, "alice's"));
    ASSERT_TRUE(vault.Put(bob_, "bob's"));
  }
  const auto files = Files();
  fs::copy_file(files[0], files[1], fs::copy_options::overwrite_existing);
  const Result<Vault> vault = Open();
  ASSERT_FALSE(vault);
  EXPECT_THAT(vault.error().message, HasSubstr("was changed, or belongs under another name"));
  EXPECT_THAT(vault.error().message, Not(HasSubstr("alice")));
}

TEST_F(VaultTest, EveryChangedByteIsFound) {
  {
    ASSERT_TRUE(Open().value().Put(alice_, "a"));
  }
  const fs::path file = Files().front();
  const std::string good = Text(file);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'x' ? 'y' : 'x';
    std::ofstream(file) << bad;
    EXPECT_FALSE(Open()) << i;
  }
  std::ofstream(file) << good;
  EXPECT_TRUE(Open());
}

TEST_F(VaultTest, WhatAWriteThatWasCutOffLeftIsCleanedUp) {
  {
    ASSERT_TRUE(Open().value().Put(alice_, "a"));
  }
  std::ofstream(Files().front().string() + ".new") << "half";
  EXPECT_EQ(Open().value().Get(alice_), "a");
  EXPECT_TRUE(Files(".new").empty());
}

TEST_F(VaultTest, ErasedIsErasedFromTheDisk) {
  {
    Vault vault = Open().value();
    ASSERT_TRUE(vault.Put(alice_, "a"));
    ASSERT_TRUE(vault.Erase(alice_));
    ASSERT_TRUE(vault.Erase(alice_));
    EXPECT_EQ(vault.Get(alice_), std::nullopt);
  }
  EXPECT_TRUE(Files().empty());
  EXPECT_EQ(Open().value().size(), 0U);
}

TEST_F(VaultTest, TooMuchIsRefused) {
  Vault vault = Open().value();
  EXPECT_FALSE(vault.Put(alice_, std::string(Vault::kMostBytes + 1, 'x')));
  Label large = alice_;
  large.principal = std::string(10'000, 'x');
  EXPECT_FALSE(vault.Put(large, "x"));
}

TEST_F(VaultTest, InMemoryNothingIsWritten) {
  Vault vault = Vault::InMemory();
  ASSERT_TRUE(vault.Put(alice_, "a"));
  EXPECT_EQ(vault.Get(alice_), "a");
  EXPECT_FALSE(fs::exists(directory()));
}

TEST(VaultKeys, AreThirtyTwoBytesInEitherSpelling) {
  EXPECT_TRUE(ReadRingKey(kOld));
  EXPECT_TRUE(ReadRingKey(std::string(43, 'A') + "="));
  EXPECT_TRUE(ReadRingKey(std::string(43, 'A') + "\n"));
  EXPECT_FALSE(ReadRingKey("correct horse battery staple"));
  EXPECT_FALSE(ReadRingKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")) << "of the examples";
  EXPECT_FALSE(ReadRingKey(std::string(64, 'g')));
  EXPECT_FALSE(ReadRingKey(""));
}

TEST(VaultKeys, SayWhichOneIsWrongAndNotWhatItIs) {
  const Result<KeyRing> bad =
      KeyRing::Read("credentials.keys", {Secret(kOld), Secret("my password")});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("credentials.keys[1]"));
  EXPECT_THAT(bad.error().message, Not(HasSubstr("password")));
  EXPECT_FALSE(KeyRing::Read("credentials.keys", {Secret(kOld), Secret(kOld)}));
  EXPECT_FALSE(KeyRing::Read("credentials.keys", {}));
}

TEST(VaultLabel, NoTwoReadAlike) {
  EXPECT_NE(LabelText({"a", "bc", "", ""}), LabelText({"ab", "c", "", ""}));
  const Label odd{"1:", ":2", "3:x", ""};
  EXPECT_EQ(ReadLabel(LabelText(odd)), odd);
  for (const char* bad : {"", "1", "1:", "9:a", "1:a1:b1:c1:d1:e", "1:a1:b1:c", "-1:"}) {
    EXPECT_EQ(ReadLabel(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace switchyard::credentials
