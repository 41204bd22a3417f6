#include "base/mailbox.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

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

TEST_F(MailboxTest, PutAndRunRunsAWaitingReaderWhichMayTakeTheMailboxAlong) {
  auto own = std::make_unique<Mailbox<std::string>>();
  const TaskHandle reader =
      Start([](std::unique_ptr<Mailbox<std::string>>& from, std::string& to) -> Task<void> {
        std::string value = co_await from->Take();
        from = nullptr;
        to += value;
      }(own, seen));
  context.poll();
  net::post(context, [&] {
    own->PutAndRun("a");
    seen += '.';
  });
  context.poll();
  EXPECT_EQ(seen, "a.");
  box.PutAndRun("b");  // nobody waits: as Put()
  const TaskHandle next = Start(TakeOne(*this));
  context.poll();
  EXPECT_EQ(seen, "a.b");
}

TEST_F(MailboxTest, KeepsTheOrderOfALongQueueThatIsReadWhileItGrows) {
  std::string expected;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 5; ++i) {
      const std::string value = std::to_string(round * 5 + i) + ",";
      expected += value;
      box.Put(value);
    }
    for (int i = 0; i < 3; ++i) {
      const TaskHandle reader = Start(TakeOne(*this));
      context.poll();
    }
  }
  EXPECT_EQ(box.size(), 100U);
  const TaskHandle reader = Start(TakeAll(*this));
  context.poll();
  EXPECT_EQ(seen, expected);
  EXPECT_TRUE(box.empty());
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

TEST_F(MailboxTest, AReaderOfAMailboxThatGoesAwayIsCancelled) {
  auto other = std::make_unique<Mailbox<std::string>>();
  TaskHandle reader = Start([](Mailbox<std::string>& from, std::string& to) -> Task<void> {
    struct Leaving {
      std::string& to;
      ~Leaving() { to += "left"; }
    };
    const Leaving leaving{to};
    co_await from.Take();
    to += "took";
  }(*other, seen));
  context.poll();
  other = nullptr;
  reader.Cancel();
  context.poll();
  EXPECT_EQ(seen, "left");
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
