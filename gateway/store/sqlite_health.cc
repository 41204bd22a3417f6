#include "store/sqlite_health.h"

#include <spdlog/spdlog.h>

namespace switchyard::store {

void SqliteHealth::Note(const std::string& path, const Result<void>& commit, bool wrote) {
  if (commit ? !wrote : commit.error().code != Code::kUnavailable) return;
  const bool failing = !commit;
  if (failing == failing_) return;
  if (failing) {
    spdlog::error("{}; whatever changes something fails until that is mended: {}",
                  commit.error().message, commit.error().detail);
  } else {
    spdlog::warn("{}: can be written again", path);
  }
  Set(failing);
}

void SqliteHealth::Set(bool failing) {
  failing_ = failing;
  if (told_) told_(failing);
}

}  // namespace switchyard::store
