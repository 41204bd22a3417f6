#include "edge/misled_log.h"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace switchyard::edge {
namespace {

constexpr std::size_t kLongestShown = 100;  // bytes of a header's value

std::string_view HeaderOf(Misled misled) { return misled == Misled::kHost ? "Host" : "Origin"; }

std::string_view SettingFor(Misled misled) {
  return misled == Misled::kHost ? "listen.allowed_hosts" : "listen.allowed_origins";
}

// Both are ASCII where they are well-formed; what else strangers write is not for a terminal.
std::string PlainValue(std::string_view value) {
  std::string plain(value.substr(0, kLongestShown));
  std::ranges::replace_if(plain, [](char c) { return c < ' ' || c > '~'; }, '?');
  if (value.size() > kLongestShown) plain += "...";
  return plain;
}

}  // namespace

std::string WhyMisled(Misled misled) {
  return std::string(HeaderOf(misled)) + " is not allowed here; add it to " +
         std::string(SettingFor(misled));
}

void MisledLog::Note(Misled misled, std::string_view value, TimePoint now) {
  LogPace& pace = misled == Misled::kHost ? hosts_ : origins_;
  if (!pace.Due(now)) return;
  spdlog::info("listen: refused a request by its {}: '{}'; if it is one of yours, add it to {}",
               HeaderOf(misled), PlainValue(value), SettingFor(misled));
}

}  // namespace switchyard::edge
