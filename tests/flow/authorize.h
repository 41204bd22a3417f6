// A gateway under rules, and how two answers are held against each other.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "support/gateway_fixture.h"

namespace switchyard::tests {

class Authorize : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& rules) {
    gateway.Serves("a", fake).With("policies", "{authorize: {rules: [" + rules + "]}}").Start();
  }
  std::unique_ptr<Client> NewClient(const std::string& path = "/mcp") const {
    return gateway.ClientOf(GetParam(), path);
  }
  static std::string Replaced(std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
    return text;
  }
  // Two requests that differ in a name of the same length are answered alike, to the byte.
  void ExpectAlike(Ask ask, const std::string& name, const std::string& other) {
    ASSERT_EQ(name.size(), other.size());
    ask.id = "77";
    Ask about_other = ask;
    about_other.members = Replaced(ask.members, name, other);
    const auto client = NewClient();
    const Answer one = client->Request(ask);
    const Answer two = client->Request(about_other);
    EXPECT_NE(one.status, 0);
    EXPECT_EQ(one.status, two.status) << one;
    EXPECT_EQ(one.headers, two.headers) << one;
    EXPECT_EQ(Replaced(one.body, name, other), two.body);
    EXPECT_NE(one.code(), 0) << one;
  }

  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
};

}  // namespace switchyard::tests
