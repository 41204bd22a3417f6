#include "downstream/launcher.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <gtest/gtest.h>

#include "support/paths.h"
#include "support/temp_dir.h"
#include "unit/downstream/loop.h"

namespace switchyard::downstream {
namespace {

class LauncherTest : public ::testing::Test {
 protected:
  Launcher Make(std::vector<std::string> environment) {
    return Launcher({.own_binary = ::switchyard::paths::SwitchyardBinary(),
                     .environment = std::move(environment)});
  }
  // What a child writes to stdout until it ends.
  std::string OutputOf(Launcher& launcher, ProgramSpec spec) {
    spec.server = "x";
    Result<Launched> launched = launcher.Launch(spec);
    if (!launched) return "failed: " + launched.error().message;
    std::string output;
    char bytes[4096];
    for (ssize_t got; (got = ::read(launched->output.get(), bytes, sizeof bytes)) > 0;) {
      output.append(bytes, static_cast<std::size_t>(got));
    }
    ::waitpid(launched->pid, nullptr, 0);
    launcher.guardian().Unwatch(launched->pid);
    return output;
  }
  std::string MessageFor(ProgramSpec spec) {
    Launcher launcher = Make({"PATH=" + dir_.Path("bin")});
    spec.server = "x";
    Result<Launched> launched = launcher.Launch(spec);
    return launched ? "" : launched.error().message;
  }

  tests::TempDir dir_;
};

TEST_F(LauncherTest, SaysWhatToDoAboutAProgramThatIsNotThere) {
  EXPECT_EQ(MessageFor({.command = "npx"}),
            "servers.x.command: not found: npx; install it or give the full path");
  EXPECT_EQ(MessageFor({.command = "/nowhere/npx"}), "servers.x.command: not found: /nowhere/npx");
}

TEST_F(LauncherTest, NamesAFileThatIsNoProgram) {
  const std::string path = dir_.Write("plain", "text");
  EXPECT_EQ(MessageFor({.command = path}), "servers.x.command: not executable: " + path);
}

TEST_F(LauncherTest, NamesAWorkingDirectoryThatIsNone) {
  const std::string file = dir_.Write("plain", "text");
  EXPECT_EQ(MessageFor({.command = "/bin/sh", .cwd = file}),
            "servers.x.cwd: not a directory: " + file);
}

TEST_F(LauncherTest, NamesAProgramWhoseInterpreterIsMissing) {
  const std::string path = dir_.Write("script", "#!/nowhere/interpreter\n", true);
  EXPECT_EQ(MessageFor({.command = path}),
            "servers.x.command: cannot run " + path + ": No such file or directory");
}

TEST_F(LauncherTest, FindsProgramsOnThePathOfTheChild) {
  dir_.Write("greet", "#!/bin/sh\nprintf 'hello %s' \"$1\"\n", true);
  Launcher launcher = Make({"PATH=/nowhere"});
  EXPECT_EQ(OutputOf(launcher, {.command = "greet",
                                .arguments = {"world of spaces"},
                                .environment = {{"PATH", dir_.Path("") + ":/bin:/usr/bin"}}}),
            "hello world of spaces");
}

TEST_F(LauncherTest, RunsRelativeProgramsInTheConfiguredDirectory) {
  dir_.Write("here", "#!/bin/sh\npwd -P\n", true);
  Launcher launcher = Make({"PATH=/bin:/usr/bin"});
  EXPECT_EQ(OutputOf(launcher, {.command = "./here", .cwd = dir_.Path("")}),
            std::filesystem::canonical(dir_.Path("")).string() + "\n");
}

TEST_F(LauncherTest, KeepsTheGatewaysSecretsFromChildren) {
  Launcher launcher = Make({"PATH=/bin:/usr/bin", "HOME=/home/x", "API_TOKEN=secret", "LC_ALL=C"});
  const std::string seen = OutputOf(
      launcher, {.command = "env", .environment = {{"MINE", "1"}, {"HOME", "/elsewhere"}}});
  EXPECT_TRUE(seen.contains("MINE=1\n")) << seen;
  EXPECT_TRUE(seen.contains("HOME=/elsewhere\n")) << seen;
  EXPECT_TRUE(seen.contains("LC_ALL=C\n")) << seen;
  EXPECT_FALSE(seen.contains("secret")) << seen;
}

TEST_F(LauncherTest, GivesChildrenASessionOfTheirOwnAndNoStrayDescriptors) {
  Launcher launcher = Make({"PATH=/bin:/usr/bin"});
  // A descriptor that a library forgot to mark close-on-exec.
  const Fd stray(::fcntl(STDERR_FILENO, F_DUPFD, 100));
  // The shell's $$ is its pid; field 5 of stat is the process group, field 6 the session.
  const std::string seen =
      OutputOf(launcher, {.command = "/bin/sh",
                          .arguments = {"-c",
                                        "read -r _ _ _ _ group session rest < /proc/$$/stat; "
                                        "[ $group = $$ ] && [ $session = $$ ] && printf own; "
                                        "ls /proc/$$/fd | tr '\\n' ' '"}});
  EXPECT_TRUE(seen.starts_with("own0 1 2 ")) << seen;
  EXPECT_FALSE(seen.contains(" " + std::to_string(stray.get()) + " ")) << seen;
}

}  // namespace
}  // namespace switchyard::downstream
