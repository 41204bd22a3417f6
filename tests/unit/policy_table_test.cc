// The settings of the real policies for every place, and what they count in.
#include "policy_table.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "config/load.h"
#include "policies/lib/states.h"
#include "policies/registry.h"
#include "unit/policies/support.h"

namespace switchyard {
namespace {

// Binds to the key of its scope, in words, as a policy that counts would find its state by it.
class Counter final : public Policy {
 public:
  explicit Counter(PolicyScope::Counts counts) : counts_(counts) {}
  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    return next.Handle(call);
  }
  std::shared_ptr<const void> Bind(std::shared_ptr<const void>,
                                   const PolicyScope& scope) const override {
    return std::make_shared<std::string>(scope.Key(counts_));
  }

 private:
  const PolicyScope::Counts counts_;
};

config::Config Read(const std::string& text) {
  const config::ProcessEnvironment environment;
  auto loaded = config::LoadText(text, "c.yaml", policies::PolicyKeys(), environment);
  EXPECT_TRUE(loaded) << loaded.error().front().ToString();
  return loaded ? std::move(loaded->config) : config::Config();
}

constexpr const char* kText = R"(
policies: {timeout: {total: 60s}}
endpoints:
  e: {policies: {timeout: {total: 50s}}}
  quiet: {}
servers:
  a: {command: x}
  b:
    command: x
    policies: {timeout: {total: 40s}}
    tool_policies:
      delete_*: {timeout: {total: 30s}}
)";

class Table : public testing::Test {
 protected:
  std::string Key(PolicyScope::Counts counts, const PolicyPlace& place) {
    const auto counter = std::make_shared<Counter>(counts);
    const PolicyTable table(Read(kText), {policies::testing::KeyOf("timeout")}, {counter});
    return *static_cast<const std::string*>(table.For(place)->At(0));
  }
};

TEST_F(Table, ACountReachesAsFarAsTheLevelThatSetIt) {
  constexpr auto kAsSet = PolicyScope::Counts::kAsSet;
  EXPECT_EQ(Key(kAsSet, {.endpoint = "", .server = "a"}), "global");
  EXPECT_EQ(Key(kAsSet, {.endpoint = "", .server = "b"}), "server b");
  EXPECT_EQ(Key(kAsSet, {.endpoint = "e", .server = "a"}), "endpoint e");
  EXPECT_EQ(Key(kAsSet, {.endpoint = "e", .server = "b"}), "server b");
  EXPECT_EQ(Key(kAsSet, {.endpoint = "e", .server = "b", .tool = "delete_x"}),
            "server b tools delete_*");
  EXPECT_EQ(Key(kAsSet, {.endpoint = "quiet", .server = "b", .tool = "read"}), "server b");
}

TEST_F(Table, PerServerACountNeverReachesAcrossServers) {
  constexpr auto kPerServer = PolicyScope::Counts::kPerServer;
  EXPECT_EQ(Key(kPerServer, {.endpoint = "", .server = "a"}), "server a");
  EXPECT_EQ(Key(kPerServer, {.endpoint = "quiet", .server = "a"}), "server a");
  EXPECT_EQ(Key(kPerServer, {.endpoint = "e", .server = "a"}), "endpoint e server a");
  EXPECT_EQ(Key(kPerServer, {.endpoint = "e", .server = "b"}), "server b");
}

TEST_F(Table, APlaceThatIsNotConfiguredIsOneThatSaysNothing) {
  constexpr auto kAsSet = PolicyScope::Counts::kAsSet;
  EXPECT_EQ(Key(kAsSet, {.endpoint = "gone", .server = "gone", .tool = "x"}), "global");
}

TEST(Peers, OfAServerAreTheOtherMembersOfItsGroup) {
  class Peers final : public Policy {
   public:
    Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
      return next.Handle(call);
    }
    std::shared_ptr<const void> Bind(std::shared_ptr<const void> /*settings*/,
                                     const PolicyScope& scope) const override {
      std::string names;
      for (const std::string& peer : scope.peers) names += peer;
      return std::make_shared<std::string>(names);
    }
  };
  const std::string text =
      "servers: {a: {command: x}, b: {command: x}, c: {command: x}, d: {command: x}}\n"
      "groups: {g: {servers: [{server: a}, {server: c}, {server: b}]}}\n";
  const PolicyTable table(Read(text), {policies::testing::KeyOf("timeout")},
                          {std::make_shared<Peers>()});
  const auto peers_of = [&table](std::string_view server) {
    return *static_cast<const std::string*>(table.For({.endpoint = "", .server = server})->At(0));
  };
  EXPECT_EQ(peers_of("a"), "cb");
  EXPECT_EQ(peers_of("b"), "ac");
  EXPECT_EQ(peers_of("d"), "");
  EXPECT_EQ(peers_of(""), "");
}

class BoundTable : public testing::Test {
 protected:
  std::shared_ptr<const PolicyTable> Make(const std::string& text) {
    return std::make_shared<const PolicyTable>(Read(text), policies::PolicyKeys(), policies_);
  }

  const ManualClock clock_;
  telemetry::Metrics metrics_;
  policies::States states_;
  policies::Policies policies_ =
      policies::MakePolicies({.clock = clock_, .metrics = metrics_, .states = &states_});
};

TEST_F(BoundTable, ToolsThatNoGlobTellsApartShareTheirSettings) {
  const auto table = Make(kText);
  const auto one = table->For({.endpoint = "quiet", .server = "b", .tool = "read"});
  EXPECT_EQ(table->For({.endpoint = "", .server = "b", .tool = "write"}), one);
  EXPECT_NE(table->For({.endpoint = "", .server = "b", .tool = "delete_x"}), one);
  EXPECT_NE(table->For({.endpoint = "", .server = "a", .tool = "write"}), one);
}

TEST_F(BoundTable, ASetKnowsWhatIsOffForWhomItIsFor) {
  const auto slot_of = [](const std::string& name) {
    const auto keys = policies::PolicyKeys();
    return static_cast<std::size_t>(std::ranges::find(keys, name, &config::PolicyKey::name) -
                                    keys.begin());
  };
  const std::size_t retry = slot_of("retry"), timeout = slot_of("timeout");
  const auto table = Make(R"(
servers:
  a: {command: x}
  b:
    command: x
    policies: {timeout: {total: 0s}}
    tool_policies:
      read_*: {retry: {attempts: 2}}
)");
  const auto off = [&](const PolicyPlace& place, std::size_t slot) {
    return table->For(place)->IsOff(slot);
  };
  EXPECT_TRUE(off({.endpoint = "", .server = "a"}, retry));
  EXPECT_FALSE(off({.endpoint = "", .server = "a"}, timeout));
  EXPECT_TRUE(off({.endpoint = "", .server = "b"}, timeout));
  EXPECT_TRUE(off({.endpoint = "", .server = "b", .tool = "write"}, retry));
  EXPECT_FALSE(off({.endpoint = "", .server = "b", .tool = "read_x"}, retry));
  EXPECT_TRUE(off({.endpoint = "", .server = "b", .tool = "read_x"}, timeout));
}

// Counts in what it finds by its scope.
class Joining final : public Policy {
 public:
  explicit Joining(policies::States& states) : states_(states) {}
  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    return next.Handle(call);
  }
  std::shared_ptr<const void> Bind(std::shared_ptr<const void> /*settings*/,
                                   const PolicyScope& scope) const override {
    return states_.Get<int>(scope.Key(PolicyScope::Counts::kPerServer),
                            [] { return std::make_shared<int>(0); });
  }

 private:
  policies::States& states_;
};

TEST_F(BoundTable, WhatIsCountedInOutlivesAReloadAlsoWhileItsServerIsDown) {
  const auto make = [&](const std::string& text) {
    return std::make_shared<const PolicyTable>(
        Read(text), std::vector{policies::testing::KeyOf("timeout")},
        PolicyTable::Policies{std::make_shared<Joining>(states_)});
  };
  constexpr PolicyPlace kDeletes{.endpoint = "e", .server = "b", .tool = "delete_x"};
  auto table = make(kText);
  const void* counted = table->For(kDeletes)->At(0);
  const std::weak_ptr<int> alive = states_.Get<int>("server b tools delete_*", [] {
    ADD_FAILURE() << "it was not there";
    return std::make_shared<int>(1);
  });
  // Nobody asks the next one for the tools of a server that is down; it holds on to them anyway.
  auto next = make(std::string(kText) + "log: {level: warn}\n");
  table = nullptr;
  EXPECT_FALSE(alive.expired());
  EXPECT_EQ(next->For(kDeletes)->At(0), counted);
  // Without the level it is gone, and the tools are counted with the server's others.
  table = make("servers: {a: {command: x}, b: {command: x}}");
  next = nullptr;
  EXPECT_TRUE(alive.expired());
}

}  // namespace
}  // namespace switchyard
