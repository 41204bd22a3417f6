// What is kept for clients that lost their stream, and for how long.
#include "edge/event_store.h"

#include <gtest/gtest.h>

namespace switchyard::edge {
namespace {

using Batch = EventStore::Batch;
using Then = Batch::Then;
using std::chrono::minutes;

struct EventStoreTest : ::testing::Test {
  ManualClock clock;
  EventStore::Limits limits{.stream_bytes = 10'000, .total_bytes = 30'000};
  std::unique_ptr<EventStore> store = std::make_unique<EventStore>(3, clock, limits);
  int taken = 0, expired = 0;

  std::unique_ptr<EventStore::Stream> Open(const std::string& session = "s") {
    return store->Open(session, EventId::Kind::kCall, [this] { ++taken; }, [this] { ++expired; });
  }
  // What a reader is told; nullopt: he waits.
  struct Told {
    std::optional<Batch> batch;
    std::vector<std::string> texts() const {
      std::vector<std::string> texts;
      for (const auto& [number, text] : batch->events) texts.push_back(text);
      return texts;
    }
  };
  std::shared_ptr<Told> Read(const EventId& id, bool first = true, const std::string& who = "r",
                             const std::string& session = "s") {
    auto told = std::make_shared<Told>();
    store->Read(session, id, who, first, [told](Batch batch) { told->batch = std::move(batch); });
    return told;
  }
  static EventId At(EventId id, std::uint64_t number) {
    id.number = number;
    return id;
  }
};

using Texts = std::vector<std::string>;

TEST_F(EventStoreTest, IdsNameWorkerAndStreamAndReadBackAsTheyWereWritten) {
  const auto stream = Open();
  stream->Append("a");
  const std::string text = stream->id().ToText();
  const auto id = EventId::Parse(text);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->worker, 3U);
  EXPECT_EQ(id->number, 1U);
  EXPECT_EQ(id->ToText(), text);
  EXPECT_NE(Open()->id().token, stream->id().token);
  for (const std::string& bad :
       {std::string(), std::string("1"), text + "x", "x" + text, text.substr(1), text.substr(0, 9),
        std::string("1-c-1"), "-" + text, std::string(100, '-')}) {
    EXPECT_FALSE(EventId::Parse(bad)) << bad;
  }
}

TEST_F(EventStoreTest, ReplaysWhatFollowsTheEventThatWasSeenLast) {
  const auto stream = Open();
  for (const char* text : {"a", "b", "c"}) stream->Append(text);
  EXPECT_EQ(Read(At(stream->id(), 0))->texts(), (Texts{"a", "b", "c"}));
  EXPECT_EQ(Read(At(stream->id(), 2))->texts(), (Texts{"c"}));
  EXPECT_EQ(Read(At(stream->id(), 3))->texts(), Texts());
  EXPECT_EQ(Read(At(stream->id(), 4))->batch->then, Then::kUnknown) << "nobody said that yet";
}

TEST_F(EventStoreTest, AReaderWaitsForMoreAndForTheEnd) {
  const auto stream = Open();
  stream->Append("a");
  Read(stream->id());
  const auto more = Read(stream->id(), false);
  EXPECT_FALSE(more->batch);
  stream->Append("b");
  EXPECT_EQ(more->texts(), (Texts{"b"}));
  const auto end = Read(stream->id(), false);
  stream->End();
  EXPECT_EQ(end->batch->then, Then::kEnd);
  EXPECT_EQ(Read(At(stream->id(), 1))->texts(), (Texts{"b"})) << "and again from the beginning";
}

TEST_F(EventStoreTest, KnowsNothingOfAnotherSessionsStream) {
  const auto stream = Open("s");
  stream->Append("secret");
  EXPECT_EQ(Read(At(stream->id(), 0), true, "r", "other")->batch->then, Then::kUnknown);
  EXPECT_EQ(Read(At(stream->id(), 0), true, "r", "")->batch->then, Then::kUnknown);
  EventId guessed = At(stream->id(), 0);
  guessed.token.back() = guessed.token.back() == '0' ? '1' : '0';
  EXPECT_EQ(Read(guessed)->batch->then, Then::kUnknown);
  EXPECT_EQ(taken, 0);
}

TEST_F(EventStoreTest, WhoReadsLastHasTheStreamAndTheOneBeforeGetsItsEnd) {
  const auto stream = Open();
  stream->Append("a");
  EXPECT_FALSE(stream->taken());
  Read(stream->id(), true, "one");
  EXPECT_TRUE(stream->taken());
  EXPECT_EQ(taken, 1);
  const auto first = Read(stream->id(), false, "one");
  Read(stream->id(), true, "two");
  EXPECT_EQ(first->batch->then, Then::kEnd);
  EXPECT_EQ(Read(stream->id(), false, "one")->batch->then, Then::kEnd);
  const auto second = Read(stream->id(), false, "two");
  stream->Append("b");
  EXPECT_EQ(second->texts(), (Texts{"b"}));
  EXPECT_EQ(taken, 1);
}

TEST_F(EventStoreTest, WhatNobodyComesBackForExpiresAfterTheGrace) {
  const auto stream = Open();
  stream->Append("a");
  clock.Advance(minutes(60));
  store->Tick();
  EXPECT_EQ(expired, 0) << "its client is there";
  stream->Unheard();
  clock.Advance(minutes(4));
  store->Tick();
  EXPECT_EQ(expired, 0);
  Read(stream->id(), true, "r");
  clock.Advance(minutes(60));
  store->Tick();
  EXPECT_EQ(expired, 0) << "somebody came back";
  store->Leave("s", stream->id(), "somebody else");
  store->Leave("s", stream->id(), "r");
  clock.Advance(minutes(5));
  store->Tick();
  EXPECT_EQ(expired, 1);
  EXPECT_EQ(store->bytes(), 0U);
  EXPECT_EQ(Read(stream->id())->batch->then, Then::kUnknown);
  stream->Append("into nothing");
  EXPECT_EQ(store->bytes(), 0U);
}

TEST_F(EventStoreTest, AnEndedStreamIsKeptForTheGraceAndItsWriterIsNotCalled) {
  auto stream = Open();
  stream->Append("a");
  const EventId id = At(stream->id(), 0);
  stream = nullptr;
  EXPECT_EQ(Read(id)->texts(), (Texts{"a"}));
  clock.Advance(minutes(5));
  store->Tick();
  EXPECT_EQ(Read(id)->batch->then, Then::kUnknown);
  EXPECT_EQ(expired, 0);
  EXPECT_EQ(store->size(), 0U);
}

TEST_F(EventStoreTest, AStreamKeepsItsLastEventsWithinItsBound) {
  const auto stream = Open();
  for (int i = 0; i < 100; ++i) stream->Append(std::string(1000, 'x'));
  EXPECT_LE(store->bytes(), 10'000U);
  EXPECT_EQ(Read(At(stream->id(), 1))->batch->then, Then::kUnknown) << "a gap is not hidden";
  EXPECT_EQ(Read(At(stream->id(), 98))->texts().size(), 2U);
  stream->Append(std::string(20'000, 'x'));
  EXPECT_LE(store->bytes(), 10'000U) << "too big to be kept at all";
  EXPECT_EQ(Read(At(stream->id(), 100))->batch->then, Then::kUnknown);
}

TEST_F(EventStoreTest, WhatEndedFirstMakesRoomFirst) {
  std::vector<EventId> ended;
  for (int i = 0; i < 5; ++i) {
    const auto stream = Open();
    stream->Append(std::string(6000, 'x'));
    ended.push_back(At(stream->id(), 0));
  }
  EXPECT_LE(store->bytes(), 30'000U);
  EXPECT_EQ(Read(ended[0])->batch->then, Then::kUnknown);
  EXPECT_EQ(Read(ended[4])->texts().size(), 1U);
  std::vector<std::unique_ptr<EventStore::Stream>> running;
  for (int i = 0; i < 10; ++i) {
    running.push_back(Open());
    running.back()->Append(std::string(6000, 'x'));
    // Beyond it only what each open stream costs by itself: as many as there are connections.
    EXPECT_LE(store->bytes(), 30'000U + 1024U * running.size());
  }
}

TEST_F(EventStoreTest, ALongReplayComesInSteps) {
  limits.stream_bytes = limits.total_bytes = 2'000'000;
  store = std::make_unique<EventStore>(3, clock, limits);
  const auto stream = Open();
  for (int i = 0; i < 10; ++i) stream->Append(std::string(100'000, 'x'));
  const auto told = Read(At(stream->id(), 0));
  EXPECT_LT(told->batch->events.size(), 5U);
  EXPECT_EQ(told->batch->then, Then::kMore);
}

TEST_F(EventStoreTest, ASessionThatEndsTakesItsStreamsAlong) {
  const auto one = Open("s");
  const auto two = Open("s");
  const auto other = Open("s2");
  for (const auto* stream : {&one, &two, &other}) (*stream)->Append("a");
  Read(two->id());
  const auto waiting = Read(two->id(), false);
  store->ForgetSession("s");
  EXPECT_EQ(store->size(), 1U);
  EXPECT_EQ(waiting->batch->then, Then::kEnd);
  EXPECT_EQ(Read(At(one->id(), 0))->batch->then, Then::kUnknown);
  EXPECT_EQ(Read(At(other->id(), 0), true, "r", "s2")->texts(), (Texts{"a"}));
}

}  // namespace
}  // namespace switchyard::edge
