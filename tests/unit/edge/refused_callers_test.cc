// Records of requests that were turned away, and how many of them there are.
#include "edge/refused_callers.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "auth/api_key.h"

namespace switchyard::edge {
namespace {

struct KeptEvents final : audit::Sink {
  bool on() const override { return is_on; }
  Admission Admit() override { return Admission::kOff; }
  void Put(std::unique_ptr<audit::Event> event) override { events.push_back(*event); }
  void Note(audit::Event event) override { events.push_back(std::move(event)); }
  bool is_on = true;
  std::vector<audit::Event> events;
};

struct RefusedCallersTest : ::testing::Test {
  void Refuse(std::string_view authorization = "Bearer x",
              auth::Gate::Turned why = auth::Gate::Turned::kInvalid) {
    const auth::Gate::Refused refused{
        .why = why, .refusal = {.reason = auth::Reason::kSignature, .detail = ""}};
    callers.Note({.endpoint = "/mcp",
                  .peer = "192.0.2.1",
                  .verb = "POST",
                  .evidence = {.authorization = authorization},
                  .refused = refused});
  }
  ManualClock clock;
  KeptEvents sink;
  RefusedCallers callers{&sink, clock};
};

TEST_F(RefusedCallersTest, AFloodIsCounted) {
  for (unsigned i = 0; i < 10 * RefusedCallers::kBurst; ++i) Refuse();
  EXPECT_EQ(sink.events.size(), RefusedCallers::kBurst);
  callers.Tick();
  EXPECT_EQ(sink.events.size(), RefusedCallers::kBurst) << "no place yet";
  clock.Advance(RefusedCallers::kPause);
  callers.Tick();
  ASSERT_EQ(sink.events.size(), RefusedCallers::kBurst + 1);
  EXPECT_EQ(sink.events.back().left_out, 9U * RefusedCallers::kBurst);
  clock.Advance(RefusedCallers::kPause);
  callers.Tick();
  EXPECT_EQ(sink.events.size(), RefusedCallers::kBurst + 1) << "once";
  clock.Advance(std::chrono::hours(1));
  for (unsigned i = 0; i < 2 * RefusedCallers::kBurst; ++i) Refuse();
  EXPECT_EQ(sink.events.size(), 2 * RefusedCallers::kBurst + 1) << "and not more after a pause";
}

TEST_F(RefusedCallersTest, WhatIsShownIsNeverTheCredential) {
  const std::string key = auth::MakeApiKey().text;
  for (const std::string& shown :
       {"Bearer " + key, "Bearer swy_" + key, std::string("Basic ") + key,
        "Bearer " + key.substr(0, key.size() - 1)}) {
    Refuse(shown);
    const audit::Event& event = sink.events.back();
    for (const std::string& text : {event.reason, event.endpoint, event.peer, event.item}) {
      EXPECT_FALSE(text.contains(key.substr(14))) << text;
    }
    EXPECT_EQ(event.key_prefix, shown == "Bearer " + key ? key.substr(4, 8) : "");
  }
  Refuse("Bearer x", auth::Gate::Turned::kScopes);
  EXPECT_EQ(sink.events.back().code, "forbidden");
  EXPECT_EQ(sink.events.back().reason, "scope");
}

TEST_F(RefusedCallersTest, WithoutALogNothingIsSaid) {
  sink.is_on = false;
  Refuse();
  callers.Tick();
  RefusedCallers nobody(nullptr, clock);
  nobody.Tick();
  EXPECT_TRUE(sink.events.empty());
}

}  // namespace
}  // namespace switchyard::edge
