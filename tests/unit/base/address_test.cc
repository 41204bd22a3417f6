#include "base/address.h"

#include <string>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

using boost::asio::ip::make_address;
using enum AddressKind;

struct Row {
  const char* address;
  AddressKind kind;
};

class Kinds : public ::testing::TestWithParam<Row> {};

TEST_P(Kinds, AreThoseOfTheRegistries) {
  EXPECT_EQ(KindOf(make_address(GetParam().address)), GetParam().kind) << GetParam().address;
}

INSTANTIATE_TEST_SUITE_P(
    V4, Kinds,
    ::testing::Values(
        Row{"1.1.1.1", kPublic}, Row{"8.8.8.8", kPublic}, Row{"9.255.255.255", kPublic},
        Row{"11.0.0.0", kPublic}, Row{"0.0.0.0", kNever}, Row{"0.1.2.3", kNever},
        Row{"10.0.0.1", kInside}, Row{"10.255.255.255", kInside}, Row{"100.63.255.255", kPublic},
        Row{"100.64.0.1", kInside}, Row{"100.100.100.200", kNever}, Row{"100.127.255.255", kInside},
        Row{"100.128.0.0", kPublic}, Row{"127.0.0.1", kInside}, Row{"127.255.255.254", kInside},
        Row{"168.63.129.16", kNever}, Row{"169.254.169.254", kNever}, Row{"169.254.0.1", kNever},
        Row{"169.255.0.0", kPublic}, Row{"172.15.255.255", kPublic}, Row{"172.16.0.1", kInside},
        Row{"172.31.255.255", kInside}, Row{"172.32.0.0", kPublic}, Row{"192.0.0.192", kNever},
        Row{"192.0.2.1", kNever}, Row{"192.88.99.1", kNever}, Row{"192.168.1.1", kInside},
        Row{"192.169.0.0", kPublic}, Row{"198.18.0.1", kInside}, Row{"198.51.100.1", kNever},
        Row{"203.0.113.9", kNever}, Row{"224.0.0.1", kNever}, Row{"239.255.255.255", kNever},
        Row{"240.0.0.1", kNever}, Row{"255.255.255.255", kNever}));

INSTANTIATE_TEST_SUITE_P(
    V6, Kinds,
    ::testing::Values(Row{"::", kNever}, Row{"::1", kInside}, Row{"::2", kNever},
                      Row{"2606:4700:4700::1111", kPublic}, Row{"2a00:1450::1", kPublic},
                      Row{"::ffff:8.8.8.8", kPublic}, Row{"::ffff:127.0.0.1", kInside},
                      Row{"::ffff:10.0.0.1", kInside}, Row{"::ffff:169.254.169.254", kNever},
                      Row{"::ffff:0:127.0.0.1", kNever}, Row{"::127.0.0.1", kNever},
                      Row{"64:ff9b::8.8.8.8", kPublic}, Row{"64:ff9b::10.0.0.1", kInside},
                      Row{"64:ff9b::169.254.169.254", kNever}, Row{"64:ff9b:1::8.8.8.8", kNever},
                      Row{"2002:0808:0808::1", kPublic}, Row{"2002:7f00:1::1", kInside},
                      Row{"2002:a9fe:a9fe::1", kNever}, Row{"2001::1", kNever},
                      Row{"2001:0:7f00:1::", kNever}, Row{"2001:db8::1", kNever},
                      Row{"3fff::1", kNever}, Row{"100::1", kNever}, Row{"fc00::1", kInside},
                      Row{"fdff::1", kInside}, Row{"fd00:ec2::254", kNever}, Row{"fe80::1", kNever},
                      Row{"febf::1", kNever}, Row{"fec0::1", kNever}, Row{"ff02::1", kNever},
                      Row{"5f00::1", kNever}, Row{"4000::1", kNever}));

TEST(ANetwork, IsABlockOrAnAddress) {
  for (const char* good : {"10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "fd00::/8", "::1", "::/0"}) {
    EXPECT_TRUE(Network::Parse(good)) << good;
  }
  for (const char* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                          "10.0.0.1/8", "fd00::/129", "fd00::1/8", "a", "10.0.0", "fe80::1%lo"}) {
    EXPECT_FALSE(Network::Parse(bad)) << bad;
  }
}

TEST(ANetwork, ContainsWhatBeginsAsItDoes) {
  const auto contains = [](const char* network, const char* address) {
    return Network::Parse(network)->Contains(make_address(address));
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.255.0.1")) << "the same one";
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "fd00::1"));
  EXPECT_TRUE(contains("10.128.0.0/9", "10.200.0.1"));
  EXPECT_FALSE(contains("10.128.0.0/9", "10.1.0.1"));
  EXPECT_TRUE(contains("127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(contains("127.0.0.1", "127.0.0.2"));
  EXPECT_TRUE(contains("fd00::/8", "fd12::1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "1.2.3.4"));
}

TEST(LoopbackHosts, AreLocalhostAndLiteralsAndNoNameThatOthersLead) {
  for (const char* host : {"localhost", "LocalHost", "127.0.0.1", "127.0.0.2", "127.255.255.254",
                           "::1", "[::1]", "[0:0:0:0:0:0:0:1]"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
  for (const char* host : {"", "127.evil.example", "127.0.0.1.example", "127.0.0", "128.0.0.1",
                           "localhost.example", "[127.0.0.1", "::2", "[::]", "0.0.0.0"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
}

}  // namespace
}  // namespace switchyard
