#include "base/mailbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace switchyard {
namespace {

struct MailboxTest : ::testing::Test {
  net::io_context context{1};
  Mailbox<std::string> box;
  std::string seen;

  static Task<void> TakeOne(MailboxTest& test) {
    std::string value = co_await test.box.Take();
    test.seen += value;
  }
  static Task<void> TakeAll(MailboxTest& test) {
    for (;;) {
      std::string value = co_await test.box.Take();
      test.seen += value;
    }
  }
  TaskHandle Start(Task<void> task) {
    context.restart();
    return TaskHandle(context.get_executor(), "reader", std::move(task));
  }
};

TEST_F(MailboxTest, GivesWhatWasPutBefore) {
  box.Put("a");
  EXPECT_EQ(box.size(), 1U);
  const TaskHandle reader = Start(TakeOne(*this));
  context.poll();
  EXPECT_EQ(seen, "a");
  EXPECT_TRUE(box.empty());
}

TEST_F(MailboxTest, WakesAWaitingReaderButNotWithinPut) {
  const TaskHandle reader = Start(TakeOne(*this));
  context.poll();
  box.Put("a");
  EXPECT_EQ(seen, "");
  context.poll();
  EXPECT_EQ(seen, "a");
}

TEST_F(MailboxTest, KeepsTheOrderOfManyPuts) {
  const TaskHandle reader = Start(TakeAll(*this));
  context.poll();
  for (const char* text : {"a", "b", "c"}) box.Put(text);
  context.poll();
  box.Put("d");
  context.poll();
  EXPECT_EQ(seen, "abcd");
}

TEST_F(MailboxTest, ACancelledReaderTakesNothing) {
  TaskHandle reader = Start(TakeOne(*this));
  context.poll();
  net::post(context, [&] {
    reader.Cancel();
    box.Put("a");
  });
  context.poll();
  EXPECT_EQ(seen, "");
  EXPECT_EQ(box.size(), 1U);
  const TaskHandle next = Start(TakeOne(*this));
  context.poll();
  EXPECT_EQ(seen, "a");
}

TEST_F(MailboxTest, ACancelRightAfterAPutLosesNoValueForAnotherReader) {
  TaskHandle reader = Start(TakeAll(*this));
  context.poll();
  net::post(context, [&] {
    box.Put("a");
    box.Put("b");
    reader.Cancel();  // the wake-up of "a" is under way already
  });
  context.poll();
  EXPECT_EQ(seen.size() + box.size(), 2U);
  const TaskHandle next = Start(TakeAll(*this));
  context.poll();
  EXPECT_EQ(seen, "ab");
}

TEST_F(MailboxTest, CarriesValuesThatCanOnlyBeMoved) {
  Mailbox<std::unique_ptr<int>> moving;
  int got = 0;
  moving.Put(std::make_unique<int>(7));
  Spawn(context.get_executor(), "reader",
        [](Mailbox<std::unique_ptr<int>>& from, int& to) -> Task<void> {
          std::unique_ptr<int> value = co_await from.Take();
          to = *value;
        }(moving, got));
  context.poll();
  EXPECT_EQ(got, 7);
}

}  // namespace
}  // namespace switchyard
