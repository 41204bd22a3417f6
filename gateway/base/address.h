// What kind of place an IP address is, for those who connect on the word of others. Pure; values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace switchyard {

enum class AddressKind : std::uint8_t {
  kPublic,  // of the Internet
  kInside,  // this host and networks like this one: loopback, private, shared, unique local
  kNever,   // nobody serves there what is asked for: link-local (also what clouds tell their
            // machines at 169.254.169.254), multicast, unspecified, reserved, documentation
};

// By the IANA special-purpose registries (RFC 6890 and its updates). An IPv6 address that carries
// an IPv4 address (mapped, NAT64, 6to4) is of the kind of that one.
AddressKind KindOf(const boost::asio::ip::address& address);

// An IPv4 address that is written as a mapped IPv6 address as itself; others as they are.
boost::asio::ip::address Unmapped(const boost::asio::ip::address& address);

// Whether a host, as in a URL, a Host header or an address to listen at, is this machine whoever is
// asked: `localhost`, or a literal of 127.0.0.0/8 or ::1, with or without brackets. A name is not,
// whatever it begins with: others say where it leads.
bool IsLoopbackHost(std::string_view host);

// A CIDR block.
class Network {
 public:
  // `10.0.0.0/8`, `fd00::/8`, or an address, which is a block of one. nullopt: neither, or bits are
  // set behind the prefix.
  static std::optional<Network> Parse(std::string_view text);

  bool Contains(const boost::asio::ip::address& address) const;  // as it is Unmapped()

 private:
  boost::asio::ip::address address_;
  unsigned prefix_ = 0;
};

}  // namespace switchyard
