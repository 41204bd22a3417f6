#include "base/http/place.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/ascii.h"

namespace switchyard::http {
namespace {

constexpr std::size_t kLongestName = 253;

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && text.front() != '.' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_';
         });
}

}  // namespace

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::optional<Place> Place::Parse(std::string_view text) {
  Place place;
  place.network_ = Network::Parse(text);
  if (place.network_) return place;
  std::string_view host = text;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && !text.ends_with(']')) {
    const std::optional<std::uint16_t> port = ParsePort(text.substr(colon + 1));
    if (!port) return std::nullopt;
    place.port_ = *port;
    host = text.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    place.network_ = Network::Parse(host);
    if (!host.contains(':') || host.contains('/') || !place.network_) return std::nullopt;
    return place;
  }
  place.network_ = Network::Parse(host);
  if (place.network_ && (host.contains('/') || host.contains(':'))) return std::nullopt;
  if (place.network_) return place;
  const bool below = host.starts_with("*.");
  const std::string name = LowerAscii(below ? host.substr(2) : host);
  if (!IsName(name)) return std::nullopt;
  place.name_ = below ? "." + name : name;
  return place;
}

bool Place::FitsName(std::string_view host, std::uint16_t port) const {
  if (network_ || (port_ != 0 && port != port_)) return false;
  return name_.starts_with('.') ? host.ends_with(name_) && host.size() > name_.size()
                                : host == name_;
}

bool Place::FitsAddress(const boost::asio::ip::address& address, std::uint16_t port) const {
  return network_ && (port_ == 0 || port == port_) && network_->Contains(address);
}

}  // namespace switchyard::http
