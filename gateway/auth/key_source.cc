#include "auth/key_source.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <boost/algorithm/string/predicate.hpp>

namespace switchyard::auth {
namespace {

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

KeySource::KeySource(KeySourceRules rules)
    : rules_(rules),
      backoff_({.initial = rules.first_pause, .cap = rules.last_pause, .reset_after = {}}) {}

KeySource::Do KeySource::OnToken(TimePoint now) const {
  if (HasKeys(now)) {
    const bool due = now >= old_at_ && now >= next_try_ && !fetching_;
    return due ? Do::kUseAndFetch : Do::kUse;
  }
  if (fetching_) return Do::kWait;
  return now >= next_try_ ? Do::kFetch : Do::kRefuse;
}

KeySource::Do KeySource::OnUnknownKey(TimePoint now) const {
  if (!HasKeys(now)) return OnToken(now);
  if (fetching_) return Do::kWait;  // which may bring it
  return now >= next_unknown_ && now >= next_try_ ? Do::kFetch : Do::kUse;
}

void KeySource::Started(TimePoint now) {
  fetching_ = true;
  next_unknown_ = now + rules_.unknown_pause;
}

void KeySource::Fetched(TimePoint now, std::optional<std::chrono::seconds> max_age) {
  // Compared in seconds: what an answer says need not fit into nanoseconds.
  const auto wanted = max_age ? std::min<std::chrono::duration<double>>(*max_age, rules_.max_age)
                              : std::chrono::duration<double>(rules_.default_age);
  const auto age = std::max(std::chrono::duration_cast<Duration>(wanted), rules_.min_age);
  fetching_ = false;
  has_keys_ = true;
  old_at_ = now + age;
  next_try_ = now;
  backoff_.WasUp(age);
}

void KeySource::Failed(TimePoint now, double random) {
  fetching_ = false;
  next_try_ = now + backoff_.Next(random);
}

void KeySource::Retry() {
  next_try_ = TimePoint{};
  next_unknown_ = TimePoint{};
}

std::optional<std::chrono::seconds> MaxAgeOf(std::string_view cache_control) {
  std::optional<std::chrono::seconds> age;
  while (!cache_control.empty()) {
    const std::size_t end = std::min(cache_control.find(','), cache_control.size());
    const std::string_view directive = Trim(cache_control.substr(0, end));
    cache_control.remove_prefix(std::min(end + 1, cache_control.size()));
    if (boost::iequals(directive, "no-store") || boost::iequals(directive, "no-cache")) {
      return std::chrono::seconds(0);
    }
    const std::size_t equals = directive.find('=');
    if (equals == std::string_view::npos ||
        !boost::iequals(directive.substr(0, equals), "max-age")) {
      continue;
    }
    std::string_view number = directive.substr(equals + 1);
    if (number.size() >= 2 && number.front() == '"' && number.back() == '"') {
      number = number.substr(1, number.size() - 2);
    }
    std::uint32_t seconds = 0;
    const auto [last, error] =
        std::from_chars(number.data(), number.data() + number.size(), seconds);
    if (last != number.data() + number.size() || number.empty()) continue;
    // More than fits is as long as can be (RFC 9111 section 1.2.2). Of two, the shorter one.
    if (error == std::errc::result_out_of_range) seconds = UINT32_MAX;
    age = age ? std::min(*age, std::chrono::seconds(seconds)) : std::chrono::seconds(seconds);
  }
  return age;
}

}  // namespace switchyard::auth
