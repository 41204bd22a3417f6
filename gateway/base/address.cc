#include "base/address.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string>

#include "base/ascii.h"

namespace switchyard {
namespace {

namespace ip = boost::asio::ip;
using V6 = ip::address_v6::bytes_type;

struct V4Block {
  std::uint32_t base;
  unsigned prefix;
  AddressKind kind;
};

constexpr std::uint32_t V4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// The first that fits counts; what fits none is public.
constexpr std::array<V4Block, 20> kV4Blocks{{
    {V4(0, 0, 0, 0), 8, AddressKind::kNever},           // this network
    {V4(10, 0, 0, 0), 8, AddressKind::kInside},         // private
    {V4(100, 100, 100, 200), 32, AddressKind::kNever},  // metadata of a cloud
    {V4(100, 64, 0, 0), 10, AddressKind::kInside},      // shared by a carrier's customers
    {V4(127, 0, 0, 0), 8, AddressKind::kInside},        // loopback
    {V4(168, 63, 129, 16), 32, AddressKind::kNever},    // a cloud's own services
    {V4(169, 254, 0, 0), 16, AddressKind::kNever},      // link-local, metadata of most clouds
    {V4(172, 16, 0, 0), 12, AddressKind::kInside},      // private
    {V4(192, 0, 0, 0), 24, AddressKind::kNever},        // protocol assignments
    {V4(192, 0, 2, 0), 24, AddressKind::kNever},        // documentation
    {V4(192, 31, 196, 0), 24, AddressKind::kNever},     // AS112
    {V4(192, 52, 193, 0), 24, AddressKind::kNever},     // AMT
    {V4(192, 88, 99, 0), 24, AddressKind::kNever},      // relays of 6to4
    {V4(192, 168, 0, 0), 16, AddressKind::kInside},     // private
    {V4(192, 175, 48, 0), 24, AddressKind::kNever},     // AS112
    {V4(198, 18, 0, 0), 15, AddressKind::kInside},      // benchmarks
    {V4(198, 51, 100, 0), 24, AddressKind::kNever},     // documentation
    {V4(203, 0, 113, 0), 24, AddressKind::kNever},      // documentation
    {V4(224, 0, 0, 0), 4, AddressKind::kNever},         // multicast
    {V4(240, 0, 0, 0), 4, AddressKind::kNever},         // reserved, broadcast
}};

AddressKind KindOfV4(std::uint32_t address) {
  const auto* const block = std::ranges::find_if(kV4Blocks, [address](const V4Block& one) {
    return (address ^ one.base) >> (32 - one.prefix) == 0;
  });
  return block == kV4Blocks.end() ? AddressKind::kPublic : block->kind;
}

std::uint32_t V4At(const V6& bytes, std::size_t at) {
  return V4(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

// Whether the first `bits` of both are the same.
bool SameStart(const unsigned char* a, const unsigned char* b, unsigned bits) {
  const unsigned whole = bits / 8, rest = bits % 8;
  if (!std::equal(a, a + whole, b)) return false;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

// What `more` begins with; all behind it is zero.
constexpr V6 Start(std::array<unsigned char, 8> more) {
  V6 bytes{};
  for (std::size_t i = 0; i < more.size(); ++i) bytes[i] = more[i];
  return bytes;
}

struct V6Block {
  V6 base;
  unsigned prefix;
  AddressKind kind;
};

// Behind those that carry an IPv4 address. What fits none and is not 2000::/3 is nobody's.
constexpr std::array<V6Block, 8> kV6Blocks{{
    {Start({0xfd, 0x00, 0x0e, 0xc2}), 32, AddressKind::kNever},        // metadata of a cloud
    {Start({0xfc}), 7, AddressKind::kInside},                          // unique local
    {Start({0x20, 0x01, 0x0d, 0xb8}), 32, AddressKind::kNever},        // documentation
    {Start({0x20, 0x01}), 23, AddressKind::kNever},                    // protocols, Teredo, ORCHID
    {Start({0x26, 0x20, 0x00, 0x4f, 0x80}), 48, AddressKind::kNever},  // AS112
    {Start({0x3f, 0xff}), 20, AddressKind::kNever},                    // documentation
    {Start({0x3f, 0xfe}), 16, AddressKind::kNever},                    // 6bone, given back
    {Start({0x20}), 3, AddressKind::kPublic},
}};

AddressKind KindOfV6(const ip::address_v6& address) {
  const V6 bytes = address.to_bytes();
  if (address.is_loopback()) return AddressKind::kInside;
  if (address.is_v4_mapped()) return KindOfV4(V4At(bytes, 12));
  constexpr V6 kNat64 = Start({0x00, 0x64, 0xff, 0x9b});  // RFC 6052
  if (SameStart(bytes.data(), kNat64.data(), 96)) return KindOfV4(V4At(bytes, 12));
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return KindOfV4(V4At(bytes, 2));  // 6to4, RFC 3056
  const auto* const block = std::ranges::find_if(kV6Blocks, [&bytes](const V6Block& one) {
    return SameStart(bytes.data(), one.base.data(), one.prefix);
  });
  return block == kV6Blocks.end() ? AddressKind::kNever : block->kind;
}

}  // namespace

AddressKind KindOf(const ip::address& address) {
  return address.is_v4() ? KindOfV4(address.to_v4().to_uint()) : KindOfV6(address.to_v6());
}

ip::address Unmapped(const ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

bool IsLoopbackHost(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "127.0.0.1" || host == "::1") return true;  // most of them
  if (LowerAscii(host) == "localhost") return true;
  boost::system::error_code error;
  const ip::address address = ip::make_address(std::string(host), error);
  return !error && address.is_loopback();
}

std::optional<Network> Network::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  boost::system::error_code error;
  Network network;
  network.address_ = ip::make_address(std::string(text.substr(0, slash)), error);
  if (error || (network.address_.is_v6() && network.address_.to_v6().scope_id() != 0)) {
    return std::nullopt;
  }
  const unsigned bits = network.address_.is_v4() ? 32 : 128;
  network.prefix_ = bits;
  if (slash != std::string_view::npos) {
    const std::string_view number = text.substr(slash + 1);
    const auto [end, bad] =
        std::from_chars(number.data(), number.data() + number.size(), network.prefix_);
    if (bad != std::errc() || end != number.data() + number.size() || network.prefix_ > bits) {
      return std::nullopt;
    }
  }
  // Bits behind the prefix: whoever wrote them meant something else.
  const auto clean = [&network](auto bytes) {
    for (unsigned bit = network.prefix_; bit < bytes.size() * 8; ++bit) {
      if ((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) return false;
    }
    return true;
  };
  const bool good = network.address_.is_v4() ? clean(network.address_.to_v4().to_bytes())
                                             : clean(network.address_.to_v6().to_bytes());
  if (!good) return std::nullopt;
  return network;
}

bool Network::Contains(const ip::address& address) const {
  const ip::address plain = Unmapped(address);
  if (plain.is_v4() != address_.is_v4()) return false;
  if (plain.is_v4()) {
    const auto a = plain.to_v4().to_bytes(), b = address_.to_v4().to_bytes();
    return SameStart(a.data(), b.data(), prefix_);
  }
  const V6 a = plain.to_v6().to_bytes(), b = address_.to_v6().to_bytes();
  return SameStart(a.data(), b.data(), prefix_);
}

}  // namespace switchyard
