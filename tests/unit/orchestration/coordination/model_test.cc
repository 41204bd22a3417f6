// Random sequences of what agents do with messages, requests and waits, against a simple model:
// each message is read once by each of its recipients, in order, and nobody ever waits for himself.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "orchestration/coordination/waits.h"
#include "unit/orchestration/coordination/talk.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

constexpr int kAgents = 5;

class TalkAgainstTheModel : public ::testing::TestWithParam<unsigned> {
 protected:
  std::size_t Below(std::size_t n) { return random_() % n; }
  static std::string Name(std::size_t agent) { return "agent" + std::to_string(agent); }

  void Send();
  void Read();
  void Leave();
  void Wait();

  struct Unread {
    int rank;
    int number;
    auto operator<=>(const Unread&) const = default;
  };
  Talk room;
  std::map<std::string, std::set<Unread>> unread;         // by agent
  std::map<std::string, std::vector<std::string>> waits;  // who for whom
  int sent = 0;

 private:
  // Whether `from` waits, in the end, for `to`.
  bool Reaches(const std::string& from, const std::string& to) {
    std::vector<std::string> open{from};
    for (std::size_t at = 0; at < open.size(); ++at) {
      if (open[at] == to) return true;
      for (const std::string& next : waits[open[at]]) {
        if (std::ranges::find(open, next) == open.end()) open.push_back(next);
      }
    }
    return false;
  }

  std::mt19937 random_{GetParam()};
};

void TalkAgainstTheModel::Send() {
  constexpr const char* kPriorities[] = {"high", "medium", "low"};
  const std::string from = Name(Below(kAgents)), to = Name(Below(kAgents));
  const auto rank = static_cast<int>(Below(3));
  const bool all = Below(4) == 0;
  const std::string whom = all ? R"("group":"g")" : R"("recipient_id":")" + to + "\"";
  room.Send(from, whom + R"(,"priority":")" + kPriorities[rank] + "\"", std::to_string(++sent));
  for (int i = 0; i < kAgents; ++i) {
    const std::string name = Name(static_cast<std::size_t>(i));
    if (all ? name != from : name == to) unread[name].insert({.rank = rank, .number = sent});
  }
}

void TalkAgainstTheModel::Read() {
  const std::string who = Name(Below(kAgents));
  const std::size_t limit = Below(4) + 1;
  const bool mark = Below(4) != 0;
  const json::object got =
      room.Get("read_messages", R"({"agent_id":")" + who + R"(","limit":)" + std::to_string(limit) +
                                    R"(,"mark_read":)" + (mark ? "true}" : "false}"));
  std::string expected;
  std::set<Unread>& box = unread[who];
  auto at = box.begin();
  for (std::size_t i = 0; i < limit && at != box.end(); ++i) {
    expected += (expected.empty() ? "" : " ") + std::to_string(at->number);
    at = mark ? box.erase(at) : std::next(at);
  }
  ASSERT_EQ(Talk::ContentsOf(got), expected);
  ASSERT_EQ(got.at("unread").as_int64(), static_cast<std::int64_t>(box.size()));
}

void TalkAgainstTheModel::Leave() {
  const std::string who = Name(Below(kAgents));
  room.Get("deregister_agent", R"({"agent_id":")" + who + "\"}");
  room.Register(who, R"(,"group":"g")");
  unread[who].clear();
  waits.erase(who);
  for (auto& [waiter, holders] : waits) std::erase(holders, who);
}

void TalkAgainstTheModel::Wait() {
  const std::string waiter = Name(Below(kAgents)), holder = Name(Below(kAgents));
  const std::string about = "lock of " + holder;
  if (Below(3) == 0) {
    room.Do([&](Records& records) { return EndWait(records, waiter, about); });
    std::erase(waits[waiter], holder);
    return;
  }
  const Result<void> added = room.Do([&](Records& records) {
    return AddWait(records,
                   {.waiter = waiter, .holder = holder, .kind = WaitKind::kLock, .about = about});
  });
  ASSERT_EQ(added.has_value(), !Reaches(holder, waiter)) << waiter << " for " << holder;
  if (!added) return;
  std::vector<std::string>& holders = waits[waiter];
  if (std::ranges::find(holders, holder) == holders.end()) holders.push_back(holder);
}

TEST_P(TalkAgainstTheModel, WhateverAgentsSayItIsAsTheModelSays) {
  room.settings.most_messages = 100'000;
  for (std::size_t i = 0; i < kAgents; ++i) room.Register(Name(i), R"(,"group":"g")");
  for (int i = 0; i < 300 && !HasFatalFailure(); ++i) {
    room.now += 10;
    const std::size_t dice = Below(100);
    if (dice < 40) {
      Send();
    } else if (dice < 75) {
      Read();
    } else if (dice < 97) {
      Wait();
    } else {
      Leave();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TalkAgainstTheModel, ::testing::Range(1U, 9U));

}  // namespace
}  // namespace switchyard::orchestration
