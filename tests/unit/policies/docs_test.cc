// Every YAML example in docs/policies/ is a configuration that loads, and the first of each page is
// run by some test.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/environment.h"
#include "config/load.h"
#include "policies/registry.h"
#include "support/doc_examples.h"
#include "support/paths.h"

namespace switchyard::policies {
namespace {

TEST(PolicyDocs, EveryExampleLoads) {
  int loaded = 0;
  for (const auto& page :
       std::filesystem::directory_iterator(::switchyard::paths::SourceDir() + "/docs/policies")) {
    const std::string name = page.path().filename();
    const std::vector<std::string> examples = tests::ExamplesOf(page.path());
    EXPECT_FALSE(examples.empty()) << name << " has no example";
    for (std::string text : examples) {
      // A page may show policies alone.
      if (("\n" + text).find("\nservers:") == std::string::npos) text += "servers: {}\n";
      const config::LoadResult result =
          config::LoadText(text, name, PolicyKeys(), config::ProcessEnvironment());
      EXPECT_TRUE(result) << result.error().front().ToString() << "\n" << text;
      ++loaded;
    }
  }
  EXPECT_GT(loaded, 0);
}

// All that the tests of policies say.
std::string Sources() {
  std::ostringstream all;
  for (const char* folder : {"/tests/flow", "/tests/unit/policies"}) {
    for (const auto& file :
         std::filesystem::directory_iterator(::switchyard::paths::SourceDir() + folder)) {
      if (file.path().filename() != "docs_test.cc") all << std::ifstream(file.path()).rdbuf();
    }
  }
  return all.str();
}

TEST(PolicyDocs, EveryPageHasAnExampleThatATestRuns) {
  const std::string sources = Sources();
  const auto runs = [&sources](const std::string& page) {
    for (const std::string& words :
         {"FromPolicyPage(\"" + page + "\", 0,", "ExampleOf(\"" + page + "\")",
          "/docs/policies/" + page + ".md"}) {
      if (sources.find(words) != std::string::npos) return true;
    }
    return false;
  };
  std::set<std::string> pages;
  for (const auto& page :
       std::filesystem::directory_iterator(::switchyard::paths::SourceDir() + "/docs/policies")) {
    pages.insert(page.path().stem());
    EXPECT_TRUE(runs(page.path().stem())) << page.path() << ": no test runs its first example";
  }
  EXPECT_FALSE(runs("nothing"));
  for (const config::PolicyKey& key : PolicyKeys()) {
    EXPECT_TRUE(pages.contains(key.name)) << key.name << " has no page";
  }
}

}  // namespace
}  // namespace switchyard::policies
