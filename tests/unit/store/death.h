// Faults that happen to the whole process: they happen to a child of the test.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

#include <gtest/gtest.h>

namespace switchyard::store {

class DeathTest : public testing::Test {
 protected:
  DeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// A directory of the test and its child, which runs the test from its beginning in a process of its
// own: it finds the place in this variable.
class SharedPlace {
 public:
  explicit SharedPlace(const char* variable) : variable_(variable) {
    if (const char* known = std::getenv(variable)) {
      path = known;
      return;
    }
    std::string name = std::filesystem::temp_directory_path() / "switchyard-store-XXXXXX";
    setenv(variable, mkdtemp(name.data()), 1);
    path = name;
  }
  SharedPlace(const SharedPlace&) = delete;
  ~SharedPlace() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
    unsetenv(variable_);
  }

  std::string path;

 private:
  const char* const variable_;
};

// A file can grow no further than this many bytes; 0 = as it likes. As a disk that is full.
inline void LimitFiles(rlim_t bytes) {
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
  setrlimit(RLIMIT_FSIZE, &limit);
}

// Of the child: what does not hold ends it.
#define MUST(condition)                                          \
  if (!(condition)) {                                            \
    std::fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
    std::_Exit(1);                                               \
  }

}  // namespace switchyard::store
