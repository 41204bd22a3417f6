#include "cli/greeting.h"

#include <optional>
#include <string_view>

#include "catalog/glob.h"
#include "config/open.h"

namespace switchyard::cli {
namespace {

constexpr std::string_view kMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
    R"("io.modelcontextprotocol/clientCapabilities":{}})";

// How clients call the echo tool of the bundled server.
std::optional<std::string> EchoTool(const config::Config& config) {
  for (const auto& [name, server] : config.servers) {
    const bool bundled = server.enabled && server.command.Reveal() == "switchyard" &&
                         !server.args.empty() && server.args.front().Reveal() == "example-server";
    if (!bundled || !catalog::Selects(server.tools.include, server.tools.exclude, "echo")) continue;
    const std::string& prefix = server.effective_prefix();
    return prefix.empty() ? "echo" : prefix + "__echo";
  }
  return std::nullopt;
}

}  // namespace

std::string CurlLine(const config::Config& config, const std::string& url) {
  const std::optional<std::string> tool = EchoTool(config);
  const std::string method = tool ? "tools/call" : "tools/list";
  std::string params;
  if (tool) params = R"("name":")" + *tool + R"(","arguments":{"message":"hello"},)";
  // This machine's address is not what a certificate is for.
  const std::string insecure = url.starts_with("https://127.0.0.1") ? "-k " : "";
  std::string line = "curl -sS " + insecure + url + " \\\n";
  line += "  -H 'Content-Type: application/json' \\\n";
  line += "  -H 'Accept: application/json, text/event-stream' \\\n";
  if (config.auth && !config.auth->none && !config.auth->anonymous) {
    line += "  -H \"Authorization: Bearer $SWITCHYARD_TOKEN\" \\\n";
  }
  line += "  -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: " + method + "'";
  if (tool) line += " -H 'Mcp-Name: " + *tool + "'";
  line += " \\\n  -d '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" + method + "\",\"params\":{";
  return line.append(params).append(kMeta).append("}}'\n");
}

std::string ClientSnippet(const std::string& url) {
  return R"({"mcpServers": {"switchyard": {"type": "http", "url": ")" + url + "\"}}}\n";
}

std::string Greeting(const config::Config& config, const std::string& url,
                     const std::string& program) {
  std::string text = "switchyard " SWITCHYARD_VERSION " serves " + url + "\n\n";
  for (const std::string& open : config::OpenWarnings(config)) text += "OPEN: " + open + "\n\n";
  if (const std::string here = config::OpenHere(config); !here.empty()) {
    text += "Open: " + here + "\n\n";
  }
  text += "Try it:\n\n" + CurlLine(config, url) + "\n";
  text += "Point a client at it:\n\n" + ClientSnippet(url) + "\n";
  text += "See what is there: " + program + " tools --url " + url + "\n\n";
  return text;
}

}  // namespace switchyard::cli
