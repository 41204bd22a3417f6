// Writers that become tasks, whatever dialect the client and the server speak.
#include <string>

#include "flow/tasks.h"

namespace switchyard::tests {
namespace {

class CachedTasks : public TaskMatrix {
 protected:
  void SetUp() override {
    gateway.With("policies", "{cache: {ttl: 1h, allow: [echo]}}");
    const std::string writes = "{cache: {ttl: 0s, invalidates: [echo]}}";
    keys = "tool_policies: {job: " + writes + ", must: " + writes + "}";
    TaskMatrix::SetUp();
  }
  std::string Echo() {
    const Answer answer = client->Call("a__echo", R"({"text":"x"})");
    return TextAt(answer.message(), "/result/_meta/switchyard~1cache/status");
  }
};
INSTANTIATE_TEST_SUITE_P(All, CachedTasks, AllCombinations(), NameOf);

TEST_P(CachedTasks, DropWhatTheyMayHaveChangedWhenTheyBeginAndWhenTheyEnd) {
  EXPECT_EQ(Echo(), "miss");
  EXPECT_EQ(Echo(), "hit");
  const std::string id = Start("job", "x");
  EXPECT_EQ(Echo(), "miss");
  Release("x");
  EXPECT_EQ(Echo(), "hit") << "nobody was told of its end yet";
  ASSERT_TRUE(Becomes(id, "completed"));
  EXPECT_EQ(Echo(), "miss");
  EXPECT_EQ(Echo(), "hit");
}

}  // namespace
}  // namespace switchyard::tests
