// A real gateway in this process, on a free port, built sentence by sentence:
//
//   Gateway gateway;
//   gateway.Serves("a", fake).ServesChild("b", {"--era", "legacy"}).Start();
//   ModernClient client = gateway.Modern();
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "server.h"
#include "support/client.h"
#include "support/fake_server.h"

namespace switchyard::tests {

class Gateway {
 public:
  Gateway() = default;
  Gateway(const Gateway&) = delete;
  ~Gateway();

  // `keys`: more YAML for the server, in flow style without braces: `tools: {include: [e*]}`.
  Gateway& Serves(const std::string& name, const FakeServer& fake, const std::string& keys = "");
  Gateway& ServesUrl(const std::string& name, const std::string& url, const std::string& keys = "");
  // `keys`: lines of YAML below the server's name, as they stand in a file.
  Gateway& ServesAs(const std::string& name, const FakeServer& fake, const std::string& keys);
  // fake_stdio_server with these flags; it is told its name.
  Gateway& ServesChild(const std::string& name, const std::vector<std::string>& flags = {},
                       const std::string& keys = "");
  Gateway& ServesNoMore(const std::string& name);
  // Top-level YAML; a later one of the same key replaces it: With("policies", "{timeout: ...}").
  Gateway& With(const std::string& key, const std::string& yaml);
  Gateway& Without(const std::string& key);

  // A clock by which hours pass at once, or none (see HaltingClock). It outlives this.
  Gateway& GoesBy(const Clock& clock);

  // What it logs can be read in a LogCapture, once it was stopped; the capture outlives it.
  Gateway& IsHeard();

  // Asks authorization servers. It outlives this.
  Gateway& FetchesBy(fetch::Fetcher& fetcher);

  // Waits until every server is up or known to be down.
  Gateway& Start();
  Gateway& StartWithoutWaiting();
  void Reload();  // what was said since
  Result<void> TryReload();
  void Stop();

  Server& server() { return *server_; }
  std::uint16_t port() const { return server_->port(); }
  ModernClient Modern(const std::string& path = "/mcp") const { return ModernClient(port(), path); }
  LegacyClient Legacy(const std::string& path = "/mcp") const { return LegacyClient(port(), path); }
  std::unique_ptr<Client> ClientOf(Era era, const std::string& path = "/mcp",
                                   const std::string& token = "") const;

 private:
  config::Config Load() const;

  std::map<std::string, std::string> servers_, top_;
  const Clock* clock_ = &Clock::Real();
  fetch::Fetcher* fetcher_ = nullptr;
  bool heard_ = false;
  std::unique_ptr<Server> server_;
};

// Test suites of both eras: the era as a part of a test's name.
std::string EraWord(const ::testing::TestParamInfo<Era>& era);

// A process that was waited for is gone; false when it still lives after kPatience.
bool IsGone(pid_t pid);

}  // namespace switchyard::tests
