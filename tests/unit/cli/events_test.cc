#include "cli/events.h"

#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace switchyard::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// A directory with a file `switchyard.yaml`, gone afterwards; and the signal mask as it was.
class EventsTest : public testing::Test {
 protected:
  EventsTest() {
    pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
    std::string name = fs::temp_directory_path() / "switchyard-events-XXXXXX";
    directory_ = mkdtemp(name.data());
    file_ = directory_ / "switchyard.yaml";
    Write(file_, "one");
  }
  ~EventsTest() override {
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }

  static void Write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

  sigset_t mask_{};
  fs::path directory_, file_;
};

TEST_F(EventsTest, TellSignalsApart) {
  Events events;
  std::raise(SIGHUP);
  EXPECT_EQ(events.Next(), Event::kReload);
  std::raise(SIGTERM);
  EXPECT_EQ(events.Next(), Event::kStop);
  std::raise(SIGINT);
  EXPECT_EQ(events.Next(), Event::kStop);
}

TEST_F(EventsTest, WakeFromAnotherThread) {
  Events events;
  std::thread other([&events] { events.Wake(); });
  EXPECT_EQ(events.Next(), Event::kWoken);
  other.join();
}

TEST_F(EventsTest, SeeAFileThatIsWrittenInPlace) {
  Events events(milliseconds(1));
  events.WatchFile(file_);
  Write(file_, "two");
  EXPECT_EQ(events.Next(), Event::kReload);
}

TEST_F(EventsTest, SeeSeveralFiles) {
  const fs::path other = directory_ / "tls.crt";
  Write(other, "one");
  Events events(milliseconds(1));
  events.WatchFile(file_);
  events.WatchFile(other);
  for (const fs::path& file : {other, file_, other}) {
    Write(file, "two");
    EXPECT_EQ(events.Next(), Event::kReload);
  }
}

TEST_F(EventsTest, SeeAFileThatIsReplacedAndReplacedAgain) {
  Events events(milliseconds(1));
  events.WatchFile(file_);
  for (int i = 0; i < 2; ++i) {
    Write(directory_ / "new", "two");
    fs::rename(directory_ / "new", file_);
    EXPECT_EQ(events.Next(), Event::kReload);
  }
}

TEST_F(EventsTest, SeeTheTargetOfALinkAndTheTurnedLinkOfAMountedDirectory) {
  fs::create_directory(directory_ / "v1");
  Write(directory_ / "v1" / "real.yaml", "one");
  fs::create_symlink("v1", directory_ / "..data");
  const fs::path link = directory_ / "link.yaml";
  fs::create_symlink("..data/real.yaml", link);
  Events events(milliseconds(1));
  events.WatchFile(link);
  Write(directory_ / "v1" / "real.yaml", "two");
  EXPECT_EQ(events.Next(), Event::kReload);
  fs::create_symlink("v1", directory_ / "..tmp");
  fs::rename(directory_ / "..tmp", directory_ / "..data");
  EXPECT_EQ(events.Next(), Event::kReload);
}

TEST_F(EventsTest, FollowALinkThatIsTurnedToAnotherDirectory) {
  const fs::path link = directory_ / "link.yaml";
  for (const char* version : {"v1", "v2"}) {
    fs::create_directory(directory_ / version);
    Write(directory_ / version / "real.yaml", "one");
  }
  fs::create_symlink("v1/real.yaml", link);
  Events events(milliseconds(1));
  events.WatchFile(link);
  fs::create_symlink("v2/real.yaml", directory_ / "new");
  fs::rename(directory_ / "new", link);
  EXPECT_EQ(events.Next(), Event::kReload);
  Write(directory_ / "v2" / "real.yaml", "two");
  EXPECT_EQ(events.Next(), Event::kReload);
}

TEST_F(EventsTest, IgnoreOtherFilesOfTheDirectory) {
  Events events(milliseconds(0));
  events.WatchFile(file_);
  Write(directory_ / "other.yaml", "x");
  Write(directory_ / "switchyard.yaml.swp", "x");
  events.Wake();
  EXPECT_EQ(events.Next(), Event::kWoken);  // a change would have come first
}

TEST_F(EventsTest, MakeOneReloadOfManyChanges) {
  Events events(milliseconds(0));
  events.WatchFile(file_);
  for (int i = 0; i < 5; ++i) Write(file_, std::to_string(i));
  EXPECT_EQ(events.Next(), Event::kReload);
  events.Wake();
  EXPECT_EQ(events.Next(), Event::kWoken);  // another reload would have come first
}

TEST_F(EventsTest, LetASignalOvertakeAChangeThatSettles) {
  Events events(std::chrono::hours(1));
  events.WatchFile(file_);
  Write(file_, "two");
  std::thread other([] { kill(getpid(), SIGTERM); });
  EXPECT_EQ(events.Next(), Event::kStop);
  other.join();
}

TEST_F(EventsTest, WorkWithoutADirectoryToWatch) {
  Events events;
  events.WatchFile(directory_ / "gone" / "switchyard.yaml");
  std::raise(SIGHUP);
  EXPECT_EQ(events.Next(), Event::kReload);
}

}  // namespace
}  // namespace switchyard::cli
