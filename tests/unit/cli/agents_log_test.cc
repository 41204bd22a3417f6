// The judge of the agents' logs: a judge that never finds anything proves nothing.
#include "support/agents_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::tests {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using enum LogEntry::What;

LogEntry Saw(const std::string& status, const std::string& result = "r") {
  return {.what = kSaw, .task = "t", .words = result, .status = status};
}

// Agent 0 creates t and looks at it in the end, agent 1 does it.
class AgentsLog : public testing::Test {
 protected:
  std::vector<std::string> Verdict() const { return WhatIsWrong({creator, worker}); }

  AgentLog creator = {{.what = kCreated, .task = "t", .words = "k"},
                      Saw("completed"),
                      {.what = kCounted, .fence = 1}};
  AgentLog worker = {{.what = kClaimed, .task = "t", .fence = 1},
                     {.what = kCompleting, .task = "t", .words = "r"},
                     {.what = kCompleted, .task = "t", .fence = 1, .words = "r"}};
};

TEST_F(AgentsLog, OfAnOrdinaryLifeIsFine) { EXPECT_THAT(Verdict(), IsEmpty()); }

TEST_F(AgentsLog, OfCallsThatWereNotAnsweredIsFine) {
  worker = {{.what = kClaimed, .task = "t", .fence = 1},
            {.what = kGivingBack, .task = "t"},
            {.what = kFoundAgain, .task = "t", .fence = 3},
            {.what = kCompleting, .task = "t", .words = "r"}};
  creator.push_back({.what = kCreated, .task = "t", .words = "k"});
  EXPECT_THAT(Verdict(), IsEmpty());
}

TEST_F(AgentsLog, TellsOfATaskThatIsLost) {
  creator[1] = Saw("", "");
  EXPECT_THAT(Verdict(), ElementsAre("t is lost"));
  creator.erase(creator.begin() + 1);
  EXPECT_THAT(Verdict(), ElementsAre("t was looked at by nobody"));
}

TEST_F(AgentsLog, TellsOfAMoveThatIsLost) {
  creator[1] = Saw("in_progress", "");
  EXPECT_THAT(Verdict(), ElementsAre("t is in_progress, and nobody has it"));
  creator[1] = Saw("completed", "other");
  EXPECT_THAT(Verdict(), ElementsAre("t has a result that nobody gave: other"));
  worker.push_back({.what = kCompleting, .task = "t", .words = "other"});
  EXPECT_THAT(Verdict(), ElementsAre("t was completed with r and has other"));
}

TEST_F(AgentsLog, TellsOfATaskThatWasGivenOutTwice) {
  creator.push_back({.what = kClaimed, .task = "t", .fence = 1});
  EXPECT_THAT(Verdict(),
              ElementsAre("t was given out twice under fence 1", "t had two agents under fence 1",
                          "t was given out 2 times and given back 0 times"));
  creator.back() = {.what = kFoundAgain, .task = "t", .fence = 1};
  EXPECT_THAT(Verdict(), ElementsAre("t had two agents under fence 1"));
  creator.back() = {.what = kClaimed, .task = "t", .fence = 2};
  EXPECT_THAT(Verdict(), ElementsAre("t was given out after it was completed",
                                     "t was given out 2 times and given back 0 times"));
}

TEST_F(AgentsLog, TellsOfWhatWasDoneTwice) {
  worker.push_back(worker.back());
  EXPECT_THAT(Verdict(), ElementsAre("t was completed twice"));
  worker.pop_back();
  creator.push_back({.what = kCreated, .task = "t", .words = "other"});
  creator[2].fence = 2;
  EXPECT_THAT(Verdict(), ElementsAre("t was made for two keys"));
}

TEST_F(AgentsLog, TellsOfTasksThatNobodyAskedFor) {
  creator[2].fence = 2;
  EXPECT_THAT(Verdict(), ElementsAre("there are 2 tasks, and 1 were asked for"));
  creator.pop_back();
  EXPECT_THAT(Verdict(), ElementsAre("nobody counted the tasks"));
}

TEST_F(AgentsLog, TellsOfRefusals) {
  worker.push_back({.what = kRefused, .words = "no"});
  EXPECT_THAT(Verdict(), ElementsAre("agent 1 was refused: no"));
}

}  // namespace
}  // namespace switchyard::tests
