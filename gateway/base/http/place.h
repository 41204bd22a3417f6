// A place on the network as a configuration names it. A value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace switchyard::http {

class Place {
 public:
  // `idp.internal`, `*.internal` (every name below it), an address or a CIDR block; behind a name,
  // an address or [an IPv6 address] may stand `:port`. nullopt: none of it.
  static std::optional<Place> Parse(std::string_view text);

  // Of a URL's host, which is lower case and without brackets, by its name.
  bool FitsName(std::string_view host, std::uint16_t port) const;
  // Of the address that is to be connected to.
  bool FitsAddress(const boost::asio::ip::address& address, std::uint16_t port) const;

 private:
  std::optional<Network> network_;  // else by name
  std::string name_;                // lower case; of `*.internal` it is `.internal`
  std::uint16_t port_ = 0;          // 0 = any
};

// 1 to 65535; nullopt: anything else.
std::optional<std::uint16_t> ParsePort(std::string_view text);

}  // namespace switchyard::http
