#include "downstream/probe.h"

#include <gtest/gtest.h>

#include "unit/downstream/fake_transport.h"
#include "unit/downstream/loop.h"

namespace switchyard::downstream {
namespace {

const Script kModernServer = Gives(
    R"({"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},)"
    R"("instructions":"hi","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"m"}}})");
const Script kLegacyServer = Gives(
    R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"l"}})");

class ProbeTest : public ::testing::Test {
 protected:
  // The answer by method; what is not named hangs.
  void Server(std::map<std::string, Script> scripts) {
    wire_.answer = [scripts = std::move(scripts)](const Sent& sent) {
      const auto found = scripts.find(sent.method());
      return found == scripts.end() ? Hangs() : found->second;
    };
  }
  // "modern", "legacy 2025-06-18", or the error.
  std::string Find(config::Era era = config::Era::kAuto) {
    if (prober_ == nullptr) {
      prober_ = std::make_unique<Prober>(channel_, ProbeSettings{.era = era});
    }
    std::optional<Result<Link>> link;
    switchyard::Spawn(loop_.deps().executor(), "probe",
                      [](Prober& prober, std::optional<Result<Link>>& out) -> Task<void> {
                        Result<Link> made = co_await prober.Establish();
                        out = std::move(made);
                      }(*prober_, link));
    loop_.RunReady();
    if (!link) loop_.Pass(std::chrono::seconds(3));
    if (!link) loop_.Pass(std::chrono::seconds(30));
    if (!link) return "hangs";
    if (!*link) return link->error().message;
    link_ = **link;
    return link_.modern() ? "modern" : "legacy " + std::string(ToString(link_.facts.version));
  }

  Loop loop_;
  FakeTransport::Wire wire_;
  Channel channel_{"x", std::make_unique<FakeTransport>(wire_, loop_.deps()), loop_.deps()};
  std::unique_ptr<Prober> prober_;
  Link link_;
};

TEST_F(ProbeTest, TakesADiscoverResultForModern) {
  Server({{"server/discover", kModernServer}});
  EXPECT_EQ(Find(), "modern");
  EXPECT_EQ(link_.facts.capabilities, R"({"tools":{}})");
  EXPECT_EQ(link_.facts.instructions, "hi");
  EXPECT_EQ(link_.facts.info, R"({"name":"m"})");
  EXPECT_EQ(wire_.Methods(), std::vector<std::string>{"server/discover"});
}

TEST_F(ProbeTest, ShakesHandsWhateverErrorALegacyServerAnswers) {
  for (const int code : {-32601, -32602, -32600, -32000, -32700, -1}) {
    prober_ = nullptr;
    wire_.sent.clear();
    Server({{"server/discover", Refuses(code)}, {"initialize", kLegacyServer}});
    EXPECT_EQ(Find(), "legacy 2025-06-18") << code;
    EXPECT_EQ(wire_.Methods(), (std::vector<std::string>{"server/discover", "initialize",
                                                         "notifications/initialized"}));
  }
}

TEST_F(ProbeTest, OffersTheNewestLegacyVersionAndNoCapability) {
  Server({{"initialize", kLegacyServer}});
  ASSERT_EQ(Find(config::Era::kLegacy), "legacy 2025-06-18");
  EXPECT_EQ(wire_.Methods().front(), "initialize");
  const mcp::Message& sent = wire_.Last("initialize")->message;
  EXPECT_EQ(sent.GetString(mcp::Key::kProtocolVersion), "2025-11-25");
  EXPECT_EQ(sent.Get(mcp::Key::kCapabilities), "{}");
}

TEST_F(ProbeTest, NeverInitializesAServerThatShowsItselfModern) {
  for (const int code : {-32020, -32021, -32022}) {
    prober_ = nullptr;
    Server({{"server/discover", Refuses(code, R"({"supported":["2026-07-28"]})")},
            {"initialize", kLegacyServer}});
    EXPECT_TRUE(Find().contains("server x: ")) << code;
    EXPECT_EQ(wire_.Count("initialize"), 0);
  }
}

TEST_F(ProbeTest, InitializesWhenOnlyLegacyVersionsAreSupported) {
  Server({{"server/discover", Refuses(-32022, R"({"supported":["2025-06-18"],"requested":"x"})")},
          {"initialize", kLegacyServer}});
  EXPECT_EQ(Find(), "legacy 2025-06-18");
}

TEST_F(ProbeTest, TakesSilenceOnStdioForLegacyOnTheSamePipe) {
  Server({{"initialize", kLegacyServer}});
  EXPECT_EQ(Find(), "legacy 2025-06-18");
  EXPECT_EQ(wire_.starts, 1);
}

TEST_F(ProbeTest, TakesAnAnswerOnStdioThatIsNoneForLegacy) {
  Server({{"server/discover", Fails(Code::kProtocol)}, {"initialize", kLegacyServer}});
  EXPECT_EQ(Find(), "legacy 2025-06-18");
  EXPECT_EQ(wire_.starts, 1);
}

TEST_F(ProbeTest, StartsAServerAgainThatDiesOfTheProbe) {
  wire_.answer = [this](const Sent& sent) {
    if (sent.method() == "initialize") return kLegacyServer;
    wire_.up = false;
    return Fails(Code::kUnavailable);
  };
  EXPECT_EQ(Find(), "legacy 2025-06-18");
  EXPECT_EQ(wire_.starts, 2);
}

TEST_F(ProbeTest, RemembersTheEraAndDoubtsItWhenContradicted) {
  Server({{"server/discover", Refuses(-32601)}, {"initialize", kLegacyServer}});
  ASSERT_EQ(Find(), "legacy 2025-06-18");
  EXPECT_EQ(Find(), "legacy 2025-06-18");
  EXPECT_EQ(wire_.Count("server/discover"), 1) << "known to be legacy";
  Server({{"server/discover", kModernServer}, {"initialize", Refuses(-32601)}});
  EXPECT_EQ(Find(), "modern");
}

TEST_F(ProbeTest, ReadsHttpRefusalsAsLegacy) {
  wire_.http = true;
  for (const int status : {400, 404, 405, 406, 415}) {
    prober_ = nullptr;
    Script legacy = kLegacyServer;
    legacy.session_id = "s1";
    Server({{"server/discover", Fails(Code::kProtocol, status)}, {"initialize", legacy}});
    EXPECT_EQ(Find(), "legacy 2025-06-18") << status;
    EXPECT_EQ(link_.session_id, "s1");
    EXPECT_EQ(wire_.Last("notifications/initialized")->headers,
              "Mcp-Session-Id: s1\r\nMCP-Protocol-Version: 2025-06-18\r\n");
    EXPECT_EQ(wire_.Last("initialize")->headers, "");
  }
}

TEST_F(ProbeTest, LearnsNothingFromLockedDoorsAndAccidents) {
  wire_.http = true;
  for (const int status : {401, 403, 408, 429, 500, 502, 503, 0}) {
    prober_ = nullptr;
    Server({{"server/discover", Fails(Code::kUnavailable, status)}, {"initialize", kLegacyServer}});
    EXPECT_EQ(Find(), "scripted failure") << status;
    EXPECT_EQ(wire_.Count("initialize"), 0) << status;
  }
}

TEST_F(ProbeTest, SaysWhatIsNoMcpEndpointAtAll) {
  wire_.http = true;
  Server({{"server/discover", Fails(Code::kNotFound, 404)},
          {"initialize", Fails(Code::kNotFound, 404)}});
  EXPECT_EQ(Find(),
            "server x: initialize: HTTP 404; this is no Streamable HTTP endpoint, nor one of "
            "HTTP+SSE: no stream there");
}

// HTTP+SSE: a transport that tells nothing of HTTP's headers.
TEST_F(ProbeTest, LooksForAnOlderTransportWhereInitializeIsRefused) {
  for (const Script& refusal : {Fails(Code::kProtocol, 400), Fails(Code::kNotFound, 404),
                                Fails(Code::kNotFound, 405), Refuses(-32000, "null", 405)}) {
    prober_ = nullptr;
    wire_.sent.clear();
    wire_.http = true;
    wire_.fall_back = [&](FakeTransport::Wire& wire) {
      wire.http = false;
      return Result<void>();
    };
    wire_.answer = [&](const Sent& sent) {
      if (wire_.http) return refusal;
      return sent.method() == "initialize" ? kLegacyServer : Hangs();
    };
    EXPECT_EQ(Find(), "legacy 2025-06-18") << refusal.status;
    EXPECT_EQ(wire_.Methods(),
              (std::vector<std::string>{"server/discover", "initialize", "initialize",
                                        "notifications/initialized"}))
        << refusal.status;
    EXPECT_TRUE(link_.home_only) << "the session is a connection";
  }
}

TEST_F(ProbeTest, DoesNotLookForOneWhereTheRefusalSaysNothingOfTheTransport) {
  for (const int status : {401, 403, 429, 500, 503}) {
    prober_ = nullptr;
    wire_.http = true;
    wire_.fall_back = [](FakeTransport::Wire&) -> Result<void> {
      ADD_FAILURE() << "not to be asked";
      return {};
    };
    Server({{"initialize", Fails(Code::kUnavailable, status)}});
    EXPECT_EQ(Find(config::Era::kLegacy), "scripted failure") << status;
  }
}

TEST_F(ProbeTest, TellsTheServersOwnErrorWhereThereIsNoOlderTransport) {
  wire_.http = true;
  Server({{"server/discover", Refuses(-32601)}, {"initialize", Refuses(-32600, "null", 400)}});
  EXPECT_TRUE(Find().starts_with("server x: initialize: {\"code\":-32600")) << Find();
}

TEST_F(ProbeTest, TriesAnotherVersionThatTheServerNames) {
  int asked = 0;
  wire_.answer = [&](const Sent& sent) {
    if (sent.method() != "initialize") return Refuses(-32601);
    if (++asked == 1) return Refuses(-32602, R"({"supported":["2024-11-05","2025-03-26"]})");
    EXPECT_EQ(sent.message.GetString(mcp::Key::kProtocolVersion), "2025-03-26");
    return Gives(R"({"protocolVersion":"2025-03-26","capabilities":{}})");
  };
  EXPECT_EQ(Find(), "legacy 2025-03-26");
}

TEST_F(ProbeTest, RefusesAVersionThatWeDoNotSpeak) {
  Server({{"initialize", Gives(R"({"protocolVersion":"2031-01-01","capabilities":{}})")}});
  EXPECT_EQ(Find(config::Era::kLegacy), R"(server x: initialize: offers version "2031-01-01")");
}

TEST_F(ProbeTest, HoldsAServerToItsConfiguredEra) {
  Server({{"server/discover", Refuses(-32601)}, {"initialize", kLegacyServer}});
  EXPECT_EQ(Find(config::Era::kModern),
            "server x: does not speak 2026-07-28, and its configuration says era: modern");
}

TEST_F(ProbeTest, AnswersAPingDuringTheHandshake) {
  Script chatty = kLegacyServer;
  chatty.messages.insert(chatty.messages.begin(), R"({"jsonrpc":"2.0","id":"p1","method":"ping"})");
  Server({{"initialize", chatty}});
  EXPECT_EQ(Find(config::Era::kLegacy), "legacy 2025-06-18");
  EXPECT_EQ(wire_.sent[1].text(), R"({"jsonrpc":"2.0","id":"p1","result":{}})");
}

TEST_F(ProbeTest, GivesUpAfterTheStartTimeout) {
  Server({});
  EXPECT_EQ(Find(), "no answer in time");
}

}  // namespace
}  // namespace switchyard::downstream
