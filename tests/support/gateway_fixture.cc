#include "support/gateway_fixture.h"

#include <cstdlib>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "config/load.h"
#include "policies/registry.h"
#include "support/event.h"
#include "support/paths.h"

namespace switchyard::tests {

Gateway::~Gateway() { Stop(); }

Gateway& Gateway::Serves(const std::string& name, const FakeServer& fake, const std::string& keys) {
  return ServesUrl(name, fake.url(), keys);
}

Gateway& Gateway::ServesUrl(const std::string& name, const std::string& url,
                            const std::string& keys) {
  servers_[name] = "{url: " + Quote(url) + (keys.empty() ? "" : ", " + keys) + "}";
  return *this;
}

Gateway& Gateway::ServesAs(const std::string& name, const FakeServer& fake,
                           const std::string& keys) {
  servers_[name] = "\n    url: " + Quote(fake.url()) + keys;
  return *this;
}

Gateway& Gateway::ServesChild(const std::string& name, const std::vector<std::string>& flags,
                              const std::string& keys) {
  std::string args = "--name, " + Quote(name);
  for (const std::string& flag : flags) args += ", " + Quote(flag);
  servers_[name] = "{command: " + Quote(::switchyard::paths::FakeStdioServer()) + ", args: [" +
                   args + "]" + (keys.empty() ? "" : ", " + keys) + "}";
  return *this;
}

Gateway& Gateway::ServesNoMore(const std::string& name) {
  servers_.erase(name);
  return *this;
}

Gateway& Gateway::With(const std::string& key, const std::string& yaml) {
  top_[key] = yaml;
  return *this;
}

Gateway& Gateway::Without(const std::string& key) {
  top_.erase(key);
  return *this;
}

Gateway& Gateway::GoesBy(const Clock& clock) {
  clock_ = &clock;
  return *this;
}

Gateway& Gateway::IsHeard() {
  heard_ = true;
  return *this;
}

Gateway& Gateway::FetchesBy(fetch::Fetcher& fetcher) {
  fetcher_ = &fetcher;
  return *this;
}

std::unique_ptr<Client> Gateway::ClientOf(Era era, const std::string& path,
                                          const std::string& token) const {
  if (era == Era::kModern) return std::make_unique<ModernClient>(port(), path, token);
  return std::make_unique<LegacyClient>(port(), path, "2025-11-25", token);
}

config::Config Gateway::Load() const {
  std::map<std::string, std::string> top = top_;
  top.try_emplace("listen", "{address: \"127.0.0.1:0\"}");
  std::string text;
  for (const auto& [key, yaml] : top) text += key + ": " + yaml + "\n";
  text += "servers:\n";
  for (const auto& [name, yaml] : servers_) text += "  " + name + ": " + yaml + "\n";
  if (servers_.empty()) text += "  {}\n";
  config::LoadResult loaded =
      config::LoadText(text, "test.yaml", policies::PolicyKeys(), config::ProcessEnvironment());
  if (loaded) return std::move(loaded->config);
  for (const config::Problem& problem : loaded.error()) {
    ADD_FAILURE() << problem.ToString() << "\n" << text;
  }
  return {};
}

Gateway& Gateway::StartWithoutWaiting() {
  // what servers do wrong on purpose would fill the screen
  const bool quiet = !heard_ && std::getenv("SWITCHYARD_TEST_LOG") == nullptr;
  if (quiet) spdlog::set_level(spdlog::level::off);
  server_ = std::make_unique<Server>(
      Server::Options{.config = Load(),
                      .clock = clock_,
                      .fetcher = fetcher_,
                      .workers = 2,
                      .own_binary = ::switchyard::paths::SwitchyardBinary()});
  const Result<void> started = server_->Start();
  if (!started) ADD_FAILURE() << "the gateway did not start: " << started.error().message;
  return *this;
}

Gateway& Gateway::Start() {
  StartWithoutWaiting();
  if (!server_->WaitUntilSettled(kPatience)) ADD_FAILURE() << "the servers did not settle";
  return *this;
}

Result<void> Gateway::TryReload() { return server_->Reload(Load()); }

void Gateway::Reload() {
  const Result<void> reloaded = TryReload();
  if (!reloaded) ADD_FAILURE() << "no reload: " << reloaded.error().message;
}

void Gateway::Stop() {
  if (server_ != nullptr) server_->Stop();
  server_ = nullptr;
}

std::string EraWord(const ::testing::TestParamInfo<Era>& era) {
  return era.param == Era::kModern ? "Modern" : "Legacy";
}

bool IsGone(pid_t pid) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return true;
  const bool gone = WaitForAny({{.fd = fd, .events = POLLIN, .revents = 0}}) == 0;
  ::close(fd);
  return gone;
}

}  // namespace switchyard::tests
