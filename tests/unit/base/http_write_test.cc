#include <array>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <gtest/gtest.h>

#include "base/http/write.h"

namespace switchyard::http {
namespace {

using Socket = net::basic_stream_socket<net::local::stream_protocol, Executor>;

struct Pair {
  net::io_context context{1};
  Socket ours{context}, theirs{context};
  Pair() { net::local::connect_pair(ours, theirs); }

  std::string ReadAll() {
    std::string all;
    char buffer[4096];
    for (;;) {
      const ssize_t n = ::recv(theirs.native_handle(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (n <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(n));
    }
  }
};

TEST(HttpWrite, SendsManyPiecesInOrder) {
  Pair pair;
  std::vector<std::string> texts;
  std::string all;
  for (int i = 0; i < 200; ++i) all += texts.emplace_back(std::to_string(i % 7 ? i : 0) + ",");
  std::vector<std::string_view> pieces(texts.begin(), texts.end());
  pieces.insert(pieces.begin() + 3, std::string_view());
  pieces.emplace_back();
  Gather out(pieces);
  EXPECT_FALSE(out.SendNow(pair.ours.native_handle()));
  EXPECT_TRUE(out.done());
  EXPECT_EQ(out.written(), all.size());
  EXPECT_EQ(pair.ReadAll(), all);
}

TEST(HttpWrite, GivesTheFrontOfAllPiecesTogether) {
  const std::vector<std::string_view> pieces{"", "head", "", "body of it", "tail"};
  Gather out(pieces);
  std::array<char, 6> room;
  EXPECT_EQ(out.Front(room), "headbo");
  EXPECT_EQ(out.Front(room), "headbo") << "nothing is taken";
  out.Advance(6);
  EXPECT_EQ(out.Front(room), "dy of ");
  EXPECT_EQ(out.Front(room).data(), pieces[3].data() + 2) << "not copied where it is one piece";
  out.Advance(6);
  EXPECT_EQ(out.Front(room), "ittail");
  out.Advance(2);
  EXPECT_EQ(out.Front(room).data(), pieces[4].data());
  out.Advance(4);
  EXPECT_TRUE(out.done());
  EXPECT_EQ(out.Front(room), "");
}

TEST(HttpWrite, WaitsForASlowReader) {
  Pair pair;
  const std::string big(4 << 20, 'x');
  const std::vector<std::string_view> pieces{"head", big, "tail"};
  Gather out(pieces);
  ASSERT_FALSE(out.SendNow(pair.ours.native_handle()));
  ASSERT_FALSE(out.done()) << "more than a socket buffer";
  bool finished = false;
  Spawn(pair.context.get_executor(), "write", [](Pair& p, Gather& o, bool& f) -> Task<void> {
    const boost::system::error_code error = co_await WriteRest(p.ours, o);
    EXPECT_FALSE(error);
    f = true;
  }(pair, out, finished));
  std::string all;
  while (!finished) {
    pair.context.restart();
    pair.context.poll();
    all += pair.ReadAll();
  }
  EXPECT_EQ(all, "head" + big + "tail");
}

TEST(HttpWrite, ReportsAClosedPeerWithoutASignal) {
  Pair pair;
  pair.theirs.close();
  const std::vector<std::string_view> pieces{"x"};
  Gather out(pieces);
  EXPECT_EQ(out.SendNow(pair.ours.native_handle()), net::error::broken_pipe);
  EXPECT_EQ(out.written(), 0u);
}

TEST(HttpWrite, HasNothingToDoForNothing) {
  const std::vector<std::string_view> pieces{"", ""};
  EXPECT_TRUE(Gather(pieces).done());
}

}  // namespace
}  // namespace switchyard::http
