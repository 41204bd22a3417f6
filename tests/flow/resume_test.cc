// Streams of legacy sessions that broke, and clients that come back for the rest: 2025-11-25
// basic/transports, "resumability and redelivery".
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/resumable_stream.h"

namespace switchyard::tests {
namespace {

class Resuming : public ::testing::Test {
 protected:
  Resuming() {
    // Progress, then a wait for the test, then more of it.
    fake.surface().AddTool("slow", [](Turn& turn) {
      turn.Progress(1, 3);
      if (!turn.Wait(turn.surface().Named("go on"))) return;
      turn.Progress(2, 3);
      turn.Text("done");
    });
    gateway.Serves("a", fake).Start();
  }
  static double ProgressOf(const StreamEvent& event) {
    const json::value value = At(Parse(event.data), "/params/progress");
    boost::system::error_code error;
    return value.is_number() ? value.to_number<double>(error) : 0;
  }

  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
};

TEST_F(Resuming, ABrokenCallIsReplayedToWhicheverWorkerTheClientComesBack) {
  LegacyClient client = gateway.Legacy();
  for (int i = 0; i < 8; ++i) {  // connections are spread over both workers
    ResumableStream call = BeginResumable(client, "a__slow");
    const StreamEvent first = call.NextMessage();
    EXPECT_EQ(ProgressOf(first), 1);
    call.Close();
    ResumableStream rest = OpenResumable(client, first.id);
    EXPECT_EQ(rest.status(), 200);
    fake.surface().Named("go on").Set();
    EXPECT_EQ(ProgressOf(rest.NextMessage()), 2);
    const StreamEvent last = rest.NextMessage();
    EXPECT_EQ(TextAt(Parse(last.data), "/result/content/0/text"), "done") << last.data;
    EXPECT_FALSE(rest.Next().has_value());
    fake.surface().Named("go on").Clear();
    EXPECT_FALSE(OpenResumable(client, last.id).Next().has_value()) << "nothing is left of it";
    EXPECT_EQ(ProgressOf(OpenResumable(client, first.id).NextMessage()), 2) << "and all again";
  }
}

TEST_F(Resuming, AnotherSessionCannotReadIt) {
  LegacyClient client = gateway.Legacy();
  LegacyClient thief = gateway.Legacy();
  ResumableStream call = BeginResumable(client, "a__slow");
  const StreamEvent first = call.NextMessage();
  for (int i = 0; i < 8; ++i) {
    ResumableStream stolen = OpenResumable(thief, first.id);
    EXPECT_EQ(stolen.status(), 400);
    EXPECT_EQ(stolen.Body().find("done"), std::string::npos);
  }
  fake.surface().Named("go on").Set();
  EXPECT_EQ(ProgressOf(call.NextMessage()), 2) << "and its owner lost nothing";
}

TEST_F(Resuming, TheFirstEventPrimesOnlyClientsOf20251125) {
  fake.surface().Named("go on").Set();
  for (const char* version : {"2025-11-25", "2025-06-18", "2025-03-26"}) {
    LegacyClient client(gateway.port(), "/mcp", version);
    ResumableStream call = BeginResumable(client, "a__slow");
    const std::optional<StreamEvent> first = call.Next();
    ASSERT_TRUE(first);
    const bool primes = version == std::string_view("2025-11-25");
    EXPECT_EQ(first->data.empty(), primes) << version;
    EXPECT_EQ(!first->retry.empty(), primes) << version;
    EXPECT_FALSE(first->id.empty());
  }
}

TEST_F(Resuming, ChangesAreNotLostBetweenTwoStreamsOfASession) {
  LegacyClient client = gateway.Legacy();
  ResumableStream stream = OpenResumable(client);
  EXPECT_EQ(client.Call("a__grow").text(), "ok");
  const StreamEvent first = stream.NextMessage();
  EXPECT_EQ(TextAt(Parse(first.data), "/method"), "notifications/tools/list_changed");
  stream.Close();
  EXPECT_EQ(client.Call("a__shrink").text(), "ok");
  ResumableStream back = OpenResumable(client, first.id);
  EXPECT_EQ(TextAt(Parse(back.NextMessage().data), "/method"), "notifications/tools/list_changed");
}

// No event was said on it, so the client has no id to come back with.
TEST_F(Resuming, AChangeWhileThereIsNoStreamIsToldOnTheNext) {
  for (const char* change : {"a__grow", "a__shrink", "a__grow", "a__shrink"}) {
    LegacyClient client = gateway.Legacy();
    ResumableStream silent = OpenResumable(client);
    EXPECT_EQ(silent.status(), 200);
    silent.Close();
    EXPECT_EQ(client.Call(change).text(), "ok");
    ResumableStream next = OpenResumable(client);
    EXPECT_EQ(TextAt(Parse(next.NextMessage().data), "/method"),
              "notifications/tools/list_changed");
  }
}

TEST_F(Resuming, ASessionThatEndedTakesItsEventsAlong) {
  LegacyClient client = gateway.Legacy();
  ResumableStream call = BeginResumable(client, "a__slow");
  const StreamEvent first = call.NextMessage();
  call.Close();
  EXPECT_EQ(client.EndSession().status, 204);
  EXPECT_EQ(OpenResumable(client, first.id).status(), 404);
}

}  // namespace
}  // namespace switchyard::tests
