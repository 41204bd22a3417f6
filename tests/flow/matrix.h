// Every combination of client era, server era and transport, as one fixture: a gateway with the
// server `a`, driven by the test's client. What happens inside the server is asked of its tools
// (support/standard_tools.h), so a sentence holds for a child process as for a server over HTTP.
#pragma once

#include <memory>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "support/gateway_fixture.h"

namespace switchyard::tests {

enum class Kind { kHttp, kChild };

using Combination = std::tuple<Era, Kind, Era>;  // the client's era, the server's kind and era

class Matrix : public ::testing::TestWithParam<Combination> {
 protected:
  Era client_era() const { return std::get<0>(GetParam()); }
  Era server_era() const { return std::get<2>(GetParam()); }
  bool over_http() const { return std::get<1>(GetParam()) == Kind::kHttp; }

  void Begin(const std::string& keys = "") {
    if (over_http()) {
      fake = server_era() == Era::kModern
                 ? std::unique_ptr<FakeServer>(new FakeServer(FakeServer::Modern("a")))
                 : std::unique_ptr<FakeServer>(new FakeServer(FakeServer::Legacy("a")));
      gateway.Serves("a", *fake, keys);
    } else {
      gateway.ServesChild("a", {"--era", server_era() == Era::kModern ? "modern" : "legacy"}, keys);
    }
    gateway.Start();
    client = NewClient();
  }

  std::unique_ptr<Client> NewClient(const std::string& path = "/mcp") const {
    return gateway.ClientOf(client_era(), path);
  }

  // An event inside the server: "started:x", "cancelled:x".
  bool Happens(const std::string& event) {
    return gateway.Modern().Call("a__await", R"({"event":")" + event + "\"}").text() == "happened";
  }
  void Release(const std::string& label) {
    EXPECT_EQ(gateway.Modern().Call("a__release", R"({"label":")" + label + "\"}").text(), "ok");
  }

  // A child cannot fail the test by itself, as FakeServer does.
  void TearDown() override {
    if (!over_http() && !complaints_expected) {
      EXPECT_EQ(gateway.Modern().Call("a__complaints").text(), "");
    }
  }

  std::unique_ptr<FakeServer> fake;  // null for children; outlives the gateway
  Gateway gateway;
  std::unique_ptr<Client> client;
  bool complaints_expected = false;
};

inline std::string NameOf(const ::testing::TestParamInfo<Combination>& info) {
  const auto& [client, kind, server] = info.param;
  return std::string(client == Era::kModern ? "ModernClient" : "LegacyClient") +
         (server == Era::kModern ? "ModernServer" : "LegacyServer") +
         (kind == Kind::kHttp ? "OverHttp" : "AsChild");
}

inline auto AllCombinations() {
  return ::testing::Combine(::testing::Values(Era::kModern, Era::kLegacy),
                            ::testing::Values(Kind::kHttp, Kind::kChild),
                            ::testing::Values(Era::kModern, Era::kLegacy));
}

}  // namespace switchyard::tests
