// Every YAML example in docs/policies/ is a configuration that loads.
#include <filesystem>
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

}  // namespace
}  // namespace switchyard::policies
