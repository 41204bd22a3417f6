#include "policy_store.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include "store/approval_file.h"
#include "store/ledger_file.h"

namespace switchyard {

PolicyStore::PolicyStore(config::State settings, const Clock& clock)
    : settings_(std::move(settings)),
      memory_({.keys = settings_.max_keys}),
      ledger_(memory_, clock) {}

Store& PolicyStore::store() {
  if (settings_.dir.empty()) return memory_;
  return ledger_;
}

Result<void> PolicyStore::Open(telemetry::Metrics& metrics, approvals::Desk& desk) {
  if (settings_.dir.empty()) return {};
  Result<store::StateDirectory> taken = store::StateDirectory::Take(settings_.dir);
  if (!taken) return Failure(std::move(taken.error()));
  directory_.emplace(std::move(*taken));
  Result<void> opened = ledger_.Open(directory_->PathOf(store::StateDirectory::kLedger), metrics);
  if (opened) {
    auto file = store::ApprovalFile::Open(directory_->PathOf(store::StateDirectory::kApprovals));
    opened = file ? desk.Open(std::move(*file)) : Failure(std::move(file.error()));
  }
  if (opened) return {};
  Error error = std::move(opened.error()).In("state.dir");
  error.code = Code::kInvalid;
  return Failure(std::move(error));
}

void PolicyStore::Close() {
  ledger_.Close();
  directory_.reset();
}

void PolicyStore::Keep(config::State& wanted) const {
  for (const auto& [key, same] : {std::pair("dir", wanted.dir == settings_.dir),
                                  std::pair("max_keys", wanted.max_keys == settings_.max_keys)}) {
    if (!same) spdlog::warn("reload: state.{} changes only with a restart", key);
  }
  wanted = settings_;
}

std::optional<config::Problem> StateProblem(const config::Config& config) {
  const std::string& dir = config.state.dir;
  if (dir.empty()) return std::nullopt;
  Result<void> usable = store::StateDirectory::Inspect(dir);
  const std::string ledger = dir + "/" + store::StateDirectory::kLedger;
  std::error_code ignored;
  if (usable && std::filesystem::exists(ledger, ignored)) {
    usable = store::LedgerFile::Inspect(ledger);
  }
  const std::string approvals = dir + "/" + store::StateDirectory::kApprovals;
  if (usable && std::filesystem::exists(approvals, ignored)) {
    usable = store::ApprovalFile::Inspect(approvals);
  }
  if (usable) return std::nullopt;
  std::string message = usable.error().message;
  constexpr std::string_view kPath = "state.dir: ";
  if (message.starts_with(kPath)) message.erase(0, kPath.size());
  return config::Problem{.file = {}, .at = {}, .path = "state.dir", .message = std::move(message)};
}

}  // namespace switchyard
