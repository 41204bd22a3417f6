#include "cli/key.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "auth/api_key.h"
#include "cli/exit.h"

namespace switchyard::cli {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::chrono::hours kMaxLife{24 * 36'500};  // the clock holds times until the year 2262

bool IsOfAName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

// Whole seconds, rounded up: no key lives shorter than was asked for.
std::string Utc(auth::WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(
                                                  std::chrono::ceil<std::chrono::seconds>(time))));
}

}  // namespace

std::string CheckKeyName(const std::string& name) {
  const bool good =
      !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, IsOfAName);
  return good ? "" : "must be 1 to 64 letters, digits, dots, dashes and underscores";
}

int RunKeyNew(const KeyOptions& options, auth::WallTime now, std::ostream& out, std::ostream& err) {
  if (const std::string wrong = CheckKeyName(options.name); !wrong.empty()) {
    err << "NAME: " << wrong << "\n";
    return kUsage;
  }
  if (options.expires && *options.expires > kMaxLife) {
    err << "--expires: must be at most 36500d; without it, a key does not expire\n";
    return kUsage;
  }
  const auth::NewKey key = auth::MakeApiKey();
  err << "Give this key to " << options.name
      << "; it is shown this once. The configuration gets its digest:\n\n"
      << "- {name: \"" << options.name << "\", hash: \"" << auth::ToText(key.kept) << "\"";
  if (options.expires) {
    err << ", expires: "
        << Utc(now + std::chrono::duration_cast<auth::WallTime::duration>(*options.expires));
  }
  err << "}\n\n" << std::flush;
  out << key.text << "\n" << std::flush;
  return out.good() ? kOk : kFailed;
}

}  // namespace switchyard::cli
