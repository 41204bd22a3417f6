#include "cli/greeting.h"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/find_config.h"

namespace switchyard::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

config::Config Bundled() {
  config::Config config;
  config::Server server;
  server.name = "example";
  server.command = config::Secret("switchyard");
  server.args = {config::Secret("example-server")};
  config.servers["example"] = server;
  return config;
}

// What stands between the quotes after `-d '`.
boost::json::object BodyOf(const std::string& line) {
  const std::size_t begin = line.find("-d '") + 4;
  return boost::json::parse(line.substr(begin, line.rfind('\'') - begin)).as_object();
}

TEST(Greeting, TheCurlLineCallsAToolWithEveryHeaderThatTheModernEraWants) {
  const std::string line = CurlLine(Bundled(), "http://127.0.0.1:1/mcp");
  for (const char* part :
       {"curl -sS http://127.0.0.1:1/mcp ", "-H 'Content-Type: application/json'",
        "-H 'Accept: application/json, text/event-stream'", "-H 'MCP-Protocol-Version: 2026-07-28'",
        "-H 'Mcp-Method: tools/call'", "-H 'Mcp-Name: example__echo'"}) {
    EXPECT_THAT(line, HasSubstr(part));
  }
  const boost::json::object body = BodyOf(line);
  EXPECT_EQ(body.at("method"), "tools/call");
  const boost::json::object& params = body.at("params").as_object();
  EXPECT_EQ(params.at("name"), "example__echo");
  const boost::json::object& meta = params.at("_meta").as_object();
  EXPECT_EQ(meta.at("io.modelcontextprotocol/protocolVersion"), "2026-07-28");
  EXPECT_TRUE(meta.at("io.modelcontextprotocol/clientCapabilities").is_object());
}

TEST(Greeting, TheCurlLineShowsATokenWhereOneIsNeeded) {
  config::Config config = Bundled();
  const std::string shows = "-H \"Authorization: Bearer $SWITCHYARD_TOKEN\" ";
  EXPECT_THAT(CurlLine(config, "http://h/mcp"), Not(HasSubstr(shows)));
  config.auth = config::Auth{.api_keys_file = "f"};
  EXPECT_THAT(CurlLine(config, "http://h/mcp"), HasSubstr(shows));
  config.auth->anonymous = true;
  EXPECT_THAT(CurlLine(config, "http://h/mcp"), Not(HasSubstr(shows)));
}

TEST(Greeting, TheCurlLineUsesTheConfiguredPrefix) {
  config::Config config = Bundled();
  config.servers["example"].prefix = "";
  EXPECT_THAT(CurlLine(config, "http://h/mcp"), HasSubstr("Mcp-Name: echo'"));
}

TEST(Greeting, TheCurlLineListsToolsWhereNoToolIsKnown) {
  config::Config other = Bundled();
  other.servers["example"].command = config::Secret("npx");
  config::Config hidden = Bundled();
  hidden.servers["example"].tools.exclude = {"ech*"};
  config::Config disabled = Bundled();
  disabled.servers["example"].enabled = false;
  for (const config::Config& config : {other, hidden, disabled}) {
    const std::string line = CurlLine(config, "http://h/mcp");
    EXPECT_THAT(line, HasSubstr("Mcp-Method: tools/list'"));
    EXPECT_THAT(line, Not(HasSubstr("Mcp-Name")));
    EXPECT_EQ(BodyOf(line).at("method"), "tools/list");
  }
}

TEST(Greeting, SaysWhoMayComeInWithoutSayingWhoTheyAre) {
  config::Config config = Bundled();
  EXPECT_THAT(Greeting(config, "http://127.0.0.1:1/mcp", "switchyard"),
              HasSubstr("\nOpen: every program on this machine may use /mcp: nobody has to prove"));
  config.listen.host = "0.0.0.0";
  config.auth = config::Auth{.none = true};
  EXPECT_THAT(Greeting(config, "http://0.0.0.0:1/mcp", "switchyard"),
              HasSubstr("\nOPEN: everybody who reaches 0.0.0.0 may use /mcp: nobody has to prove"));
  config.auth = config::Auth{.api_keys_file = "f"};
  EXPECT_THAT(Greeting(config, "http://0.0.0.0:1/mcp", "switchyard"),
              Not(testing::AnyOf(HasSubstr("Open:"), HasSubstr("OPEN:"))));
}

TEST(Greeting, TheClientSnippetIsJson) {
  const boost::json::value snippet = boost::json::parse(ClientSnippet("http://h/mcp"));
  const boost::json::value& server = snippet.at("mcpServers").at("switchyard");
  EXPECT_EQ(server.at("type"), "http");
  EXPECT_EQ(server.at("url"), "http://h/mcp");
}

TEST(Greeting, HoldsNothingOfTheServersSecrets) {
  config::Config config = Bundled();
  config.servers["example"].env["KEY"] = config::Secret("hunter2");
  config.servers["example"].args.emplace_back("--key=hunter2");
  EXPECT_THAT(Greeting(config, "http://h/mcp", "switchyard"), Not(HasSubstr("hunter2")));
}

TEST(UrlOf, NamesAnAddressThatAClientHereCanReach) {
  EXPECT_EQ(UrlOf({.host = "127.0.0.1"}, 8080), "http://127.0.0.1:8080/mcp");
  EXPECT_EQ(UrlOf({.host = "localhost"}, 80), "http://127.0.0.1:80/mcp");
  EXPECT_EQ(UrlOf({.host = "0.0.0.0"}, 1), "http://127.0.0.1:1/mcp");
  EXPECT_EQ(UrlOf({.host = "::"}, 1), "http://[::1]:1/mcp");
  EXPECT_EQ(UrlOf({.host = "10.0.0.5"}, 1), "http://10.0.0.5:1/mcp");
  EXPECT_EQ(UrlOf({.host = "10.0.0.5", .tls = config::Tls()}, 1), "https://10.0.0.5:1/mcp");
}

}  // namespace
}  // namespace switchyard::cli
