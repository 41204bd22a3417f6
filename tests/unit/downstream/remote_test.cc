#include "downstream/remote.h"

#include <atomic>
#include <future>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include "unit/downstream/loop.h"

namespace switchyard::downstream {
namespace {

// A worker: a loop on a thread of its own.
class Home {
 public:
  Home() : thread_([this] { context_.run(); }) {}
  ~Home() { Stop(); }
  void Stop() {
    work_.reset();
    if (thread_.joinable()) thread_.join();
  }
  Executor executor() { return context_.get_executor(); }
  bool Here() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  net::io_context context_{1};
  net::executor_work_guard<Executor> work_{context_.get_executor()};
  std::thread thread_;
};

// Notifications, then the response; hangs instead where told. Checks that all of it happens at
// home.
class Server final : public Service {
 public:
  explicit Server(Home& home) : home_(home) {}
  ~Server() override { released_at_home = home_.Here(); }

  Task<Result<ReplyPtr>> Handle(Call& call) override {
    EXPECT_TRUE(home_.Here());
    if (call.message.method_name() == "refuse") {
      co_return Failure(Code::kUnavailable, Origin::kServer, "server x: down");
    }
    if (call.message.method_name() == "hang") {
      ++hanging;
      const Counted counted(gone);
      Mailbox<int> never;
      co_await never.Take();
    }
    co_return std::make_unique<Messages>(*this, call);
  }

  std::atomic<int> hanging = 0, gone = 0, replies = 0;
  std::atomic<Mailbox<int>*> wake = nullptr;  // where a pull waits
  static inline std::atomic<bool> released_at_home = false;

 private:
  struct Counted {
    explicit Counted(std::atomic<int>& counter) : at_end(counter) {}
    ~Counted() { ++at_end; }
    std::atomic<int>& at_end;
  };

  class Messages final : public Reply {
   public:
    Messages(Server& server, Call& call) : server_(server), call_(call) { ++server_.replies; }
    ~Messages() override {
      EXPECT_TRUE(server_.home_.Here());
      --server_.replies;
    }
    Task<Result<std::optional<mcp::Message>>> Next() override {
      EXPECT_TRUE(server_.home_.Here());
      if (call_.message.method_name() == "stream" && sent_ < 3) {
        co_return mcp::Message::Make("", "note", R"({"n":)" + std::to_string(++sent_) + "}");
      }
      if (call_.message.method_name() == "endless" && ++sent_ > 1) {
        Mailbox<int> never;
        co_await never.Take();
      }
      if (call_.message.method_name() == "woken" && ++sent_ > 1) {
        server_.wake = &wake_;
        co_await wake_.Take();
      }
      if (call_.message.method_name() == "endless" || call_.message.method_name() == "woken") {
        co_return mcp::Message::Make("", "note", "{}");
      }
      co_return mcp::Message::FromResult(call_.message.id(),
                                         R"({"from":")" + std::string(call_.endpoint) + "\"}");
    }

   private:
    Server& server_;
    Call& call_;
    int sent_ = 0;
    Mailbox<int> wake_;
  };

  Home& home_;
};

constexpr unsigned kHomeWorker = 7;

class RemoteTest : public ::testing::Test {
 protected:
  RemoteTest()
      : server_(std::make_shared<Server>(home_)),
        remote_(std::make_unique<RemoteService>(home_.executor(), kHomeWorker,
                                                loop_.deps().executor(), server_)) {}
  ~RemoteTest() override {
    remote_.reset();
    home_.Stop();
  }

  std::unique_ptr<Call> CallOf(const std::string& method) {
    auto call = std::make_unique<Call>();
    call->message = mcp::Message::Make("1", method, "{}");
    call->endpoint = "team";
    return call;
  }
  Result<ReplyPtr> Handle(Call& call) {
    // Answers come from another thread: the loop must not stop for lack of work.
    const auto work = net::make_work_guard(loop_.context());
    return loop_.Run(remote_->Handle(call));
  }
  std::string Next(Result<ReplyPtr>& reply) {
    if (!reply) return reply.error().message;
    const auto work = net::make_work_guard(loop_.context());
    Result<std::optional<mcp::Message>> next = loop_.Run((*reply)->Next());
    return !next ? next.error().message : *next ? (**next).ToText() : "end";
  }
  // Until the home has seen to it.
  bool Until(const std::function<bool()>& done) {
    const auto work = net::make_work_guard(loop_.context());
    return loop_.RunUntil(done);
  }

  Loop loop_;
  Home home_;
  std::shared_ptr<Server> server_;
  std::unique_ptr<RemoteService> remote_;
};

TEST_F(RemoteTest, RunsTheCallAtHomeAndBringsTheAnswerHere) {
  const auto call = CallOf("plain");
  Result<ReplyPtr> reply = Handle(*call);
  EXPECT_EQ(Next(reply), R"({"jsonrpc":"2.0","id":1,"result":{"from":"team"}})");
}

TEST_F(RemoteTest, ReleasesTheRealReplyAsSoonAsItIsOver) {
  const auto call = CallOf("plain");
  Result<ReplyPtr> reply = Handle(*call);
  EXPECT_TRUE(Until([&] { return server_->replies == 0; })) << "though ours is still held";
}

TEST_F(RemoteTest, PullsOneMessageAfterAnother) {
  const auto call = CallOf("stream");
  Result<ReplyPtr> reply = Handle(*call);
  for (const char* n : {"1", "2", "3"}) {
    EXPECT_TRUE(Next(reply).contains(R"("n":)" + std::string(n)));
  }
  EXPECT_TRUE(Next(reply).contains("result"));
}

TEST_F(RemoteTest, BringsErrorsBack) {
  const auto call = CallOf("refuse");
  Result<ReplyPtr> reply = Handle(*call);
  EXPECT_EQ(Next(reply), "server x: down");
}

TEST_F(RemoteTest, DropsTheRealReplyAtHomeWhenOursIsDropped) {
  auto call = CallOf("endless");
  {
    Result<ReplyPtr> reply = Handle(*call);
    EXPECT_EQ(server_->replies, 1);
  }
  call.reset();  // the home has its own copy
  EXPECT_TRUE(Until([&] { return server_->replies == 0; }));
}

TEST_F(RemoteTest, CancelsAtHomeWhatIsCancelledHere) {
  auto call = CallOf("hang");
  {
    TaskHandle task(loop_.deps().executor(), "call", [](Service& service, Call& own) -> Task<void> {
      const Result<ReplyPtr> reply = co_await service.Handle(own);
      ADD_FAILURE() << "was to be cancelled";
    }(*remote_, *call));
    ASSERT_TRUE(Until([&] { return server_->hanging == 1; }));
  }
  loop_.RunReady();
  call.reset();
  EXPECT_TRUE(Until([&] { return server_->gone == 1; }));
}

TEST_F(RemoteTest, CancelsAPullInFlightAndForgetsTheCallAtOnce) {
  auto call = CallOf("endless");
  {
    Result<ReplyPtr> reply = Handle(*call);
    Next(reply);
    TaskHandle task(loop_.deps().executor(), "pull", [](Reply& own) -> Task<void> {
      const auto next = co_await own.Next();
      ADD_FAILURE() << "was to be cancelled";
    }(**reply));
    loop_.RunReady();
    task.Cancel();
    loop_.RunReady();
  }
  call.reset();
  EXPECT_TRUE(Until([&] { return server_->replies == 0; }));
}

// It stands on the reply still: AddressSanitizer sees it if the reply goes first.
TEST_F(RemoteTest, APullThatWasJustWokenIsUnwoundBeforeTheReplyGoes) {
  auto call = CallOf("woken");
  std::promise<void> dropped;
  {
    Result<ReplyPtr> reply = Handle(*call);
    Next(reply);
    TaskHandle task(loop_.deps().executor(), "pull", [](Reply& own) -> Task<void> {
      const auto next = co_await own.Next();
      ADD_FAILURE() << "was to be cancelled";
    }(**reply));
    ASSERT_TRUE(Until([&] { return server_->wake != nullptr; }));
    // At home: the end of the call comes first, and then what the pull was woken by.
    net::post(home_.executor(), [&] {
      dropped.get_future().wait();
      server_->wake.load()->Put(1);
    });
    task.Cancel();
    loop_.RunReady();
  }
  dropped.set_value();
  EXPECT_TRUE(Until([&] { return server_->replies == 0; }));
}

TEST_F(RemoteTest, ReleasesTheServiceAtHome) {
  Server::released_at_home = false;
  server_.reset();
  remote_.reset();
  home_.Stop();
  EXPECT_TRUE(Server::released_at_home);
}

TEST_F(RemoteTest, SurvivesManyCallsThatComeAndGo) {
  for (int i = 0; i < 200; ++i) {
    auto call = CallOf(i % 3 == 0 ? "endless" : "plain");
    Result<ReplyPtr> reply = Handle(*call);
    ASSERT_TRUE(reply);
    if (i % 2 == 0) Next(reply);
    (*reply).reset();
  }
  EXPECT_TRUE(Until([&] { return server_->replies == 0; }));
}

}  // namespace
}  // namespace switchyard::downstream
